"""What is said of a point: by evidence, never by configuration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from stack.run.instance import Instance


class Verdict(StrEnum):
    HOLDS = "holds"
    FAILS = "does not hold"
    UNSEEN = "cannot be seen from here"


Said = tuple[Verdict, str]
"""With the evidence, and the cure where there is one."""

Ask = Callable[[Instance], Iterator[Said]]


@dataclass(frozen=True, kw_only=True)
class Finding:
    point: str
    verdict: Verdict
    evidence: str


def of(holds: bool, evidence: str) -> Said:
    return (Verdict.HOLDS if holds else Verdict.FAILS), evidence
