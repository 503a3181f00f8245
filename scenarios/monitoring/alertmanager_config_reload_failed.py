"""AlertmanagerConfigReloadFailed: half of a template is saved, and Alertmanager is told to reload.

It keeps what it had, so nobody notices until it has to start again. A warning without a
team: the platform team reads it.
"""

from loadgen.faults.monitoring import ConfigurationBroken
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="AlertmanagerConfigReloadFailed",
    labels={"severity": "warning", "instance": "alertmanager"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=ConfigurationBroken(service="alertmanager"),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
