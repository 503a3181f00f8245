"""TargetDown: the exporter of the database is stopped, and the database keeps running.

What is not scraped cannot be alerted on: PostgreSQLDown and its like are blind, and stay quiet. A
warning for the infrastructure team, who run the exporters.
"""

from loadgen.faults.service import ServiceStopped
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="TargetDown",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "job": "postgres-exporter",
        "instance": "postgresql",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=ServiceStopped(service="postgres-exporter"),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
    may_also_fire=frozenset({"ContainerDown"}),
)
