"""Alerts from logs: rule files in Loki's format are evaluated, and Alertmanager is notified.

    rules (files) -> alerts (states) -> notify (Alertmanager), and web (what is pending or firing)

An alert lives as in Prometheus, whose code Loki's ruler runs (rules/alerting.go, notifier). How
rule files are read and what state an alert is in are `stack.logql`'s.
"""

from stack.programs.logstore.ruler.run import Ruler

__all__ = ["Ruler"]
