"""VeryHighLatency: the link to the database becomes so slow that people give up.

Every query takes two latencies longer, so that no request is answered within five seconds.
Critical, and without a team: the platform team is paged; the warning about the same requests is
not told.
"""

from loadgen.faults.database_link import SlowDatabaseLink
from loadgen.shapes import ClinicMorning
from loadgen.users import Coordinator, Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="VeryHighLatency",
    labels={"severity": "critical", "job": "backend"},
    traffic=Traffic(users=(Resident, Coordinator, Faculty), shape=ClinicMorning),
    fault=SlowDatabaseLink(latency_s=2.6),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    inhibited=frozenset({"HighLatencyP95"}),
)
