"""PostgreSQLHighConnections: somebody's program opens connections and never closes them.

88 are open, of 120. The clinic does not notice yet; the database team has time to find out who.
"""

from loadgen.faults.postgres import ConnectionsHeld
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="PostgreSQLHighConnections",
    labels={"severity": "warning", "team": "database", "instance": "postgresql"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=ConnectionsHeld(total=88),
    notifications=(
        slack("#alerts-database"),
        email("database@residency.example"),
    ),
)
