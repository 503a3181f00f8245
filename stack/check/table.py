"""The tables of `stack.config.audience` are filled in as they say, before anything is held against
them."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from stack.check.problem import Problem
from stack.config import audience
from stack.names import meant

_FILE = Path(audience.__file__)


def check() -> Iterator[Problem]:
    """What is no tuple of texts, and names of channels and teams that there are not."""
    tables: Mapping[str, Mapping[Any, Any]] = {
        "CHANNELS": audience.CHANNELS, "WHERE": audience.WHERE, "ALSO": audience.ALSO,
    }  # fmt: skip
    for table, entries in tables.items():
        for key, value in entries.items():
            if not isinstance(value, tuple) or not all(isinstance(one, str) for one in value):
                yield _problem(
                    table, key, f"is {value!r}, which is no tuple of texts",
                    f"A tuple of one ends with a comma: `({value!r},)`.",
                )  # fmt: skip
    for severity, channels in audience.CHANNELS.items():
        yield from _unknown("CHANNELS", severity, channels, audience.WHERE, "channel")
    for key in audience.ALSO:
        if not isinstance(key, tuple) or len(key) != 2:
            what = "is no pair of channel and team"
            yield _problem("ALSO", key, what, "Write `(channel, team)`.")
            continue
        yield from _unknown("ALSO", key, key[:1], audience.WHERE, "channel")
        yield from _unknown("ALSO", key, key[1:], audience.TEAMS, "team")
    yield from _hours()


def _hours() -> Iterator[Problem]:
    told = {(name, one) for name, channels in audience.CHANNELS.items() for one in channels}
    for key, hours in audience.HOURS.items():
        if key not in told:
            what = "is no severity with a channel by which it is told"
            yield _problem("HOURS", key, what, "Write `(severity, channel)` as CHANNELS has them.")
        named = (hours.mute, hours.active) if isinstance(hours, audience.Hours) else (None,)
        if not all(isinstance(names, (set, frozenset)) for names in named):
            what = f"is {hours!r}, which names no intervals"
            yield _problem("HOURS", key, what, 'Write `Hours(mute=frozenset({"nights"}))`.')


def _unknown(
    table: str, key: object, names: object, known: Collection[str], what: str
) -> Iterator[Problem]:
    for name in names if isinstance(names, tuple) else ():
        if name not in known:
            cure = meant(str(name), known) or f"There is {', '.join(f'`{one}`' for one in known)}."
            yield _problem(table, key, f"names {what} `{name}`, which there is not", cure)


def _problem(table: str, key: object, what: str, cure: str) -> Problem:
    return Problem(
        check="audience/entries",
        path=_FILE,
        line=_line(table, key),
        what=f"`{table}[{key!r}]` {what}.",
        cure=cure,
    )


def _line(table: str, key: object) -> int | None:
    """Where the table begins, or the entry in it, if its key stands there as Python writes it."""
    lines = _FILE.read_text().splitlines()
    begins = next((at for at, text in enumerate(lines, 1) if text.startswith(f"{table}:")), None)
    if begins is None:
        return None
    words = [str(part) for part in key] if isinstance(key, tuple) else [str(key)]
    for at in range(begins, len(lines) + 1):
        if all(f'"{word}"' in lines[at - 1] for word in words):
            return at
        if lines[at - 1].startswith("}"):
            break
    return begins
