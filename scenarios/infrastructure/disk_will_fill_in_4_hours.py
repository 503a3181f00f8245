"""DiskWillFillIn4Hours: a runaway log eats the disk of the scheduler's host, bit by bit.

More than 20 % are free all the time, so no other alert says anything yet. A warning for the
infrastructure team. An hour is five seconds here, so that the rule sees its hour.
"""

from loadgen.faults.disk import DiskFilling
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="DiskWillFillIn4Hours",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "instance": "scheduler-host",
        "device": "/dev/vdb1",
        "mountpoint": "/data",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=DiskFilling(free_percent=23, hours=1.5),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
    speedup=12,
)
