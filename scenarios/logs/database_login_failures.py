"""DatabaseLoginFailures: a program with a wrong password keeps trying to log in to PostgreSQL.

The server is well, and nobody else notices. A warning for the database team, however often it
tries: whoever reaches the port can do that, and must not be able to page anybody.
"""

from loadgen.faults.intruders import DatabaseLogInsRefused
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="DatabaseLoginFailures",
    labels={"severity": "warning", "team": "database", "service": "postgresql"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=DatabaseLogInsRefused(),
    notifications=(
        slack("#alerts-database"),
        email("database@residency.example"),
    ),
)
