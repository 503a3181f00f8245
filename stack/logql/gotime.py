"""Go's `time.Time` in UTC, as far as templates use it: printed as it is, or by a layout.

Layouts show the reference time `Mon Jan 2 15:04:05 MST 2006`; see the documentation of Go's package
time, "Constants".
"""

import re
import time
from datetime import UTC, datetime


class Time:
    """A moment in nanoseconds since 1970."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns = ns

    @classmethod
    def now(cls) -> "Time":
        return cls(time.time_ns())

    def __str__(self) -> str:
        return of_layout("2006-01-02 15:04:05.999999999 -0700 MST", self)

    @property
    def calendar(self) -> datetime:
        return datetime.fromtimestamp(self.ns // 10**9, UTC)


_LAYOUT = re.compile(
    r"2006|January|Jan|Monday|Mon|MST|Z07:00:00|Z07:00|Z0700|Z07|-07:00:00|-07:00|-0700|-07"
    r"|[.,]0+(?!\d)|[.,]9+(?!\d)|002|__2|_2|15|0?[1-6]|PM|pm"
)


def of_layout(layout: str, moment: object) -> str:
    """`2006-01-02T15:04:05Z07:00` and the like. A number is seconds; other things print now's."""
    if isinstance(moment, Time):
        shown = moment
    elif isinstance(moment, int) and not isinstance(moment, bool):
        shown = Time(moment * 10**9)
    else:
        shown = Time.now()
    calendar = shown.calendar
    return _LAYOUT.sub(lambda found: _piece(found.group(), shown.ns, calendar), layout)


def _piece(piece: str, ns: int, at: datetime) -> str:
    if piece[0] in ".,":
        digits = f"{ns % 10**9:09d}"[: len(piece) - 1]
        if piece[1] == "9":
            digits = digits.rstrip("0")
            return piece[0] + digits if digits else ""
        return piece[0] + digits
    if piece[0] == "Z":
        return "Z"
    if piece[0] == "-":
        return "+" + piece[1:].replace("7", "0")
    hour = at.hour % 12 or 12
    return {
        "2006": f"{at.year:04d}",
        "06": f"{at.year % 100:02d}",
        "January": f"{at:%B}",
        "Jan": f"{at:%b}",
        "Monday": f"{at:%A}",
        "Mon": f"{at:%a}",
        "MST": "UTC",
        "01": f"{at.month:02d}",
        "1": f"{at.month}",
        "02": f"{at.day:02d}",
        "2": f"{at.day}",
        "_2": f"{at.day:2d}",
        "002": f"{at.timetuple().tm_yday:03d}",
        "__2": f"{at.timetuple().tm_yday:3d}",
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
