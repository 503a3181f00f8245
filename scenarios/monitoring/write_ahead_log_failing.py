"""WriteAheadLogFailing: Prometheus cannot write to its disk any more.

It stores nothing then, not even that it fails: all alerts on figures are blind, while Watchdog
fires as ever. On-call is paged by Loki, which reads it in Prometheus' log.
"""

from loadgen.faults.write_ahead import LogFull
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="WriteAheadLogFailing",
    labels={
        "severity": "critical",
        "team": "platform",
        "service": "prometheus",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=LogFull(),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
