"""Durations in Prometheus' grammar, and what a speed does to them. The only parser of them here.

The grammar and its canonical form are those of `model.ParseDuration` and `Duration.String` in
github.com/prometheus/common. Everything is counted in whole milliseconds, Prometheus' own grain,
and divided as fractions, so that speeds compose without rounding drift. Go's durations (`1.5s`),
which LogQL compares with, are another grammar: `stack.logql.golang`.
"""

import math
import re
from fractions import Fraction

from stack.errors import BadInput

INTERVAL_FLOOR_S = 0.2
"""No scrape, evaluation or group interval is shorter: two busy cores keep up with five a second."""

_GRAMMAR = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_UNITS_MS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_ONLY_WHOLE = {"y", "w"}  # written only when nothing remains: 8d is `8d`, 14d is `2w`
_LONGEST_MS = (2**63 - 1) // 1_000_000  # Go counts durations in int64 nanoseconds
_MOST_DIGITS = 1000


def milliseconds(text: str) -> int:
    """Whole milliseconds of a duration such as `1h30m`; raises BadInput for any other text."""
    found = _GRAMMAR.fullmatch(text)
    if text != "0" and (not text or not found):
        raise BadInput(
            f"`{text}` is not a duration.",
            cure="Write it as Prometheus does: whole numbers with y, w, d, h, m, s, ms, "
            "largest first, such as `1h30m`.",
        )
    parts = [part or "0" for part in found.groups()] if found else []
    # Python refuses to convert thousands of digits.
    total = (
        sum(int(part) * unit for part, unit in zip(parts, _UNITS_MS.values(), strict=False))
        if max(map(len, parts), default=0) <= _MOST_DIGITS
        else _LONGEST_MS + 1
    )
    if total > _LONGEST_MS:
        shown = text if len(text) <= 100 else f"{text[:100]}…"
        raise BadInput(f"`{shown}` is longer than Prometheus can count (about 292y).")
    return total


def seconds(text: str) -> float:
    """Seconds of a duration in Prometheus' grammar: `1h30m` is 5400.0. Raises BadInput."""
    return milliseconds(text) / 1000


def duration(length_s: float) -> str:
    """The canonical text of `length_s` seconds, rounded to a millisecond: 5400.0 is `1h30m`.

    Raises BadInput for what no duration can hold: a negative, infinite or too large number.
    """
    if not (0 <= length_s <= _LONGEST_MS / 1000):
        raise BadInput(f"`{length_s}` seconds cannot be written as a duration.")
    return text_of(round(Fraction(length_s) * 1000))


def text_of(length_ms: int) -> str:
    """The canonical text of whole milliseconds."""
    if length_ms == 0:
        return "0s"
    text = ""
    for unit, unit_ms in _UNITS_MS.items():
        if unit in _ONLY_WHOLE and length_ms % unit_ms:
            continue
        count, length_ms = divmod(length_ms, unit_ms)
        text += f"{count}{unit}" if count else ""
    return text


def checked(speed: float) -> Fraction:
    """The speed as an exact fraction. Raises BadInput unless it is finite and at least 1."""
    number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not number or not math.isfinite(speed) or speed < 1:
        raise BadInput(
            f"speed is `{speed}`, expected a finite number of at least 1.",
            cure="At speed 1 durations are as written; at speed 60 an hour takes a minute.",
        )
    return Fraction(speed)


def divided(length_ms: int, speed: Fraction, *, floor_ms: int = 0) -> int:
    """`length_ms` at `speed`, in whole milliseconds.

    Never below the floor, but a floor never makes it longer than written; never 0 unless it was 0.
    """
    if length_ms == 0:
        return 0
    return max(round(length_ms / speed), min(floor_ms, length_ms), 1)


def scale_duration(text: str, speed: float, *, floor_s: float = 0.0) -> str:
    """A duration at `speed`: `5m` at 60 is `5s`. Speed 1 keeps the text. Raises BadInput."""
    exact = checked(speed)
    length_ms = milliseconds(text)
    return (
        text if exact == 1 else text_of(divided(length_ms, exact, floor_ms=round(floor_s * 1000)))
    )
