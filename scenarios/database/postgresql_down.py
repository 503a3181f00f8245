"""PostgreSQLDown: the database server is stopped, at once, while the clinic works.

The scheduler answers 503 until it is back. Critical, and the database team's: they are paged, and
read it in their channel and their mail. What breaks with it is not told as well.
"""

from loadgen.faults.service import ServiceStopped
from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="PostgreSQLDown",
    labels={"severity": "critical", "team": "database", "instance": "postgresql"},
    traffic=Traffic(
        users=(Resident, Coordinator, Faculty),
        shape=ClinicMorning,
        failures_expected="503 while the database is away",
    ),
    fault=ServiceStopped(service="postgresql"),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-database"),
        email("database@residency.example"),
    ),
    inhibited=frozenset(
        {
            "ApplicationErrorBurst",
            "ContainerDown",
            "CriticalErrorRate",
            "DatabaseFatalErrors",
            "HealthCheckFailing",
            "HighErrorRate",
        }
    ),
)
