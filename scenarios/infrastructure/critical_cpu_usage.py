"""CriticalCPUUsage: a process that went wild takes all CPUs of the scheduler's host.

Critical: requests wait for their turn, so the infrastructure team is paged. If it lasts, the
warning follows.
"""

from loadgen.faults import host
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="CriticalCPUUsage",
    labels={
        "severity": "critical",
        "team": "infrastructure",
        "instance": "scheduler-host",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=host.cpu(percent=100),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
    may_also_fire=frozenset({"HighCPUUsage"}),
)
