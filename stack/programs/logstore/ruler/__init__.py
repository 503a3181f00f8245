"""Alerts from logs: rule files in Loki's format are evaluated and Alertmanager is told.

    rules (files) -> alerts (states) -> notify (Alertmanager), and web (who is pending or firing)

An alert lives as in Prometheus, whose code Loki's ruler runs (rules/alerting.go, notifier).
"""

from stack.programs.logstore.ruler.run import Ruler

__all__ = ["Ruler"]
