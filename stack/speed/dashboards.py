"""Grafana's dashboards at a speed: ranges and intervals of their queries divided, the time shown
shortened.

Grafana's own macros (`[$__rate_interval]`) stay: they follow the data source's scrape interval.
"""

import copy
import math
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from stack.durations import checked, milliseconds, text_of
from stack.errors import BadInput
from stack.speed.logql import scale_query
from stack.speed.promql import scale_expression
from stack.speed.tokens import replaced, scan

SHOWN_MS = 5 * 60_000
"""Milliseconds of real time that a dashboard shows at least: less is no picture."""

REFRESH_MS = 5_000
"""Grafana refuses to refresh more often, unless it is told otherwise."""

_MACRO = re.compile(r"\$__(?:rate_interval|interval|range|auto)\b|\$\{__(?:rate_interval|range)\}")
_STANDS_IN = "290y"
"""For a macro, while the query is read; nobody writes that."""

_FROM = re.compile(r"^now-(\d+[smhdw])$")


def scale_dashboard(
    document: Mapping[str, Any], speed: float, *, scrape_interval_s: float
) -> dict[str, Any]:
    """The dashboard at `speed`, as a copy. `scrape_interval_s` is the instance's own.

    Raises BadInput for a query that does not parse.
    """
    scaled = copy.deepcopy(dict(document))
    exact = checked(speed)
    if exact == 1:
        return scaled
    for panel in panels(scaled):
        _shorten(panel, "interval", exact)
        for target in panel.get("targets", ()):
            _shorten(target, "interval", exact)
            _shorten(target, "step", exact)
            if target.get("expr"):
                logs = on_logs(panel, target)
                target["expr"] = scale_panel_query(
                    target["expr"], speed, logs=logs, scrape_interval_s=scrape_interval_s
                )
    shown = scaled.get("time", {})
    if match := _FROM.match(str(shown.get("from", ""))):
        shown["from"] = f"now-{text_of(max(SHOWN_MS, int(milliseconds(match[1]) / exact)))}"
    if re.fullmatch(r"\d+[smh]", str(scaled.get("refresh", ""))):
        refresh_ms = int(milliseconds(scaled["refresh"]) / exact)
        scaled["refresh"] = text_of(max(REFRESH_MS, refresh_ms))
    return scaled


def _shorten(node: dict[str, Any], key: str, exact: Fraction) -> None:
    """Divide the least interval between two points, if there is one: a variable stays. In whole
    seconds, as Grafana's arithmetic needs them."""
    if re.fullmatch(r"\d+(ms|[smhdwy])", str(node.get(key, ""))):
        node[key] = f"{math.ceil(milliseconds(node[key]) / exact / 1000)}s"


def panels(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, those in collapsed rows too, and those in the rows of old schemas."""
    rows = [panel for row in document.get("rows") or () for panel in row.get("panels") or ()]
    for panel in (*(document.get("panels") or ()), *rows):
        yield panel
        yield from panel.get("panels") or ()


def on_logs(panel: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    """Whether a query is LogQL. Old dashboards have the data source's name alone."""
    source = target.get("datasource") or panel.get("datasource") or {}
    if isinstance(source, str):
        return "loki" in source.lower()
    return isinstance(source, dict) and source.get("type") == "loki"


def scale_panel_query(
    query: str, speed: float, *, logs: bool, scrape_interval_s: float = 0.0
) -> str:
    """One query of a panel at `speed`; raises BadInput for one that does not parse."""
    macros = _MACRO.findall(query)
    readable = _MACRO.sub(_STANDS_IN, query)
    if logs:
        scaled = scale_query(readable, speed) if "[" in readable else readable
    else:
        scaled = _promql(readable, speed, scrape_interval_s)
    if not macros:
        return scaled
    # Scaling keeps durations and numbers in their order.
    at = [count for count, token in enumerate(scan(readable)) if token.text == _STANDS_IN]
    tokens = list(scan(scaled))
    return replaced(
        scaled, [(tokens[place], macro) for place, macro in zip(at, macros, strict=True)]
    )


def _promql(query: str, speed: float, scrape_interval_s: float) -> str:
    try:
        return scale_expression(query, speed, scrape_interval_s=scrape_interval_s)
    except BadInput:
        # Seconds in a number that is only shown are shown as they are.
        return scale_expression(query, speed, scrape_interval_s=scrape_interval_s, numbers=False)
