"""`doit logql`: asks the log store of an instance, as Loki's own command-line client does."""

import json
import re
import sys
import time
import urllib.error
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.durations import milliseconds
from stack.errors import BadInput, HostCannot
from stack.logql import LogQLError, parse
from stack.logql.ast import MatchOp
from stack.logql.walk import selectors
from stack.loopback import urlopen
from stack.run.instance import Instance

OUTPUTS = ("default", "jsonl", "raw")

_TIMEOUT_S = 60
_STEPS = 60
"""Into how many steps the time of a metric query is divided."""

_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a stream."""

    time_ns: int
    labels: Mapping[str, str]
    line: str


def logql(
    query: list[str], since: str, limit: int, follow: bool, output: str, instance: str
) -> None:
    """Print what the query finds within `since`: the newest `limit` lines, in order of time.

    Raises BadInput for wrong use and for what the store says of the query, HostCannot when the
    store is away.
    """
    if len(query) != 1:
        raise BadInput(
            f"`doit logql` takes one query, not {len(query)}.",
            cure="""Quote it: doit logql '{service="postgresql"} |= "ERROR"'""",
        )
    if output not in OUTPUTS:
        raise BadInput(f"--output is `{output}`.", cure=f"One of {', '.join(OUTPUTS)}.")
    if limit < 1:
        raise BadInput(f"--limit is {limit}; it must be at least 1.")
    since_ns = _nanoseconds(since)
    store = Store(running(instance))
    if follow:
        _follow(store, query[0], since_ns, limit, output)
        return
    kind, result = store.range(query[0], since_ns, limit)
    if kind == "streams":
        printer = Printer(output)
        printer.show(entries(result))
        if not printer.shown:
            print(f"no line within {since}", file=sys.stderr)
            for known in store.unknown_values(query[0], since_ns):
                print(known, file=sys.stderr)
    else:
        _show_series(result, output, since)
        if not result:
            for known in store.unknown_values(query[0], since_ns):
                print(known, file=sys.stderr)


def _nanoseconds(since: str) -> int:
    try:
        length_ms = milliseconds(since)
    except BadInput:
        length_ms = 0
    if not length_ms:
        raise BadInput(f"--since is `{since}`.", cure="Write a duration such as 90s, 10m or 1h30m.")
    return length_ms * 1_000_000


def running(name: str) -> Instance:
    """The instance, if it has a log store and runs. Raises BadInput."""
    stack = Instance.open(name)
    if not stack.is_running():
        raise BadInput(f"instance `{name}` is not running.", cure=f"Start it with `{stack.up}`.")
    if "loki" not in stack.ports:
        raise BadInput(
            f"instance `{name}` has no log store yet: it is older.", cure=f"`{stack.up}` adds one."
        )
    return stack


class Store:
    """Loki's HTTP API, at the instance's store."""

    def __init__(self, stack: Instance) -> None:
        self._base = f"127.0.0.1:{stack.port('loki', 'http')}/loki/api/v1"
        self._instance = stack.name

    def range(self, query: str, since_ns: int, limit: int) -> tuple[str, list[dict[str, Any]]]:
        """Type and content of what the query finds up to now."""
        end_ns = time.time_ns()
        parameters = {
            "query": query,
            "start": end_ns - since_ns,
            "end": end_ns,
            "limit": limit,
            "step": f"{max(1, since_ns // _NS // _STEPS)}s",
            "direction": "backward",
        }
        data = self._asked("query_range", parameters, query)
        return data["resultType"], data["result"]

    def unknown_values(self, query: str, since_ns: int) -> list[str]:
        """What there is instead of labels and values that the query asks for and that no stream
        had within the time."""
        told = []
        parameters = {"start": time.time_ns() - since_ns}
        names = self._asked("labels", parameters, query) or []
        for name, value in sorted(_wanted(query)):
            if name not in names:
                told.append(_known(f"no stream has a label `{name}`", name, names))
                continue
            values = self._asked(f"label/{name}/values", parameters, query) or []
            if value not in values:
                told.append(_known(f"no stream has {name}={json.dumps(value)}", value, values))
        return told

    def _asked(self, path: str, parameters: Mapping[str, Any], query: str) -> Any:
        url = f"http://{self._base}/{path}?{urlencode(parameters)}"
        try:
            with urlopen(url, timeout_s=_TIMEOUT_S) as answer:
                return json.load(answer).get("data")
        except urllib.error.HTTPError as error:
            raise refused(query, error.code, error.read().decode(errors="replace")) from None
        except (OSError, HTTPException) as error:
            raise self.away(error) from None

    def tail_url(self, query: str, since_ns: int, limit: int) -> str:
        start = time.time_ns() - since_ns
        return f"ws://{self._base}/tail?" + urlencode(
            {"query": query, "start": start, "limit": limit}
        )

    def away(self, error: Exception) -> HostCannot:
        return HostCannot(
            f"the log store does not answer: {getattr(error, 'reason', error)}.",
            cure=f"`doit logs loki --instance {self._instance}` shows why; "
            f"`doit restart loki --instance {self._instance}` starts it.",
        )


_SHOWN = 20
"""Names in a list of what there is."""


def _wanted(query: str) -> set[tuple[str, str]]:
    """(label, value) of each equality in the query's selectors; none where the lab cannot read it
    and Loki can."""
    try:
        found = selectors(parse(query))
        return {
            (one.name, one.value)
            for of in found
            for one in of
            if one.op is MatchOp.EQ and one.value
        }
    except LogQLError:
        return set()


def _known(what: str, wanted: str, there: Sequence[str]) -> str:
    """What is missing, and what there is, the likeliest first."""
    if not there:
        return f"{what}; there is none at all"
    near = [one for one in there if wanted in one or one in wanted]
    near += [one for one in get_close_matches(wanted, there, n=3) if one not in near]
    ordered = [*near, *(one for one in sorted(there) if one not in near)]
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return f"{what}; there are {', '.join(ordered[:_SHOWN])}{more}"


def refused(query: str, status: int, said: str) -> BadInput | HostCannot:
    """What the store says of a query; the place is marked where it names one."""
    said = said.strip() or f"HTTP {status}"
    if status >= 500:
        return HostCannot(f"the log store failed: {said}")
    place = re.search(r"line (\d+), col (\d+)", said)
    if not place:
        return BadInput(said)
    lines = query.splitlines()
    row, column = int(place[1]), int(place[2])
    shown = lines[row - 1] if row <= len(lines) else query
    return BadInput(said, cure=f"{shown}\n  {' ' * (column - 1)}^")


def entries(streams: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """In the order of their times."""
    found = [
        Entry(time_ns=int(value[0]), labels=stream["stream"], line=value[1])
        for stream in streams
        for value in stream["values"]
    ]
    return sorted(found, key=lambda entry: entry.time_ns)


class Printer:
    """Prints lines with the labels that they do not share, or as JSON, or bare."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._console = Console(highlight=False, soft_wrap=True)
        self.shown = 0

    def show(self, found: Sequence[Entry], *, common: bool = True) -> None:
        shared = _shared(found) if common and self._output == "default" else {}
        if shared:
            told = "  ".join(f"{name}={value}" for name, value in sorted(shared.items()))
            print(f"common labels: {told}", file=sys.stderr)
        for entry in found:
            self._one(entry, shared)
        self.shown += len(found)
        sys.stdout.flush()

    def _one(self, entry: Entry, shared: Mapping[str, str]) -> None:
        if self._output == "raw":
            print(entry.line)
        elif self._output == "jsonl":
            told = {"labels": entry.labels, "line": entry.line, "timestamp": at(entry.time_ns)}
            print(json.dumps(told, ensure_ascii=False))
        else:
            text = Text(f"{at(entry.time_ns)[:23]}Z ", style="dim")
            own = [pair for pair in sorted(entry.labels.items()) if pair[0] not in shared]
            for at_, (name, value) in enumerate(own):
                # As logcli writes it, so that `| json` can be read: {level="info", status="200"}.
                text.append("{" if not at_ else " ")
                text.append(f"{name}=", style="dim")
                text.append(json.dumps(value, ensure_ascii=False), style=_colour(value))
                text.append("," if at_ + 1 < len(own) else "} ")
            text.append(entry.line, style="not dim")
            self._console.print(text)


