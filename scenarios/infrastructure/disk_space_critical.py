"""DiskSpaceCritical: the disk of the scheduler's host fills until 5 % are free.

Critical: PostgreSQL stops when it is full, so the infrastructure team is paged. If it lasts, the
warning follows.
"""

from loadgen.faults.disk import DiskFilled
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="DiskSpaceCritical",
    labels={
        "severity": "critical",
        "team": "infrastructure",
        "instance": "scheduler-host",
        "device": "/dev/vdb1",
        "mountpoint": "/data",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=DiskFilled(free_percent=5),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
    may_also_fire=frozenset({"DiskSpaceWarning"}),
)
