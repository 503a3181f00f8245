"""HighMemoryUsage: memory of the scheduler's host leaks until 88 % are used.

Nothing was killed yet. A warning for the infrastructure team, who have time to find the leak.
"""

from loadgen.faults import host
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="HighMemoryUsage",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "instance": "scheduler-host",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=host.memory(percent=88),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
