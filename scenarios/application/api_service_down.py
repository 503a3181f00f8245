"""APIServiceDown: the scheduler's process is killed while the clinic works, and stays down.

Nobody gets an answer. Critical, and without a team: the platform team is paged. What its users
notice besides is not told.
"""

from loadgen.faults.killed import ServiceKilled
from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="APIServiceDown",
    labels={"severity": "critical", "job": "backend", "instance": "backend"},
    traffic=Traffic(
        users=(Resident, Coordinator, Faculty),
        shape=ClinicMorning,
        failures_expected="nobody listens while the scheduler is down",
    ),
    fault=ServiceKilled(service="backend"),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    # The scheduler listens before its database is there: whoever asks in that moment gets 503.
    inhibited=frozenset({"ContainerDown", "ApplicationErrorBurst"}),
)
