"""HighCPUUsage: a busy evening, the scheduler's host is at 93 % of its CPU.

Requests are still answered in time. A warning for the infrastructure team.
"""

from loadgen.faults import host
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="HighCPUUsage",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "instance": "scheduler-host",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=host.cpu(percent=93),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
