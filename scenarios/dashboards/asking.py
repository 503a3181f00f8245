"""Asks an instance what a panel asks, with all variables at "All" and at the instance's speed."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from scenarios.dashboards.frames import Frame, frame
from stack import speed
from stack.check.dashboardfiles import Target
from stack.check.macros import examples, filled
from stack.check.yamlfile import get, text
from stack.run.instance import Instance
from stack.speed.dashboards import scale_panel_query
from stack.yamltext import load

TIMEOUT_S = 20.0
POINTS = 60
"""Points of a chart; more would not show more."""

LINES = 100
"""Log lines that are fetched: that there are some is all that counts."""


class Asker:
    """One instance's Prometheus and Loki."""

    def __init__(self, instance: Instance) -> None:
        layout = instance.layout
        self._urls = {"prometheus": layout.url("prometheus"), "loki": layout.url("loki", "http")}
        self._speed = layout.speed
        rendered = load(layout.config("prometheus") / "prometheus.yml")
        self._scrape_s = speed.scrape_interval(rendered)
        self._client = httpx.Client(timeout=TIMEOUT_S)

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, target: Target, begin: float, end: float) -> Frame:
        """The frame of one query between two Unix times; at the second, if it wants one moment."""
        step_s = max(self._scrape_s, (end - begin) / POINTS)
        query = self.query(target, begin, end)
        if _is_instant(target):
            asked: Mapping[str, Any] = {"query": query, "time": end}
            path = "query"
        else:
            asked = {"query": query, "start": begin, "end": end, "step": f"{step_s:.3f}"}
            path = "query_range"
        if target.on_logs:
            return self._get("loki", f"/loki/api/v1/{path}", {**asked, "limit": LINES})
        return self._get("prometheus", f"/api/v1/{path}", asked)

    def query(self, target: Target, begin: float, end: float) -> str:
        """What a panel's query is at that time."""
        step_s = max(self._scrape_s, (end - begin) / POINTS)
        values = examples(target.panel.dashboard.variables)
        rate_s = max(4 * self._scrape_s, step_s + self._scrape_s)
        values |= {
            "__interval": f"{step_s * 1000:.0f}ms",
            "__rate_interval": f"{rate_s * 1000:.0f}ms",
            "__auto": f"{max(1.0, step_s) * 1000:.0f}ms",
            "__range": f"{max(1.0, end - begin):.0f}s",
        }
        scaled = scale_panel_query(
            target.expression, self._speed, logs=target.on_logs, scrape_interval_s=self._scrape_s
        )
        return filled(scaled, values.get)

    def _get(self, service: str, path: str, asked: Mapping[str, Any]) -> Frame:
        try:
            reply = self._client.get(self._urls[service] + path, params=dict(asked))
            return frame(reply.json())
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            return Frame(error=f"{service} does not answer: {error or type(error).__name__}")


def _is_instant(target: Target) -> bool:
    return text(get(target.node, "instant")) == "true" or (
        text(get(target.node, "queryType")) == "instant"
    )
