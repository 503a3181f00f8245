"""Gives the rules of a fast day the patience that they have in life, counted in evaluations.

Intervals stop shrinking at 200 ms, `for` does not: at speed 960 a rule that waits a minute, four
evaluations in life, would fire at the first bad scrape. So a `for` keeps as many evaluations as it
was written for, up to four; windows are kept at four scrapes by `stack.speed` in the same way.
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from stack import speed as speeds

EVALUATIONS = 4


def patient(config_root: Path, folder: Path, speed: float) -> Path:
    """A copy of the configuration in `folder`, with what `for` needs at `speed`. Returns it."""
    copy = folder / "stack"
    shutil.copytree(config_root, copy, ignore=shutil.ignore_patterns("__pycache__"))
    written = yaml.safe_load((copy / "prometheus" / "prometheus.yml").read_text())
    written_s = _evaluation_s(written)
    lived_s = _evaluation_s(speeds.scale_prometheus(written, speed)) * speed
    for path in sorted((copy / "prometheus" / "rules").glob("*.yml")):
        document = yaml.safe_load(path.read_text())
        for group in document.get("groups") or ():
            for rule in group.get("rules") or ():
                if "for" in rule:
                    for_s = waits(speeds.seconds(str(rule["for"])), written_s, lived_s)
                    rule["for"] = speeds.duration(for_s)
        path.write_text(yaml.safe_dump(document, sort_keys=False))
    return copy


def waits(for_s: float, written_s: float, lived_s: float) -> float:
    """How long a rule must wait, in simulated seconds, when it is evaluated every `lived_s`
    instead of every `written_s`."""
    return max(for_s, min(EVALUATIONS, for_s / written_s) * lived_s)


def _evaluation_s(prometheus: dict[str, Any]) -> float:
    return speeds.seconds(str(prometheus["global"]["evaluation_interval"]))
