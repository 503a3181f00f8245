"""PrometheusConfigReloadFailed: half of a rule file is saved, and Prometheus is told to reload.

It keeps what it had, so nobody notices until it has to start again. A warning without a
team: the platform team reads it.
"""

from loadgen.faults.monitoring import ConfigurationBroken
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="PrometheusConfigReloadFailed",
    labels={"severity": "warning", "instance": "prometheus"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=ConfigurationBroken(service="prometheus"),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
