"""DatabaseFatalErrors: PostgreSQL ends sessions that it has let in, four a second.

The server is well, and nobody else notices. Critical, and the database team's: whoever these
sessions belong to cannot work.
"""

from loadgen.faults.sessions import SessionsTerminated
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="DatabaseFatalErrors",
    labels={"severity": "critical", "team": "database", "service": "postgresql"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=SessionsTerminated(),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-database"),
        email("database@residency.example"),
    ),
)
