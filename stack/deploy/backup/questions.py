"""What an instance is asked so that a restored one can be held against it: of metrics, logs, rows,
silences, messages and annotations, all as of one moment.

Each answer is JSON. They are kept in the backup itself, so that it can be proven long after the
instance is gone.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import httpx
import psycopg
from psycopg import sql

from stack import loopback
from stack.run.service import Layout

SETTLED_S = 5.0
"""What was measured or said so long before the moment has arrived by then."""

_HOUR_S = 3600
_LINES = 5000
"""Of the newest log lines, each is compared: as many as the log store hands out at once."""

_TIMEOUT_S = 60.0

METRICS = {
    "series by name": 'count by (__name__) ({__name__=~".+"})',
    # Not their sum: that depends on the order in which it is taken.
    "highest by name": 'max by (__name__) ({__name__=~".+"})',
    "lowest by name": 'min by (__name__) ({__name__=~".+"})',
    "scrapes of the last hour by target": "count_over_time(up[1h])",
    "alerts": "ALERTS",
}
LOGS = {
    "lines of the last hour by stream": "sum by (job, service, level)"
    ' (count_over_time({job=~".+"}[1h]))',
}


def ask(layout: Layout, taken: float, *, newest_message: int | None = None) -> dict[str, Any]:
    """Question → answer, as of `taken` (Unix seconds); of messages, those up to the newest there
    was. Raises httpx.HTTPError where a service does not answer."""
    at = taken - SETTLED_S
    with loopback.client(timeout_s=_TIMEOUT_S) as client:
        asked = _Client(client, layout)
        return {
            **{name: asked.metrics(expression, at) for name, expression in METRICS.items()},
            **{name: asked.logs(query, at) for name, query in LOGS.items()},
            "all values": asked.values(at),
            "newest log lines": asked.lines(at),
            "silences": asked.silences(),
            "messages": asked.messages(newest_message),
            "annotations": asked.annotations(),
        }


def newest_sample(layout: Layout, taken: float) -> float:
    """Unix seconds of the newest sample that there was at the moment; 0 if there is none."""
    with loopback.client(timeout_s=_TIMEOUT_S) as client:
        found = _Client(client, layout).metrics("max(timestamp(up))", taken)
    return max(map(float, found.values()), default=0.0)


def rows(database: "psycopg.Connection[Any]") -> dict[str, Any]:
    """Table → number of its rows and a digest of them, in the transaction that the connection is
    in."""
    names = database.execute(
        "SELECT schemaname, relname FROM pg_stat_user_tables ORDER BY 1, 2"
    ).fetchall()
    asked = sql.SQL(
        "SELECT count(*), md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {} t"
    )
    return {
        f"{schema}.{name}": list(
            database.execute(asked.format(sql.Identifier(schema, name))).fetchone() or ()
        )
        for schema, name in names
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """A line for each question that is answered otherwise, with the first thing that differs."""
    return [
        f"{question}: {_first(answer, after.get(question))}"
        for question, answer in before.items()
        if answer != after.get(question)
    ]


def _first(before: Any, after: Any) -> str:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            if before.get(key) != after.get(key):
                return f"`{key}` was {_short(before.get(key))}, is {_short(after.get(key))}"
    return f"was {_short(before)}, is {_short(after)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


class _Client:
    def __init__(self, client: httpx.Client, layout: Layout) -> None:
        self._client, self._layout = client, layout

    def _get(self, service: str, path: str, **query: object) -> Any:
        url = self._layout.url(service, "http") + path
        return self._client.get(url, params=query).raise_for_status().json()  # type: ignore[arg-type]

    def metrics(self, expression: str, at: float) -> dict[str, str]:
        found = self._get("prometheus", "/api/v1/query", query=expression, time=at)
        return _by_labels(found)

    def values(self, at: float) -> dict[str, str]:
        """Of every series, their number and a digest."""
        return _digest(sorted(self.metrics('{__name__=~".+"}', at).items()))

    def logs(self, query: str, at: float) -> dict[str, str]:
        found = self._get("loki", "/loki/api/v1/query", query=query, time=str(int(at * 1e9)))
        return _by_labels(found)

    def lines(self, at: float) -> dict[str, str]:
        """Their number and a digest."""
        found = self._get(
            "loki", "/loki/api/v1/query_range", query='{job=~".+"}', limit=_LINES,
            start=str(int((at - _HOUR_S) * 1e9)), end=str(int(at * 1e9)), direction="backward",
        )  # fmt: skip
        lines = sorted(
            (*value, json.dumps(stream["stream"], sort_keys=True))
            for stream in found["data"]["result"]
            for value in stream["values"]
        )
        return _digest(lines)

    def silences(self) -> dict[str, str]:
        return {
            one["id"]: json.dumps([one["matchers"], one["comment"], one["endsAt"]], sort_keys=True)
            for one in self._get("alertmanager", "/api/v2/silences")
        }

    def messages(self, newest: int | None) -> dict[str, str]:
        """Of those up to the newest that there was, their number, a digest, and which that is."""
        found = self._get("inbox", "/api/messages", raw=1)
        last = newest if newest is not None else max((one["id"] for one in found), default=0)
        return {**_digest([one for one in found if one["id"] <= last]), "newest": str(last)}

    def annotations(self) -> dict[str, str]:
        return _digest(self._get("grafana", "/api/annotations", limit=_LINES))


def _by_labels(answer: Any) -> dict[str, str]:
    return {
        json.dumps(one["metric"], sort_keys=True): one["value"][1]
        for one in answer["data"]["result"]
    }


def _digest(found: list[Any]) -> dict[str, str]:
    text = json.dumps(found, sort_keys=True).encode()
    return {"number": str(len(found)), "sha256": hashlib.sha256(text).hexdigest()}
