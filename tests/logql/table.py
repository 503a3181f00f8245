"""The conformance table: corpora of lines, queries, and what a Loki answers.

A case of a log query expects `lines` (all of them, in order of time), `count` of them, or `streams`
(labels → lines); a case of a metric query has `at`, or `from`, `to` and `step`, in seconds of the
corpus, and expects `vector` (in any order, `ordered` in this one), `matrix` (`_` where there is no
value) or `scalar`; `error` is a part of the message. `differs` says why a real Loki answers
otherwise.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack.logql import parse_matchers
from stack.logql.golang import float_of

FOLDER = Path(__file__).with_name("conformance")
SECOND = 1_000_000_000
WHOLE = (0, 100)
"""Seconds that a log query looks at, and that all corpora keep within."""

Answer = Any
"""The shapes of `expected`: comparable with ==, numbers apart."""


@dataclass(frozen=True, kw_only=True)
class Line:
    labels: Mapping[str, str]
    at_s: float
    text: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Case:
    file: str
    name: str
    corpus: str
    query: str
    start_s: float
    end_s: float
    step_s: float | None
    """None: a log query, or a metric query at one moment, `end_s`."""
    instant: bool
    limit: int
    direction: str
    kind: str
    """Which of `lines`, `count`, `streams`, `vector`, `ordered`, `matrix`, `scalar`, `error`."""
    expected: Answer
    differs: str

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


KINDS = ("lines", "count", "streams", "vector", "ordered", "matrix", "scalar", "error")


def corpora() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for path in sorted(FOLDER.glob("*.yml")):
        for name, streams in yaml.safe_load(path.read_text(encoding="utf-8"))["corpora"].items():
            found[f"{path.stem}/{name}"] = [
                Line(
                    labels=stream["stream"],
                    at_s=at_s,
                    text=str(text),
                    metadata=more[0] if more else {},
                )
                for stream in streams
                for at_s, text, *more in stream["lines"]
            ]
    return found


def cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.yml")):
        for raw in yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]:
            yield _case(path.stem, raw)


def _case(file: str, raw: dict[str, Any]) -> Case:
    (kind,) = [kind for kind in KINDS if kind in raw]
    start_s, end_s = raw.get("from", WHOLE[0]), raw.get("to", WHOLE[1])
    if "at" in raw:
        start_s = end_s = raw["at"]
    return Case(
        file=file,
        name=raw["name"],
        corpus=f"{file}/{raw['corpus']}",
        query=raw["query"],
        start_s=start_s,
        end_s=end_s,
        step_s=raw.get("step"),
        instant="at" in raw,
        limit=raw.get("limit", 100),
        direction=raw.get("direction", "forward"),
        kind=kind,
        expected=_expected(kind, raw[kind]),
        differs=raw.get("differs", ""),
    )


def _expected(kind: str, raw: Any) -> Answer:
    if kind == "streams":
        return sorted((sorted(_labels(text).items()), lines) for text, lines in raw.items())
    if kind in ("vector", "ordered", "matrix"):
        rows = [_row(text) for text in raw]
        return rows if kind == "ordered" else sorted(rows, key=lambda row: row[0])
    return raw


def _row(text: str) -> tuple[list[tuple[str, str]], list[float | None]]:
    selector, values = re.fullmatch(r"(\{.*\}) (.*)", text).groups()  # type: ignore[union-attr]
    numbers = [None if word == "_" else float_of(word) for word in values.split()]
    return sorted(_labels(selector).items()), numbers


def _labels(selector: str) -> dict[str, str]:
    if selector == "{}":
        return {}
    # A selector that could match everything is refused, so one matcher more.
    matchers = parse_matchers('{x="x", ' + selector[1:])
    return {matcher.name: matcher.value for matcher in matchers[1:]}


def difference(case: Case, answer: Answer) -> str:
    """What is wrong with an answer (an error message, for `error`); "" if nothing is."""
    wanted = case.expected
    if case.kind == "error":
        return (
            ""
            if isinstance(answer, str) and wanted in answer
            else f"got    {answer!r}\nwanted {wanted!r} in a message"
        )
    return "" if _same(answer, wanted) else f"got    {answer!r}\nwanted {wanted!r}"


def _same(left: Answer, right: Answer) -> bool:
    if isinstance(left, list | tuple):
        return (
            isinstance(right, list | tuple)
            and len(left) == len(right)
            and all(map(_same, left, right))
        )
    if isinstance(left, float) and isinstance(right, int | float):
        both_none = math.isnan(left) and math.isnan(right)
        return both_none or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
    return bool(left == right)