def _shared(found: Sequence[Entry]) -> dict[str, str]:
    every = [set(entry.labels.items()) for entry in found]
    return dict(set.intersection(*every)) if every else {}


_COLOURS = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
_LOUD = {"error": "red", "fatal": "bold red", "panic": "bold red", "critical": "bold red",
         "crit": "bold red", "warn": "yellow", "warning": "yellow"}  # fmt: skip


def _colour(value: str) -> str:
    """Always the same for the same label's value."""
    return _LOUD.get(value, _COLOURS[sum(value.encode()) % len(_COLOURS)])


def at(time_ns: int) -> str:
    """RFC 3339 with nanoseconds, UTC."""
    whole = datetime.fromtimestamp(time_ns // _NS, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{time_ns % _NS:09}Z"


def _show_series(result: list[dict[str, Any]], output: str, since: str) -> None:
    """A metric query: one row a series, with its last value and its range."""
    if not result:
        print(f"no series within {since}", file=sys.stderr)
        return
    if output == "jsonl":
        for series in result:
            print(json.dumps(series, ensure_ascii=False))
        return
    rows = [(_named(one["metric"]), [float(value) for _, value in one["values"]]) for one in result]
    if output == "raw":
        for _, values in rows:
            print(f"{values[-1]:g}")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("series")
    for heading in ("last", "min", "max"):
        table.add_column(heading, justify="right")
    for name, values in sorted(rows, key=lambda row: (-row[1][-1], row[0])):
        table.add_row(Text(name), *(f"{v:g}" for v in (values[-1], min(values), max(values))))
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(table)


def _named(labels: Mapping[str, str]) -> str:
    return "  ".join(f"{name}={value}" for name, value in sorted(labels.items())) or "(all)"


def _follow(store: Store, query: str, since_ns: int, limit: int, output: str) -> None:
    """Print lines as they come, until Ctrl-C or until the store goes away."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    printer = Printer(output)
    try:
        with connect(
            store.tail_url(query, since_ns, limit), open_timeout=_TIMEOUT_S, proxy=None
        ) as socket:
            for message in socket:
                told = json.loads(message)
                printer.show(entries(told.get("streams") or []), common=False)
            # A good end is none, either: nobody asked the store to stop.
            raise _ended(store, query, socket.close_reason or "")
    except InvalidStatus as error:
        said = error.response.body.decode(errors="replace")
        raise refused(query, error.response.status_code, said) from None
    except ConnectionClosed as error:
        raise _ended(store, query, error.rcvd.reason if error.rcvd else "") from None
    except OSError as error:
        raise store.away(error) from None


def _ended(store: Store, query: str, reason: str) -> BadInput | HostCannot:
    """Why the store ended a tail: it says what is wrong with the query, or it went away."""
    return refused(query, 400, reason) if reason else store.away(OSError("it ended the connection"))
