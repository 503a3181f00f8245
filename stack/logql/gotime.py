"""Go's `time.Time`, as far as templates use it: printed as it is or by a layout, and read by one.

Layouts show the reference time `Mon Jan 2 15:04:05 MST 2006`; see the documentation of Go's package
time, "Constants". The calendar is computed here, since Python's begins in the year 1, and Go's
layouts without a year mean the year 0.
"""

import re
import time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from stack.logql.keeping import kept

_DAY_S = 86_400
_NS = 1_000_000_000
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


class Clock(NamedTuple):
    """A moment as a calendar and a clock show it."""

    year: int
    month: int
    day: int
    yearday: int
    weekday: int
    hour: int
    minute: int
    second: int


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, in the Gregorian calendar of all times."""
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


class Time:
    """A moment in nanoseconds since 1970, and the zone in which it is shown."""

    __slots__ = ("name", "ns", "offset_s")

    def __init__(self, ns: int, offset_s: int = 0, name: str = "UTC") -> None:
        self.ns = ns
        self.offset_s = offset_s
        self.name = name

    @classmethod
    def now(cls) -> "Time":
        return cls(time.time_ns())

    def __str__(self) -> str:
        return of_layout("2006-01-02 15:04:05.999999999 -0700 MST", self, keep_zone=True)

    @property
    def clock(self) -> Clock:
        days, rest = divmod(self.ns // _NS + self.offset_s, _DAY_S)
        era, of_era = divmod(days + 719_468, 146_097)
        years = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
        of_year = of_era - (365 * years + years // 4 - years // 100)
        shifted = (5 * of_year + 2) // 153
        day = of_year - (153 * shifted + 2) // 5 + 1
        month = shifted + 3 if shifted < 10 else shifted - 9
        year = years + era * 400 + (month <= 2)
        return Clock(
            year=year, month=month, day=day, yearday=days - _days(year, 1, 1) + 1,
            weekday=(days + 4) % 7, hour=rest // 3600, minute=rest // 60 % 60, second=rest % 60,
        )  # fmt: skip


ZERO = Time(_days(1, 1, 1) * _DAY_S * _NS)
"""What Go gives for a text that is not a time."""

_LAYOUT = re.compile(
    r"2006|January|Jan|Monday|Mon|MST|Z07:00:00|Z070000|Z07:00|Z0700|Z07"
    r"|-07:00:00|-070000|-07:00|-0700|-07"
    r"|[.,]0+(?!\d)|[.,]9+(?!\d)|002|__2|_2|15|06|0?[1-5]|PM|pm"
)


def of_layout(layout: str, moment: object, *, keep_zone: bool = False) -> str:
    """`2006-01-02T15:04:05Z07:00` and the like. A number is seconds; other things print now's."""
    if isinstance(moment, Time):
        shown = moment if keep_zone else Time(moment.ns)
    elif isinstance(moment, int) and not isinstance(moment, bool):
        shown = Time(moment * _NS)
    else:
        shown = Time.now()
    clock = shown.clock
    return _LAYOUT.sub(lambda found: _piece(found.group(), shown, clock), layout)


def _piece(piece: str, moment: Time, at: Clock) -> str:
    if piece[0] in ".,":
        digits = f"{moment.ns % _NS:09d}"[: len(piece) - 1]
        if piece[1] == "9":
            digits = digits.rstrip("0")
            return piece[0] + digits if digits else ""
        return piece[0] + digits
    if piece[0] == "Z" and not moment.offset_s:
        return "Z"
    if piece[0] in "Z-":
        return _offset(piece[1:], moment.offset_s)
    hour = at.hour % 12 or 12
    return {
        "2006": f"{at.year:04d}",
        "06": f"{at.year % 100:02d}",
        "January": _MONTHS[at.month - 1],
        "Jan": _MONTHS[at.month - 1][:3],
        "Monday": _DAYS[at.weekday],
        "Mon": _DAYS[at.weekday][:3],
        "MST": moment.name,
        "01": f"{at.month:02d}",
        "1": f"{at.month}",
        "02": f"{at.day:02d}",
        "2": f"{at.day}",
        "_2": f"{at.day:2d}",
        "002": f"{at.yearday:03d}",
        "__2": f"{at.yearday:3d}",
        "15": f"{at.hour:02d}",
        "03": f"{hour:02d}",
        "3": f"{hour}",
        "04": f"{at.minute:02d}",
        "4": f"{at.minute}",
        "05": f"{at.second:02d}",
        "5": f"{at.second}",
        "PM": "AM" if at.hour < 12 else "PM",
        "pm": "am" if at.hour < 12 else "pm",
    }[piece]


def _offset(form: str, offset_s: int) -> str:
    seconds = abs(offset_s)
    parts = [f"{seconds // 3600:02d}", f"{seconds // 60 % 60:02d}", f"{seconds % 60:02d}"]
    joint = ":" if ":" in form else ""
    count = len(form.replace(":", "")) // 2
    return ("-" if offset_s < 0 else "+") + joint.join(parts[:count])


# ── reading ──

