"""PostgreSQLSlowQueries: a transaction is left open while the clinic works.

Nobody waits for it, but the server cannot clean up behind it. Thirty seconds are thirty seconds at
any speed. A warning for the database team.
"""

from loadgen.faults.postgres import TransactionHeldOpen
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="PostgreSQLSlowQueries",
    labels={
        "severity": "warning",
        "team": "database",
        "instance": "postgresql",
        "datname": "residency",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=TransactionHeldOpen(until_s=30),
    notifications=(
        slack("#alerts-database"),
        email("database@residency.example"),
    ),
)
