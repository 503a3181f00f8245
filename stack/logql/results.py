"""Answers to a query, in the shapes of Loki's `streams`, `vector`, `matrix` and `scalar`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StreamResult:
    """Entries that ended with the same labels: those of the stream, its structured metadata and
    what the stages extracted."""

    labels: Mapping[str, str]
    entries: tuple[tuple[int, str], ...]
    """(timestamp in nanoseconds, line) in the direction asked for."""


@dataclass(frozen=True, kw_only=True)
class Streams:
    streams: tuple[StreamResult, ...]
    """Sorted by labels."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, kw_only=True)
class Vector:
    """Sorted by labels, except where the query sorts (`sort`, `topk` …)."""

    time_ns: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, kw_only=True)
class Series:
    labels: Mapping[str, str]
    points: tuple[tuple[int, float], ...]
    """(time in nanoseconds, value), oldest first; steps without a value are left out."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    series: tuple[Series, ...]
    """Sorted by labels."""


@dataclass(frozen=True, kw_only=True)
class Scalar:
    time_ns: int
    value: float


Result = Streams | Vector | Matrix | Scalar
