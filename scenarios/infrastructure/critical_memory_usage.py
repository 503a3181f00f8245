"""CriticalMemoryUsage: memory of the scheduler's host leaks until 98 % are used.

Critical: the kernel may kill PostgreSQL next, so the infrastructure team is paged. If it lasts, the
warning follows.
"""

from loadgen.faults import host
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="CriticalMemoryUsage",
    labels={
        "severity": "critical",
        "team": "infrastructure",
        "instance": "scheduler-host",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=host.memory(percent=98),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
    may_also_fire=frozenset({"HighMemoryUsage"}),
)
