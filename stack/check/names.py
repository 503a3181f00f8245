"""Where the things that belong to an alert live, from its name."""

import re
from pathlib import Path

from stack.run import runbooks

_WORD = re.compile(r"[A-Z]+\d+|[A-Z]+(?=[A-Z][a-z]|\d|$)|[A-Z][a-z]+|\d+|[a-z]+")


def snake_case(alert: str) -> str:
    """`HighLatencyP95` as `high_latency_p95`; abbreviations and PostgreSQL are one word."""
    words = _WORD.findall(alert.replace("PostgreSQL", "Postgresql"))
    return "_".join(word.lower() for word in words)


def scenario_path(alert: str, rule_file: Path) -> Path:
    """The alert's scenario, relative to `scenarios/`: its folder is named as the rule file."""
    return Path(rule_file.stem) / f"{snake_case(alert)}.py"


def runbook_url(alert: str) -> str:
    """What an alert's `runbook_url` must be; `runbook_path` is the file that it leads to."""
    return f"{runbooks.PUBLISHED}/{alert}.md"


def runbook_path(alert: str, config_root: Path) -> Path:
    return config_root / "runbooks" / f"{alert}.md"
