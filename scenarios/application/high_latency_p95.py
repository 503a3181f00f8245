"""HighLatencyP95: the link to the database becomes slow while the clinic works.

Every query takes two latencies longer, so that requests of people who wait for their schedule take
between two and five seconds. A warning without a team: the platform team reads it, nobody is paged.
"""

from loadgen.faults.database_link import SlowDatabaseLink
from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="HighLatencyP95",
    labels={"severity": "warning", "job": "backend"},
    traffic=Traffic(users=(Resident, Coordinator, Faculty), shape=ClinicMorning),
    fault=SlowDatabaseLink(latency_s=1.3),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
