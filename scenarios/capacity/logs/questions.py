"""What is asked of logs: the queries of all panels and of all log rules, as Loki gets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.check import configuration, dashboardfiles
from stack.check.macros import examples, filled
from stack.check.yamlfile import get, text

RANGE_S = 3600
"""Of a dashboard, as it is opened."""
STEP_S = 15
LINES = 1000
"""That a panel with lines asks for, as Grafana does."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One query, and whose it is."""

    whose: str
    query: str
    is_instant: bool
    """Asked of one moment; others of the range of a dashboard."""


def questions(root: Path) -> Sequence[Question]:
    """Those of the configuration in that folder: dashboards with all variables at "All"."""
    found = []
    for panel in dashboardfiles.load(root).panels:
        for target in panel.targets:
            if target.on_logs and target.expression:
                values = examples(panel.dashboard.variables)
                found.append(Question(
                    whose=f"{panel.dashboard.uid}: {panel.title}",
                    query=filled(target.expression, values.get),
                    is_instant=text(get(target.node, "queryType")) == "instant"
                    or text(get(target.node, "instant")) == "true",
                ))  # fmt: skip
    found += [
        Question(whose=f"rule {rule.name}", query=rule.expression, is_instant=True)
        for rule in configuration.read(root).alerts if rule.on_logs
    ]  # fmt: skip
    return found
