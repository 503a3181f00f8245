"""Timestamps in lines: Go's layouts, as given to a `timestamp` stage.

Go describes a layout by the moment 2006-01-02 15:04:05 written in it (pkg.go.dev/time, Layout).
"""

import calendar
import re
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_NAMED = {
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
# Go's spelling -> our pattern. A fraction of the second is accepted after `05` whether the layout
# has one or not, as in Go.
_PARTS = {
    "2006": r"(?P<year>\d{4})",
    "01": r"(?P<month>\d\d)",
    "02": r"(?P<day>\d\d)",
    "15": r"(?P<hour>\d\d)",
    "04": r"(?P<minute>\d\d)",
    "05": r"(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9})\d*)?",
    "MST": r"(?P<zone>UTC|GMT)",
    "Z07:00": r"(?P<zone>Z|[+-]\d\d:\d\d)",
}
_TOKEN = re.compile(
    r"2006|01|02|15|04|05(?:[.,](?:0+|9+))?|MST|Z07:00|T(?=15)|[A-Za-z0-9]+|[^A-Za-z0-9]"
)
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
        return whole * 1_000_000_000 + int((found["fraction"] or "").ljust(9, "0"))

    return parse


def _pattern(layout: str) -> re.Pattern[str]:
    tokens = _TOKEN.findall(layout)
    parts = []
    for token in tokens:
        known = _PARTS.get("05" if token.startswith("05") else token)
        if known is None and (token.isalnum() and token != "T"):
            raise ValueError(f"`{token}` in the layout `{layout}` is not supported")
        parts.append(known or re.escape(token))
    missing = [part for part in _NEEDED if not any(t.startswith(part) for t in tokens)]
    if missing:
        raise ValueError(f"the layout `{layout}` has no {', '.join(f'`{m}`' for m in missing)}")
    return re.compile("".join(parts), re.ASCII)


def _zone(location: str | None) -> tzinfo | str:
    if location in (None, "", "UTC", "Local"):
        return location or "UTC"
    try:
        return ZoneInfo(str(location))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone `{location}`") from None


@lru_cache(maxsize=1024)  # most lines share their second with others
def _seconds(fields: tuple[str, ...], zone: str, location: tzinfo | str) -> int:
    """Unix seconds. Raises ValueError for a time that does not exist."""
    year, month, day, hour, minute, second = map(int, fields)
    at = datetime(year, month, day, hour, minute, second)
    if zone[:1] in ("+", "-"):
        ahead_s = 60 * (int(zone[1:3]) * 60 + int(zone[4:]))
        return calendar.timegm(at.timetuple()) - (ahead_s if zone[0] == "+" else -ahead_s)
    if zone or location == "UTC":
        return calendar.timegm(at.timetuple())
    if isinstance(location, tzinfo):
        return int(at.replace(tzinfo=location).timestamp())
    return int(time.mktime(at.timetuple()))
