"""AlertmanagerUnreachable: a second Alertmanager is configured where there is none.

The first one gets every alert, this one too, and nothing is lost yet. A warning for the platform
team.
"""

from loadgen.faults.monitoring import NOBODY, AlertmanagerAdded
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="AlertmanagerUnreachable",
    labels={
        "severity": "warning",
        "team": "platform",
        "instance": "prometheus",
        "alertmanager": f"http://{NOBODY}/api/v2/alerts",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=AlertmanagerAdded(),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
