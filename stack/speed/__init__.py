"""What a speed does to configuration: an instance of speed K divides every duration by K.

Pure functions on text and parsed YAML; nothing here reads files or knows of instances. `promql`
and `logql` scale a query, `rules` a file of rules, `config` and `loki` the servers' own settings.
`tokens`, `tree`, `constants` and `hidden` understand PromQL and the seconds that hide in its
numbers. How a duration is read and divided is `stack.durations`'; which files there are and where
is `stack.run`'s. May import `stack.logql` and the loose modules.

Not divided: thresholds, also those of `rate`, `increase` and `deriv`, since traffic is not sped up.
"""

from stack.speed.config import (
    ALERTMANAGER_RETENTION,
    alertmanager_flags,
    evaluation_interval,
    prometheus_flags,
    scale_alertmanager,
    scale_prometheus,
    scrape_interval,
    slowest_scrape,
)
from stack.speed.promql import SCRAPES_PER_RANGE, longest_range, scale_expression
from stack.speed.rules import RuleDurations, rule_durations, scale_rules

__all__ = [
    "ALERTMANAGER_RETENTION",
    "SCRAPES_PER_RANGE",
    "RuleDurations",
    "alertmanager_flags",
    "evaluation_interval",
    "longest_range",
    "prometheus_flags",
    "rule_durations",
    "scale_alertmanager",
    "scale_expression",
    "scale_prometheus",
    "scale_rules",
    "scrape_interval",
    "slowest_scrape",
]
