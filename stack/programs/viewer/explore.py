"""`/explore`, where links of alerts on logs lead: the lines that a LogQL query reads, on a page.

Grafana has a whole tool there, with the query in the same place of the address: `left`, a JSON
object with `queries`, as Loki's ruler writes it (pkg/ruler, `grafanaLinkForExpression`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stack.logql import parse
from stack.logql.ast import LogQuery, RangeAggregation
from stack.logql.text import text_of
from stack.logql.walk import nodes

BACK_S = 3600
"""Seconds for which the page looks back."""

MOST = 500
"""Lines that it shows of each part of a query, the newest ones."""

_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Line:
    at: str
    """RFC 3339, UTC, to the millisecond."""
    labels: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """The lines of one part of a query."""

    query: str
    lines: Sequence[Line]
    trouble: str = ""


def expression(left: str) -> str:
    """The query in that part of the address. Raises ValueError with what is wrong with it."""
    try:
        asked = json.loads(left)
        found = asked["queries"][0]["expr"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ValueError(
            'there is no query in this address: `left={"queries":[{"expr":"…"}]}` has one.'
        ) from None
    if not isinstance(found, str) or not found.strip():
        raise ValueError("the query in this address is empty.")
    return found


def parts(query: str) -> list[str]:
    """The queries for lines that a query is made of. Raises LogQLError."""
    read = parse(query)
    if isinstance(read, LogQuery):
        return [query]
    within = (node.query for node in nodes(read) if isinstance(node, RangeAggregation))
    return list(dict.fromkeys(text_of(one) for one in within))


def lines(answer: bytes) -> list[Line]:
    """What `query_range` answered to a query for lines, the newest first. Raises ValueError for
    anything else."""
    try:
        found = [
            (int(str(at)), stream["stream"].items(), text)
            for stream in json.loads(answer)["data"]["result"]
            for at, text, *_ in stream["values"]
            if isinstance(text, str)
        ]
        return [
            Line(at=_clock(at), labels=" ".join(f"{k}={v}" for k, v in sorted(labels)), text=text)
            for at, labels, text in sorted(found, key=lambda one: -one[0])[:MOST]
        ]
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError, OSError,
            RecursionError):  # fmt: skip
        raise ValueError("its answer is not one to a query for lines.") from None


def page(query: str, found: Sequence[Found], trouble: str = "") -> str:
    """The page as HTML; `trouble` says what is wrong with the query."""
    template = _environment().get_template("explore.html")
    return template.render(
        query=query, found=found, trouble=trouble, most=MOST, hours=BACK_S // 3600
    )


def _clock(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / _NS, UTC).isoformat(sep=" ", timespec="milliseconds")[:23]


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
