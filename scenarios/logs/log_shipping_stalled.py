"""LogShippingStalled: the program that ships the logs is stopped, and all services keep running.

Lines are written and none arrives, so that alerts from logs are blind. A warning for the
infrastructure team, who may also be notified that the shipper itself is gone.
"""

from loadgen.faults.service import ServiceStopped
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="LogShippingStalled",
    labels={"severity": "warning", "team": "infrastructure", "service": "worker"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=ServiceStopped(service="promtail"),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
    may_also_fire=frozenset({"TargetDown", "ContainerDown"}),
)
