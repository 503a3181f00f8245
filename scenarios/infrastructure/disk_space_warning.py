"""DiskSpaceWarning: the disk of the scheduler's host fills until 15 % are free.

The clinic does not notice yet. A warning for the infrastructure team, who have time to make room.
"""

from loadgen.faults.disk import DiskFilled
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="DiskSpaceWarning",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "instance": "scheduler-host",
        "device": "/dev/vdb1",
        "mountpoint": "/data",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=DiskFilled(free_percent=15),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
