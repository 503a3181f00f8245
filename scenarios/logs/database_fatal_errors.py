"""DatabaseFatalErrors: a program with a wrong password tries to log in to PostgreSQL all the time.

The server is well, and nobody else notices. Critical, and the database team's: somebody is locked
out.
"""

from loadgen.faults.intruders import DatabaseLogInsRefused
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="DatabaseFatalErrors",
    labels={"severity": "critical", "team": "database", "service": "postgresql"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=DatabaseLogInsRefused(),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-database"),
        email("database@residency.example"),
    ),
)
