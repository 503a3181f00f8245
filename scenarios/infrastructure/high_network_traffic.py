"""HighNetworkTraffic: somebody copies an archive to the scheduler's host, at 400 MB/s.

The clinic does not notice. A warning for the infrastructure team, who may slow the copy down.
"""

from loadgen.faults import host
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="HighNetworkTraffic",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "instance": "scheduler-host",
        "device": "eth0",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=host.network(megabytes_per_s=400),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
