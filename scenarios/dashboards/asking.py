"""Asks an instance what a panel asks, with all variables at "All" and at the instance's speed."""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from scenarios.dashboards.frames import Frame, frame
from scenarios.proof.logrules import streams
from stack import speed
from stack.check.dashboardfiles import Target
from stack.check.macros import examples, filled
from stack.check.yamlfile import get, text
from stack.run.instance import Instance
from stack.speed import tree
from stack.speed.dashboards import scale_panel_query
from stack.speed.logql import longest_range
from stack.yamltext import load

TIMEOUT_S = 20.0
POINTS = 60
"""Points of a chart; more would not show more."""

LINES_OF = "sum(count_over_time({selector}[1h]))"

FIRING = 'ALERTS{alertstate="firing", severity=~"warning|critical"}'

WHO = ("job", "alertname")
"""Labels by which a metric's source is known. Other matchers may well find nothing on a healthy
day."""

LINES = 100
"""Log lines that are fetched: that there are some is all that counts."""


class Asker:
    """One instance's Prometheus and Loki."""

    def __init__(self, instance: Instance) -> None:
        layout = instance.layout
        self._urls = {"prometheus": layout.url("prometheus"), "loki": layout.url("loki", "http")}
        self.speed = layout.speed
        rendered = load(layout.config("prometheus") / "prometheus.yml")
        self.scrape_s = speed.scrape_interval(rendered)
        """Real seconds."""
        self._slowest_s = speed.slowest_scrape(rendered)
        self._client = httpx.Client(timeout=TIMEOUT_S)

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, target: Target, begin: float, end: float) -> Frame:
        """The frame of one query between two Unix times; at the second, if it wants one moment."""
        if not _is_instant(target):
            return self.over(target, begin, end)
        asked = {"query": self.query(target, begin, end), "time": end}
        return self._get(target, "query", asked)

    def over(self, target: Target, begin: float, end: float) -> Frame:
        """The same at every step of that time, also of a query that wants one moment: what it shows
        to somebody who looks again and again."""
        asked = {
            "query": self.query(target, begin, end),
            "start": begin,
            "end": end,
            "step": f"{self._step_s(begin, end):.3f}",
        }
        return self._get(target, "query_range", asked)

    def last_fired(self, begin: float, end: float) -> float:
        """Unix seconds at which an alert of some severity last fired between these two; 0 when none
        did."""
        asked = {"query": FIRING, "start": begin, "end": end, "step": f"{self.scrape_s:.3f}"}
        found = frame(self._answer("prometheus", "/api/v1/query_range", asked))
        return max((at for one in found.series for at, _ in one.points), default=0.0)

    def unread(self, target: Target) -> str:
        """Of what it reads, the first that is not there; "" if all is. A query that has no data on
        a healthy day, or a default, still reads something."""
        query = self.query(target, 0.0, 1.0)
        for selector in lines_of(query) if target.on_logs else sources(query):
            count = LINES_OF.format(selector=selector) if target.on_logs else f"count({selector})"
            found = self._get(target, "query", {"query": count})
            if found.is_empty:
                return found.error or f"nothing is there of `{selector}`"
        return ""

    def lookback_s(self, target: Target) -> float:
        """Real seconds for which it looks back from each moment."""
        query = self.query(target, 0.0, 0.0)
        if target.on_logs:
            return longest_range(query) if "[" in query else 0.0
        return speed.longest_range(query)

    def query(self, target: Target, begin: float, end: float) -> str:
        """What a panel's query is at that time."""
        step_s = self._step_s(begin, end)
        values = examples(target.panel.dashboard.variables)
        rate_s = max(4 * self._slowest_s, step_s + self._slowest_s)
        values |= {
            "__interval": f"{step_s * 1000:.0f}ms",
            "__rate_interval": f"{rate_s * 1000:.0f}ms",
            "__auto": f"{max(1.0, step_s) * 1000:.0f}ms",
            "__range": f"{max(1.0, end - begin):.0f}s",
        }
        scaled = scale_panel_query(
            target.expression, self.speed, logs=target.on_logs, scrape_interval_s=self.scrape_s
        )
        return filled(scaled, values.get)

    def _step_s(self, begin: float, end: float) -> float:
        return max(self.scrape_s, (end - begin) / POINTS)

    def _get(self, target: Target, path: str, asked: Mapping[str, Any]) -> Frame:
        service, api = ("loki", "/loki/api/v1") if target.on_logs else ("prometheus", "/api/v1")
        limit = {"limit": LINES} if target.on_logs else {}
        return frame(self._answer(service, f"{api}/{path}", {**asked, **limit}))

    def _answer(self, service: str, path: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """What it says, or why it says nothing, in the form of an answer."""
        try:
            reply = self._client.get(f"{self._urls[service]}{path}", params=dict(asked))
        except httpx.HTTPError as error:
            return {"error": f"{service} does not answer: {error or type(error).__name__}"}
        try:
            said: Mapping[str, Any] = reply.json()
        except json.JSONDecodeError:
            said = {"error": f"{service} answers {reply.status_code}: {reply.text.strip()[:300]}"}
        return said


def lines_of(query: str) -> list[str]:
    """The streams that a LogQL query reads, whatever their level, but for those that are only said
    not to be something: of these the store says nothing."""
    return [selector for selector in streams(query) if _POSITIVE.search(selector)]


_POSITIVE = re.compile(r"\w=")


def sources(query: str) -> list[str]:
    """Each metric that a PromQL query reads, with who is asked for it."""
    found = (node for node in tree.read(query).walk() if node.kind == "selector")
    return list(dict.fromkeys(
        f"{one.metric}{{{', '.join(_matcher(*each) for each in one.matchers if each[0] in WHO)}}}"
        for one in found
    ))  # fmt: skip


def _matcher(name: str, operator: str, value: str) -> str:
    return f"{name}{operator}{json.dumps(value)}"


def _is_instant(target: Target) -> bool:
    return text(get(target.node, "instant")) == "true" or (
        text(get(target.node, "queryType")) == "instant"
    )
