"""ScrapeLimitReached: containers come and go, and leave their network interfaces behind.

Each of them is sixteen more figures of node-exporter, until Prometheus refuses them all. The host
keeps running, and nobody would see if it did not. A warning for the platform team; the
infrastructure team may be notified that the exporter counts as down.
"""

from loadgen.faults.host import leftover_interfaces
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="ScrapeLimitReached",
    labels={
        "severity": "warning",
        "team": "platform",
        "instance": "prometheus",
        "limit": "sample_limit",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=leftover_interfaces(count=200),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
    may_also_fire=frozenset({"TargetDown"}),
)
