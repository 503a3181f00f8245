"""PostgreSQLCriticalConnections: the leak continues until few connections are left.

The scheduler holds its own, so the clinic still works; a restart of it might not find any. The
database team is paged. The warning about the same fires, too, but is inhibited.
"""

from loadgen.faults.postgres import ConnectionsHeld
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="PostgreSQLCriticalConnections",
    labels={"severity": "critical", "team": "database", "instance": "postgresql"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=ConnectionsHeld(total=108),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-database"),
        email("database@residency.example"),
    ),
    inhibited=frozenset({"PostgreSQLHighConnections"}),
)
