"""What is in the lines: fields, labels and patterns, as Grafana's log pages ask for them.

Loki 3.7: pkg/querier/queryrange/detected_fields.go and pkg/querier/querier.go. Cardinalities are
counted, where Loki estimates them; patterns come from one pass over the lines, where Loki trains
them as lines come in.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from stack.logql import golang
from stack.logql.ast import Logfmt, LogQuery
from stack.logql.entry import SPECIAL, Entry
from stack.logql.hints import ALL
from stack.logql.jsonscan import DEEPEST
from stack.logql.jsonstage import clean, json_stage, nested
from stack.logql.logfmtstage import logfmt_stage
from stack.logql.pipeline import Pipeline
from stack.logql.source import Batch

_STATIC = {"cluster", "namespace", "instance", "pod"}
"""Labels that are shown whatever their values look like."""
_UUID = re.compile(
    r"(?:urn:uuid:)?[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|[\da-f]{32}"
    r"|\{[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\}",
    re.I,
)
_BOOLEANS = {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"}
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)


@dataclass(kw_only=True)
class Field:
    """One field of the lines."""

    kind: str = "string"
    values: set[str] = field(default_factory=set)
    parsers: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    """Its keys in JSON."""


class Fields:
    """The fields of the lines that a query lets pass; at most `limit` of them."""

    def __init__(self, query: LogQuery, limit: int) -> None:
        self.found: dict[str, Field] = {}
        self._limit = limit
        self._pipeline = Pipeline(query)
        self._json, self._logfmt = json_stage(ALL), logfmt_stage(Logfmt(), ALL)
        self._entry = Entry()

    def add(self, batch: Batch, most: int) -> int:
        """Reads up to `most` of the lines; how many there were."""
        count = 0
        for _, line, stream, entry in self._pipeline.run(batch):
            if count == most:
                break
            count += 1
            self._line(line, stream.labels, dict(entry.added))
        return count

    def _line(self, line: str, labels: Mapping[str, str], said: Mapping[str, str]) -> None:
        """One line; `said` is what the query's own stages found in it."""
        entry, parser = self._entry, "json"
        entry.begin(labels, None, 0)
        self._json(line, entry)
        if entry.error:
            parser = "logfmt"
            entry.begin(labels, None, 0)
            self._logfmt(line, entry)
        paths = _paths(line) if parser == "json" else {}
        for name, value in {**said, **entry.added}.items():
            if name in SPECIAL:
                continue
            one = self.found.get(name)
            if one is None:
                if len(self.found) >= self._limit:
                    continue
                one = self.found[name] = Field()
            if parser not in one.parsers:
                one.parsers.append(parser)
            one.path = paths.get(name, one.path)
            one.kind = kind_of(value)
            one.values.add(value)


def _paths(line: str) -> dict[str, list[str]]:
    """Label name -> keys, of every member of a line of JSON."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    paths: dict[str, list[str]] = {}
    left: list[tuple[list[str], Any]] = [([], document)]
    while left:
        path, node = left.pop()
        if not isinstance(node, dict) or len(path) > DEEPEST:
            continue
        for key, value in node.items():
            inner = [*path, key]
            left.append((inner, value))
            paths.setdefault(nested(tuple(inner)) if path else clean(key), inner)
    return paths


def kind_of(value: str) -> str:
    """Which kind of a value it looks like."""
    if _INTEGER.fullmatch(value) and -golang.LARGEST <= int(value) <= golang.LARGEST:
        return "int"
    if _reads(golang.float_of, value):
        return "float"
    if value in _BOOLEANS:
        return "boolean"
    if _reads(golang.duration_ns, value):
        return "duration"
    return "bytes" if _reads(golang.size_bytes, value) else "string"


def _reads(read: Any, value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def fields(found: Mapping[str, Field], limit: int) -> dict[str, Any]:
    """The answer of `detected_fields`."""
    rows = []
    for name, one in sorted(found.items()):
        row: dict[str, Any] = {
            "label": name, "type": one.kind, "cardinality": len(one.values),
            "parsers": one.parsers or None,
        }  # fmt: skip
        rows.append({**row, "jsonPath": one.path} if one.path else row)
    return {"fields": rows, "limit": limit} if rows else {}


def values(one: Field | None, limit: int) -> dict[str, Any]:
    """The answer of `detected_field/{name}/values`."""
    shown = sorted({_as_query(value) for value in one.values})[:limit] if one else []
    return {"values": shown, "limit": limit} if shown else {}


_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_SIZE = re.compile(r"\s*[\d.,]+\s*(?:[kmgtpe]i?b?|b)", re.I)


def _as_query(value: str) -> str:
    """A size so that it can be put into a query: `2 kB` is `2.0kB`."""
    if not (_SIZE.fullmatch(value) and _reads(golang.size_bytes, value)):
        return value
    size = golang.size_bytes(value)
    if size < 10:
        return f"{size}B"
    power = min(int(math.log(size, 1000) + 1e-9), len(_UNITS) - 1)
    number = math.floor(size / 1000**power * 10 + 0.5) / 10
    return f"{number:.{0 if number >= 10 else 1}f}{_UNITS[power]}"


def labels(of_streams: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """The answer of `detected_labels`: labels whose values are not all numbers or UUIDs."""
    found: dict[str, set[str]] = {}
    for one in of_streams:
        for name, value in one.items():
            found.setdefault(name, set()).add(value)
    rows = [
        {"label": name, "cardinality": len(texts)}
        for name, texts in sorted(found.items())
        if name in _STATIC or not _only_idents(texts)
    ]
    return {"detectedLabels": rows} if rows else {}


def _only_idents(texts: Collection[str]) -> bool:
    if len(texts) <= 2 and set(texts) <= {"0", "1"}:
        return False
    return all(_UUID.fullmatch(text) or _reads(golang.float_of, text) for text in texts)


_VARYING = re.compile(r"[^\s\"'=,;(){}\[\]<>]*\d[^\s\"'=,;(){}\[\]<>]*")
_ADJACENT = re.compile(r"<_>(?:<_>)+")
_LONGEST_LINE = 3000
_MOST_PATTERNS = 300
_LEVELS = ("level", "detected_level")


class Patterns:
    """Lines that differ only in words with digits, counted by step."""

    def __init__(self, step_ns: int) -> None:
        self._step_ns = step_ns
        self._counts: dict[tuple[str, str], Counter[int]] = {}

    def add(self, batch: Batch) -> None:
        rows = zip(batch.timestamps_ns, batch.lines, batch.streams, strict=True)
        for at_ns, line, stream in rows:
            if len(line) > _LONGEST_LINE:
                continue
            pattern = _ADJACENT.sub("<_>", _VARYING.sub("<_>", line))
            level = next((stream.labels[name] for name in _LEVELS if name in stream.labels), "")
            counts = self._counts.get((pattern, level))
            if counts is None:
                if len(self._counts) >= 100 * _MOST_PATTERNS:
                    continue
                counts = self._counts[pattern, level] = Counter()
            counts[at_ns // self._step_ns * self._step_ns // 1_000_000_000] += 1

    def rows(self) -> list[dict[str, Any]]:
        """Those of most lines, most first."""
        largest = sorted(self._counts.items(), key=lambda one: (-one[1].total(), one[0]))
        return [
            {"pattern": pattern, "level": level, "samples": sorted(counts.items())}
            for (pattern, level), counts in largest[:_MOST_PATTERNS]
        ]
