"""What an instance answers to a panel's query: data frames, as small as judging needs."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Labels = tuple[tuple[str, str], ...]

STEADY = 0.7
"""The share of all moments at which a series has a value that is missed when it has none. A young
instance did not have all of them from the start."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line of a chart, or one row of a table."""

    labels: Labels
    points: tuple[tuple[float, float], ...]
    """Unix seconds and value, in order; without those that are no number (0 / 0)."""

    @property
    def values(self) -> list[float]:
        return [value for _, value in self.points]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The answer to one query."""

    series: tuple[Series, ...] = ()
    error: str = ""
    """What the service said instead."""

    @property
    def is_empty(self) -> bool:
        return not any(one.points for one in self.series)

    @property
    def values(self) -> list[float]:
        """All of them."""
        return [value for one in self.series for value in one.values]

    def of(self, labels: Labels) -> Series:
        """One series; without points if it is not there."""
        nothing = Series(labels=labels, points=())
        return next((one for one in self.series if one.labels == labels), nothing)

    @property
    def names(self) -> frozenset[Labels]:
        """The series that have a value."""
        return frozenset(one.labels for one in self.series if one.points)

    @property
    def steady(self) -> frozenset[Labels]:
        """The series that are there most of the time: what is rare comes and goes."""
        most = max((len(one.points) for one in self.series), default=0)
        return frozenset(
            one.labels for one in self.series if one.points and len(one.points) >= STEADY * most
        )


def frame(answer: Mapping[str, Any]) -> Frame:
    """From an answer of Prometheus' or Loki's query API. A log line counts as one, whoever wrote
    it: a panel of lines has no series."""
    if answer.get("status") != "success":
        return Frame(error=str(answer.get("error") or answer.get("message") or answer)[:300])
    data = answer["data"]
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        return Frame(series=(Series(labels=(), points=_points([result])),))
    if kind == "streams":
        times = sorted(int(at) / 1e9 for one in result for at, *_ in one["values"])
        return Frame(series=(Series(labels=(), points=tuple((at, 1.0) for at in times)),))
    return Frame(series=tuple(
        Series(labels=_labels(one["metric"]), points=_points(one.get("values") or [one["value"]]))
        for one in result
    ))  # fmt: skip


def joined(first: Frame, then: Frame) -> Frame:
    """Two answers to one query as one; the error of whichever has one."""
    found = {one.labels: one for one in first.series}
    for one in then.series:
        before = found[one.labels].points if one.labels in found else ()
        found[one.labels] = Series(labels=one.labels, points=before + one.points)
    return Frame(series=tuple(found.values()), error=first.error or then.error)


def _labels(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _points(pairs: Iterable[tuple[float, str]]) -> tuple[tuple[float, float], ...]:
    found = ((float(at), float(text)) for at, text in pairs)
    return tuple((at, value) for at, value in found if not math.isnan(value))
