"""PostgreSQLDeadlocks: two programs lock the same two residents, each beginning with the other's.

On a fresh instance the server has never counted a deadlock before. It ends one transaction of each
pair; the clinic's requests continue. A warning for the database team.
"""

from loadgen.faults.postgres import Deadlocks
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="PostgreSQLDeadlocks",
    labels={
        "severity": "warning",
        "team": "database",
        "instance": "postgresql",
        "datname": "residency",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=Deadlocks(),
    notifications=(
        slack("#alerts-database"),
        email("database@residency.example"),
    ),
)
