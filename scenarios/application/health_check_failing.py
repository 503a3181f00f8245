"""HealthCheckFailing: the scheduler's database password is changed under it.

Its process lives and answers, but with 503 only. Critical, and without a team: the platform team
is paged. The share of failed requests is not told as well.
"""

from loadgen.faults.rights import DatabasePasswordChanged
from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="HealthCheckFailing",
    labels={"severity": "critical", "instance": "backend"},
    traffic=Traffic(
        users=(Resident, Coordinator, Faculty),
        shape=ClinicMorning,
        failures_expected="503 while the scheduler cannot log in to its database",
    ),
    fault=DatabasePasswordChanged(),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    may_also_fire=frozenset(
        {
            "ApplicationErrorBurst",
            "DatabaseLoginFailures",
        }
    ),
    inhibited=frozenset({"CriticalErrorRate", "HighErrorRate"}),
)
