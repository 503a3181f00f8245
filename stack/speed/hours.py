"""Alertmanager's time intervals: which moments lie in one, and what they are on an instance whose
hours are not the wall clock's.

At another speed than 1 an instance lives at one moment, `MOMENT` unless a proof chooses another:
each interval is rendered as always or as never. Upstream: timeinterval/timeinterval.go.
"""

import re
from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stack.errors import BadInput

MOMENT = datetime(2025, 1, 15, 12, 0, tzinfo=UTC)
"""A Wednesday at noon."""

SECTIONS = ("time_intervals", "mute_time_intervals")
"""Where intervals are defined; the second is Alertmanager's old name of the first."""

_ALWAYS: Sequence[Mapping[str, Any]] = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
_NEVER: Sequence[Mapping[str, Any]] = [{"years": ["1970"]}]

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
_AHEAD_DAYS = 4 * 366
"""So that there is a 29 February."""

Ranges = tuple[tuple[int, int], ...] | None
"""First and last, both included; None for any."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """One entry of a named interval: a moment lies in it if it fits each part."""

    minutes: Ranges
    """Of the day; the last one is not included."""
    weekdays: Ranges
    """From 0, a Sunday."""
    days: Ranges
    """Of the month; -1 is its last."""
    months: Ranges
    years: Ranges
    zone: ZoneInfo | None
    """None for UTC."""

    def covers(self, moment: datetime) -> bool:
        """`moment` has a time zone."""
        local = moment.astimezone(self.zone or UTC)
        minute = local.hour * 60 + local.minute
        return (
            (self.minutes is None or any(a <= minute < b for a, b in self.minutes))
            and _within(self.weekdays, local.isoweekday() % 7)
            and _within(self._days_of(local), local.day)
            and _within(self.months, local.month)
            and _within(self.years, local.year)
        )

    def _days_of(self, local: datetime) -> Ranges:
        if self.days is None:
            return None
        last = monthrange(local.year, local.month)[1]
        counted = (tuple(one if one > 0 else last + one + 1 for one in pair) for pair in self.days)
        return tuple((first, min(until, last)) for first, until in counted if first <= last)

    def turns(self, day: datetime) -> Iterator[datetime]:
        """The moments of a day, UTC's midnight, at which it may begin or end."""
        for minute in sorted({0, *(one for pair in self.minutes or () for one in pair)}):
            local = datetime.combine(day, time(), self.zone or UTC) + timedelta(minutes=minute)
            yield local.astimezone(UTC)


Named = Mapping[str, tuple[Interval, ...]]
"""Name of an interval → its entries, of which one must cover a moment."""


def read(document: Mapping[str, Any]) -> Named:
    """The intervals that a parsed alertmanager.yml defines. Raises BadInput, with the place."""
    found: dict[str, tuple[Interval, ...]] = {}
    for section in SECTIONS:
        for count, one in enumerate(_list(document, section, "alertmanager")):
            where = f"alertmanager: {section}[{count}]"
            name = str(one.get("name") or "") if isinstance(one, dict) else ""
            if not name:
                raise BadInput(f"{where}: it has no name.", cure="Give it a `name`.")
            if name in found:
                raise BadInput(f"{where}: `name`: there are two `{name}`.", cure="Rename one.")
            found[name] = tuple(
                _interval(entry, f"{where}.time_intervals[{number}]")
                for number, entry in enumerate(_list(one, "time_intervals", where))
            )
    return found


def around(intervals: Named, moment: datetime) -> frozenset[str]:
    """The names of those in which a moment lies."""
    return frozenset(
        name for name, own in intervals.items() if any(one.covers(moment) for one in own)
    )


def lived_in(document: Mapping[str, Any], speed: float) -> frozenset[str]:
    """The intervals in which an instance with this parsed alertmanager.yml lives. Raises
    BadInput."""
    return around(read(document), datetime.now(UTC) if speed == 1 else MOMENT)


def pin(document: Mapping[str, Any], on: Collection[str]) -> dict[str, Any]:
    """A parsed alertmanager.yml whose intervals called `on` are always, all others never."""
    pinned = {
        section: [
            {**one, "time_intervals": list(_ALWAYS if str(one["name"]) in on else _NEVER)}
            for one in document[section]
        ]
        for section in SECTIONS
        if document.get(section)
    }
    return {**document, **pinned}