_READ = {
    "2006": r"(?P<year>\d{4})",
    "06": r"(?P<short>\d\d)",
    "January": f"(?P<month_name>{'|'.join(_MONTHS)})",
    "Jan": f"(?P<month_name>{'|'.join(name[:3] for name in _MONTHS)})",
    "Monday": f"(?:{'|'.join(_DAYS)})",
    "Mon": f"(?:{'|'.join(name[:3] for name in _DAYS)})",
    "MST": r"(?P<zone>[A-Z]{3,5}|[+-]\d\d)",
    "01": r"(?P<month>\d\d)",
    "1": r"(?P<month>\d{1,2})",
    "02": r"(?P<day>\d\d)",
    "2": r"(?P<day>\d{1,2})",
    "_2": r" ?(?P<day>\d{1,2})",
    "002": r"(?P<yearday>\d{3})",
    "__2": r" {0,2}(?P<yearday>\d{1,3})",
    "15": r"(?P<hour>\d\d)",
    "03": r"(?P<half>\d\d)",
    "3": r"(?P<half>\d{1,2})",
    "04": r"(?P<minute>\d\d)",
    "4": r"(?P<minute>\d{1,2})",
    "05": r"(?P<second>\d\d)",
    "5": r"(?P<second>\d{1,2})",
    "PM": "(?P<noon>AM|PM)",
    "pm": "(?P<noon>am|pm)",
}
_GROUP = re.compile(r"\(\?P<(\w+)>")


@kept(128)
def _reader(layout: str) -> re.Pattern[str] | None:
    """A pattern for texts of that layout; None if it says the same thing twice."""
    made = ""
    at = 0
    for found in _LAYOUT.finditer(layout):
        piece = found.group()
        made += re.escape(layout[at : found.start()])
        at = found.end()
        if piece[0] in ".,":
            digits = r"\d+" if piece[1] == "9" else rf"\d{{{len(piece) - 1}}}"
            made += f"(?:[.,](?P<fraction>{digits})){'?' if piece[1] == '9' else ''}"
        elif piece[0] in "Z-":
            joint = ":" if ":" in piece else ""
            count = len(piece[1:].replace(":", "")) // 2
            made += "(?:Z|" if piece[0] == "Z" else "(?:"
            made += rf"(?P<offset>[+-]\d\d{(joint + chr(92) + 'd' + chr(92) + 'd') * (count - 1)}))"
        else:
            made += _READ[piece]
            if piece in ("05", "5") and layout[at : at + 1] not in (".", ","):
                made += r"(?:[.,](?P<fraction>\d+))?"  # Go reads it although the layout has none
    made += re.escape(layout[at:])
    names = _GROUP.findall(made)
    return re.compile(made, re.ASCII) if len(set(names)) == len(names) else None


def from_layout(layout: str, text: str, zone: str = "UTC") -> Time:
    """The moment that a text says; `ZERO` when it is not of that layout."""
    reader = _reader(layout)
    found = reader.fullmatch(text) if reader else None
    if not found:
        return ZERO
    said = {name: value for name, value in found.groupdict().items() if value is not None}
    date = _date(said)
    hour = int(said.get("hour") or said.get("half") or 0)
    if "half" in said and hour > 12:
        return ZERO
    if said.get("noon", "").lower() == "pm" and hour < 12:
        hour += 12
    elif said.get("noon", "").lower() == "am" and hour == 12:
        hour = 0
    minute, second = int(said.get("minute", 0)), int(said.get("second", 0))
    if date is None or hour > 23 or minute > 59 or second > 59:
        return ZERO
    local_s = date * _DAY_S + hour * 3600 + minute * 60 + second
    offset_s, name = _zone(said, zone, local_s)
    fraction = int(said.get("fraction", "0")[:9].ljust(9, "0"))
    return Time((local_s - offset_s) * _NS + fraction, offset_s, name)


def _date(said: dict[str, str]) -> int | None:
    """Days since 1970; None for a day that there is not."""
    year = int(said.get("year", 0))
    if "short" in said:
        year = int(said["short"])
        year += 1900 if year >= 69 else 2000
    if "yearday" in said:
        days = _days(year, 1, 1) + int(said["yearday"]) - 1
        return days if _days(year, 1, 1) <= days < _days(year + 1, 1, 1) else None
    month = int(said.get("month", 1))
    if "month_name" in said:
        month = [name[:3] for name in _MONTHS].index(said["month_name"][:3]) + 1
    if not 1 <= month <= 12:
        return None
    day, first = int(said.get("day", 1)), _days(year, month, 1)
    last = _days(year + month // 12, month % 12 + 1, 1)
    return first + day - 1 if 1 <= day <= last - first else None


def _zone(said: dict[str, str], zone: str, local_s: int) -> tuple[int, str]:
    """Offset in seconds and name."""
    if "offset" in said:
        digits = said["offset"][1:].replace(":", "").ljust(6, "0")
        seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
        seconds = -seconds if said["offset"][0] == "-" else seconds
        return seconds, said.get("zone") or (said["offset"].replace(":", "") if seconds else "UTC")
    if said.get("zone"):
        return 0, said["zone"]  # as Go does with a name that it does not know here
    return _known_zone(zone, local_s)


def _known_zone(zone: str, local_s: int) -> tuple[int, str]:
    if zone in ("", "UTC", "Local"):
        return 0, "UTC"
    try:
        from datetime import datetime, timedelta

        there = datetime(1970, 1, 1) + timedelta(seconds=local_s)
        aware = there.replace(tzinfo=ZoneInfo(zone))
        offset = aware.utcoffset()
        return (int(offset.total_seconds()) if offset else 0), aware.tzname() or zone
    except (ValueError, OSError, OverflowError, KeyError):  # an unknown zone is UTC, as in sprig
        return 0, "UTC"
