"""Timestamps in lines: Go's layouts, as given to a `timestamp` stage.

Go describes a layout by the moment 2006-01-02 15:04:05 written in it (pkg.go.dev/time, Layout).
"""

import calendar
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_NAMED = {
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
# Go's spelling -> our pattern. A fraction of the second is accepted after `05` whether the layout
# has one or not, as in Go; one of zeros must be there, with as many digits.
_PARTS = {
    "2006": r"(?P<year>\d{4})",
    "01": r"(?P<month>\d\d)",
    "02": r"(?P<day>\d\d)",
    "15": r"(?P<hour>\d\d)",
    "04": r"(?P<minute>\d\d)",
    "MST": r"(?P<zone>GMT[+-]\d{1,2}|[+-]\d\d|ChST|MeST|WITA|[A-Z]{3,4}T|[A-Z]{3})",
    "Z07:00": r"(?P<zone>Z|[+-]\d\d:\d\d)",
}
_TOKEN = re.compile(
    r"2006|01|02|15|04|05(?:[.,](?:0+|9+))?|MST|Z07:00|T(?=15)|[A-Za-z0-9]+|[^A-Za-z0-9]"
)
LATEST_NS = 2**63 - 1
"""In the year 2262. What says that it is from before 1970 or after this is refused by stores, with
all that is sent beside it; Promtail sends it all the same."""

_FIELDS = ("year", "month", "day", "hour", "minute", "second")
_NEEDED = ("2006", "01", "02", "15", "04", "05")

Parser = Callable[[str], int | None]
"""Nanoseconds since 1970 of a text; None if it does not fit the layout."""


def parser(layout: str, location: str | None) -> Parser:
    """The parser for a layout, given as text or by name. `location` is that of times without a
    zone: UTC, Local, or a name such as Europe/Berlin. Raises ValueError for what is not supported.
    """
    pattern = _pattern(_NAMED.get(layout, layout))
    zone = _zone(location)

    def parse(text: str) -> int | None:
        match = pattern.fullmatch(text)
        if not match:
            return None
        found = match.groupdict()
        try:
            whole = _seconds(match.group(*_FIELDS), found.get("zone") or "", zone)
        except (ValueError, OverflowError):  # the 31st of February
            return None
        time_ns = whole * 1_000_000_000 + int((found["fraction"] or "").ljust(9, "0"))
        return time_ns if 0 <= time_ns <= LATEST_NS else None

    return parse


def _pattern(layout: str) -> re.Pattern[str]:
    tokens = _TOKEN.findall(layout)
    parts = []
    for token in tokens:
        known = _seconds_part(token) if token.startswith("05") else _PARTS.get(token)
        if known is None and (token.isalnum() and token != "T"):
            raise ValueError(f"`{token}` in the layout `{layout}` is not supported")
        parts.append(known or re.escape(token))
    missing = [part for part in _NEEDED if not any(t.startswith(part) for t in tokens)]
    if missing:
        raise ValueError(f"the layout `{layout}` has no {', '.join(f'`{m}`' for m in missing)}")
    pattern = "".join(parts)
    named = re.findall(r"\(\?P<(\w+)>", pattern)
    if len(named) > len(set(named)):
        raise ValueError(f"the layout `{layout}` has one part of a time twice")
    return re.compile(pattern, re.ASCII)


def _seconds_part(token: str) -> str:
    digits = len(token) - len("05.")
    if token.endswith("0"):
        return rf"(?P<second>\d\d)[.,](?P<fraction>\d{{{digits}}})"
    return r"(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9})\d*)?"


def _zone(location: str | None) -> tzinfo | str:
    if location in (None, "", "UTC", "Local"):
        return location or ""
    try:
        return ZoneInfo(str(location))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone `{location}`") from None


@lru_cache(maxsize=1024)  # most lines share their second with others
def _seconds(fields: tuple[str, ...], zone: str, location: tzinfo | str) -> int:
    """Unix seconds. Raises ValueError for a time that does not exist."""
    year, month, day, hour, minute, second = map(int, fields)
    at = datetime(year, month, day, hour, minute, second)
    if ":" in zone:
        ahead_s = 60 * (int(zone[1:3]) * 60 + int(zone[4:]))
        return calendar.timegm(at.timetuple()) - (ahead_s if zone[0] == "+" else -ahead_s)
    if zone or location in ("", "UTC"):
        return calendar.timegm(at.timetuple()) - _ahead_s(zone, at, location)
    if isinstance(location, tzinfo):
        return int(at.replace(tzinfo=location).timestamp())
    return int(time.mktime(at.timetuple()))


def _ahead_s(zone: str, at: datetime, location: tzinfo | str) -> int:
    """How far a named zone is ahead of UTC. As in Go, only names of the place itself are known, or
    of this machine's where none is given; others count as UTC, and so does `+02`, which Go takes
    for a name (time.Parse)."""
    if re.fullmatch(r"GMT[+-]\d+", zone):
        return 3600 * int(zone[3:])
    if isinstance(location, tzinfo):
        for day in (at, at.replace(month=1, day=1), at.replace(month=7, day=1)):
            there = day.replace(tzinfo=location)
            if there.tzname() == zone:
                return int((there.utcoffset() or timedelta()).total_seconds())
    elif location != "UTC" and zone in time.tzname:
        return -(time.altzone if time.daylight and zone == time.tzname[1] else time.timezone)
    return 0
