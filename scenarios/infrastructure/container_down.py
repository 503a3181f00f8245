"""ContainerDown: the background worker is stopped and stays away.

No port and no probe would tell: only that it ran before. Critical, and the infrastructure team's.
"""

from loadgen.faults.service import ServiceStopped
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="ContainerDown",
    labels={
        "severity": "critical",
        "team": "infrastructure",
        "instance": "scheduler-host",
        "name": "worker",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=ServiceStopped(service="worker"),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
