"""AlertmanagerNotificationsFailing: Slack answers 500 to everything.

On-call is paged and the platform team gets mail, while Slack reaches nobody. Once both have
arrived Slack is back, and Alertmanager's next attempt delivers there, too: late, but not lost.
"""

from loadgen.faults.monitoring import CHECK, SlackRefuses
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="AlertmanagerNotificationsFailing",
    labels={"severity": "critical", "instance": "alertmanager", "integration": "slack"},
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=SlackRefuses(alert="AlertmanagerNotificationsFailing"),
    notifications=(
        pagerduty("on-call"),
        email("platform@residency.example"),
        slack("#alerts-platform"),
    ),
    may_also_fire=frozenset({CHECK}),
)
