"""Parameters of a request, with Loki's defaults and error messages (pkg/loghttp)."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from stack import durations
from stack.errors import BadInput
from stack.logql.golang import quoted
from stack.programs.logstore.settings import Limits

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
DEFAULT_LIMIT = 100
END_BEFORE_START = "end timestamp must not be before or equal to start time"
_POINTS = 250
_MOST_POINTS = 11_000
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.I | re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_MOST_DIGITS = 40
"""Digits in a row: more than any number in range has, fewer than Python refuses to convert."""
_LARGEST_NS = 2**63 - 1

Form = Mapping[str, Sequence[str]]
"""Name -> its values; the first counts where only one makes sense."""


class BadParameter(ValueError):
    """The message is what the client reads."""


@dataclass(frozen=True, kw_only=True)
class RangeQuery:
    """`query_range`."""

    query: str
    start_ns: int
    end_ns: int
    step_ns: int
    interval_ns: int
    limit: int
    direction: Literal["forward", "backward"]


@dataclass(frozen=True, kw_only=True)
class VolumeQuery:
    """`index/volume`."""

    query: str
    start_ns: int
    end_ns: int
    limit: int
    targets: tuple[str, ...]
    """Labels to keep; those of the matchers if none is named."""
    by_labels: bool
    """Volumes by label, not by series."""


@dataclass(frozen=True, kw_only=True)
class FieldsQuery:
    """`detected_fields`."""

    query: str
    start_ns: int
    end_ns: int
    lines: int
    """That are looked at, newest first."""
    limit: int
    """Fields, or values of one."""


@dataclass(frozen=True, kw_only=True)
class InstantQuery:
    """`query`."""

    query: str
    time_ns: int
    limit: int
    direction: Literal["forward", "backward"]


def one(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def range_query(form: Form, now_ns: int, limits: Limits) -> RangeQuery:
    start_ns, end_ns = bounds(form, now_ns)
    if end_ns < start_ns:
        raise BadParameter(END_BEFORE_START)
    step_ns = step(form, start_ns, end_ns)
    if (end_ns - start_ns) // step_ns > _MOST_POINTS:
        raise BadParameter(
            "exceeded maximum resolution of 11,000 points per time series. Try increasing the "
            "value of the step parameter"
        )
    length_s = (end_ns - start_ns) / SECOND_NS
    if limits.query_length_s and length_s > limits.query_length_s:
        raise BadParameter(
            f"the query time range exceeds the limit (query length: {length_s:g}s, "
            f"limit: {limits.query_length_s:g}s)"
        )
    interval = one(form, "interval")
    interval_ns = seconds_or_duration_ns(interval) if interval else 0
    if interval_ns < 0:
        raise BadParameter("interval must be >= 0")
    return RangeQuery(
        query=one(form, "query"), start_ns=start_ns, end_ns=end_ns, step_ns=step_ns,
        interval_ns=interval_ns, limit=limit(form), direction=direction(form),
    )  # fmt: skip


def instant_query(form: Form, now_ns: int) -> InstantQuery:
    return InstantQuery(
        query=one(form, "query"), time_ns=timestamp_ns(one(form, "time"), now_ns),
        limit=limit(form), direction=direction(form),
    )  # fmt: skip


def volume_query(form: Form, now_ns: int) -> VolumeQuery:
    start_ns, end_ns = bounds(form, now_ns)
    by = one(form, "aggregateBy") or "series"
    if by not in ("series", "labels"):
        raise BadParameter("invalid aggregation option")
    targets = tuple(name for name in one(form, "targetLabels").split(",") if name)
    return VolumeQuery(
        query=one(form, "query") or "{}", start_ns=start_ns, end_ns=end_ns, limit=limit(form),
        targets=targets, by_labels=by == "labels",
    )  # fmt: skip


def fields_query(form: Form, now_ns: int, limits: Limits) -> FieldsQuery:
    asked = range_query(form, now_ns, limits)
    lines = count(form, "line_limit", DEFAULT_LIMIT)
    check_entries(lines, limits)
    name = "limit" if one(form, "limit") else "field_limit"
    return FieldsQuery(
        query=asked.query, start_ns=asked.start_ns, end_ns=asked.end_ns, lines=lines,
        limit=count(form, name, 1000),
    )  # fmt: skip


def bounds(form: Form, now_ns: int) -> tuple[int, int]:
    """(start, end): by default the last hour, or `since`, up to now."""
    since = one(form, "since")
    since_ns = _duration(since, "since") if since else HOUR_NS
    end_ns = _named(form, "end", now_ns)
    return _named(form, "start", min(end_ns, now_ns) - since_ns), end_ns


def _named(form: Form, name: str, default_ns: int) -> int:
    try:
        return timestamp_ns(one(form, name), default_ns)
    except BadParameter as error:
        raise BadParameter(f"could not parse '{name}' parameter: {error}") from None


def step(form: Form, start_ns: int, end_ns: int) -> int:
    text = one(form, "step")
    if not text:
        return max((end_ns - start_ns) // SECOND_NS // _POINTS, 1) * SECOND_NS
    step_ns = seconds_or_duration_ns(text)
    if step_ns <= 0:
        raise BadParameter(
            "zero or negative query resolution step widths are not accepted. Try a positive integer"
        )
    return step_ns


def limit(form: Form) -> int:
    return count(form, "limit", DEFAULT_LIMIT)


def count(form: Form, name: str, default: int) -> int:
    """A whole number of at least 1."""
    text = one(form, name)
    number = _integer(text, "strconv.Atoi") if text else default
    if number <= 0:
        raise BadParameter(f"{name} must be a positive value")
    return number


def _integer(text: str, reader: str = "strconv.ParseInt") -> int:
    """Of 64 bits, as Go reads it."""
    if not _INTEGER.fullmatch(text):
        raise BadParameter(f"{reader}: parsing {_shown(text)}: invalid syntax")
    number = int(text) if len(text) <= _MOST_DIGITS else _LARGEST_NS + 1
    if not -_LARGEST_NS <= number <= _LARGEST_NS:
        raise BadParameter(f"{reader}: parsing {_shown(text)}: value out of range")
    return number


def _shown(text: str) -> str:
    return quoted(text if len(text) <= 100 else text[:100] + "…")


def check_entries(asked: int, limits: Limits) -> None:
    """For log queries only. Raises BadParameter."""
    if limits.entries and asked > limits.entries:
        raise BadParameter(
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query "
            f"({asked} > {limits.entries})"
        )


def direction(form: Form) -> Literal["forward", "backward"]:
    match one(form, "direction").lower():
        case "" | "backward":
            return "backward"
        case "forward":
            return "forward"
        case other:
            raise BadParameter(f"invalid direction '{other}'")


def timestamp_ns(text: str, default_ns: int) -> int:
    """Nanoseconds, seconds (up to ten digits, or with a point), or RFC 3339."""
    return _in_range(_timestamp_ns(text), text) if text else default_ns


def _timestamp_ns(text: str) -> int:
    if "." in text and _NUMBER.fullmatch(text):
        # As Loki does: a fraction is rounded to milliseconds.
        fraction, whole = math.modf(_float(text))
        return int(whole) * SECOND_NS + round(fraction * 1000) * 1_000_000
    found = _RFC3339.fullmatch(text)
    if not found:
        number = _integer(text)
        return number * SECOND_NS if len(text) <= 10 else number
    zone = "+00:00" if found[3] in "Zz" else found[3]
    try:
        whole_s = int(datetime.fromisoformat(found[1] + zone).timestamp())
    except (ValueError, OverflowError):
        raise BadParameter(f"parsing time {_shown(text)}: out of range") from None
    return whole_s * SECOND_NS + int((found[2] or "0").ljust(9, "0"))


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadParameter(f"strconv.ParseFloat: parsing {_shown(text)}: value out of range")
    return number


def _in_range(length_ns: int, text: str) -> int:
    """As many nanoseconds as 64 bits hold."""
    if not -_LARGEST_NS <= length_ns <= _LARGEST_NS:
        raise BadParameter(f"{_shown(text)} is out of range: it does not fit int64 nanoseconds")
    return length_ns


def seconds_or_duration_ns(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        return _duration(text, "")
    number = _float(text)
    # As a float where it can be, like Loki; what is out of range only need not overflow on the way.
    length_ns = int(number * SECOND_NS) if abs(number) < _LARGEST_NS else int(number) * SECOND_NS
    return _in_range(length_ns, text)


def _duration(text: str, name: str) -> int:
    """Durations as Loki reads them here: in Prometheus' grammar."""
    try:
        return durations.milliseconds(text) * 1_000_000
    except BadInput:
        if name:
            raise BadParameter(
                f"could not parse '{name}' parameter: not a valid duration string: {_shown(text)}"
            ) from None
        raise BadParameter(f"cannot parse {_shown(text)} to a valid duration") from None