def states(intervals: Named, since: datetime) -> list[tuple[datetime, frozenset[str]]]:
    """As few moments as show each interval inside and outside, if it has both, with the names of
    those in which each lies. Within four years of `since`."""
    every = [one for own in intervals.values() for one in own]
    missing = {(name, inside) for name in intervals for inside in (True, False)}
    found: list[tuple[datetime, frozenset[str]]] = []
    for moment in _moments(every, since):
        on = around(intervals, moment)
        if new := missing & {(name, name in on) for name in intervals}:
            found.append((moment, on))
            missing -= new
        if not missing:
            break
    return found


def _moments(intervals: Sequence[Interval], since: datetime) -> Iterator[datetime]:
    yield since
    for count in range(_AHEAD_DAYS):
        day = since.replace(hour=0, minute=0) + timedelta(days=count)
        yield from sorted({turn for one in intervals for turn in one.turns(day) if turn > since})


def _within(ranges: Ranges, value: int) -> bool:
    return ranges is None or any(first <= value <= last for first, last in ranges)


def _interval(entry: object, where: str) -> Interval:
    if not isinstance(entry, dict):
        raise BadInput(f"{where}: it is not a mapping.", cure="Write `times`, `weekdays`, ….")
    return Interval(
        minutes=_minutes(entry, where),
        weekdays=_ranges(entry, "weekdays", where, _WEEKDAYS, 0),
        days=_ranges(entry, "days_of_month", where),
        months=_ranges(entry, "months", where, _MONTHS, 1),
        years=_ranges(entry, "years", where),
        zone=_zone(entry, where),
    )


def _minutes(entry: Mapping[str, Any], where: str) -> Ranges:
    if entry.get("times") is None:
        return None
    found = []
    for one in _list(entry, "times", where):
        ends = [str(one.get(key)) for key in ("start_time", "end_time")] if isinstance(
            one, dict) else []  # fmt: skip
        if len(ends) < 2 or not all(map(_TIME.fullmatch, ends)):
            raise BadInput(
                f"{where}: `times`: {one!r} is no range of times.",
                cure="Write `{start_time: '08:00', end_time: '17:30'}`.",
            )
        first, last = (int(text[:2]) * 60 + int(text[3:]) for text in ends)
        if first >= last:
            raise BadInput(
                f"{where}: `times`: {ends[0]} is not before {ends[1]}.",
                cure=f"A range that passes midnight is two: {ends[0]} to 24:00, and 00:00 to"
                f" {ends[1]}.",
            )
        found.append((first, last))
    return tuple(found)


def _ranges(
    entry: Mapping[str, Any], key: str, where: str, names: Sequence[str] = (), first: int = 0
) -> Ranges:
    if entry.get(key) is None:
        return None
    found = []
    for written in _list(entry, key, where):
        ends = [_number(one, names, first) for one in str(written).lower().split(":")]
        if len(ends) > 2 or None in ends:
            raise BadInput(
                f"{where}: `{key}`: `{written}` is no range.",
                cure=f"Write `{names[0]}:{names[1]}`, or one of them." if names
                else "Write numbers, `1:5`, or one.",
            )  # fmt: skip
        begin, end = int(ends[0] or 0), int(ends[-1] or 0)
        if begin > end and (begin < 0) == (end < 0):
            raise BadInput(
                f"{where}: `{key}`: `{written}` ends before it begins.",
                cure="A range that passes the end is two ranges.",
            )
        found.append((begin, end))
    return tuple(found)


def _number(text: str, names: Sequence[str], first: int) -> int | None:
    if text in names:
        return names.index(text) + first
    # Alertmanager takes numbers for months, and none for weekdays.
    return int(text) if re.fullmatch(r"[+-]?\d+", text) and names is not _WEEKDAYS else None


def _zone(entry: Mapping[str, Any], where: str) -> ZoneInfo | None:
    name = entry.get("location")
    if name is None:
        return None
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, LookupError):
        raise BadInput(
            f"{where}: `location`: `{name}` is no time zone.", cure="Write one as `Europe/Berlin`."
        ) from None


def _list(holder: Mapping[str, Any], key: str, where: str) -> list[Any]:
    found = holder.get(key) or []
    if not isinstance(found, list):
        raise BadInput(f"{where}: `{key}` is not a list.", cure="Begin its entries with `-`.")
    return found
