"""RuleEvaluationFailing: somebody adds a rule that joins on a label which tells nothing apart.

Prometheus accepts it, as promtool would: its syntax is right. It fails at each evaluation, because
several series match. On-call is paged: whatever the group was to watch, nobody watches.
"""

from loadgen.faults.monitoring import RuleAmbiguous
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, pagerduty, slack

SCENARIO = Scenario(
    alert="RuleEvaluationFailing",
    labels={
        "severity": "critical",
        "team": "platform",
        "instance": "prometheus",
        "rule_group": "ambiguous_join",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=RuleAmbiguous(),
    notifications=(
        pagerduty("on-call"),
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
