"""The page in a real browser: dashboards that Grafana wrote years ago, as it shows them today."""

import re
from pathlib import Path
from typing import Any

import pytest

from scenarios.dashboards.browser import Page
from stack.check.supported import supported
from stack.paths import REPO
from tests.programs.viewer.invented import dashboard, panel, served
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def shown(shown: Page) -> Page:
    return shown.size(1400, 1400)


def old(type_: str, title: str, query: str = "now", **more: Any) -> dict[str, Any]:
    """A panel as it was: no id, no letter for its query, nobody named to ask."""
    target = {"expr": query, "legendFormat": "{{service}}"}
    return {"type": type_, "title": title, "datasource": None, "targets": [target], **more}


def rows(*listed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"uid": "lab", "title": "Lab", "schemaVersion": 14, "rows": list(listed), **more}


def kinds(shown: Page) -> list[str]:
    """Types of the panels on the page, from left to right and down."""
    found: list[str] = shown.ask(
        "[...document.querySelectorAll('[data-viz-panel-key]')]"
        ".map((each) => [each.getBoundingClientRect(), each.dataset.pluginId])"
        ".sort(([a], [b]) => a.top - b.top || a.left - b.left).map(([, kind]) => kind)"
    )
    return found


def test_rows_stand_below_each_other_and_their_panels_beside(shown: Page, page: Path) -> None:
    first = {"height": "250px", "panels": [old("graph", "A", span=8), old("graph", "B", span=4)]}
    second = {"height": 100, "panels": [old("singlestat", "C", span=12)]}
    with served(page, rows(first, second)) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.until("document.querySelectorAll('[data-griditem-key]').length === 3")
        boxes = shown.ask(
            "[...document.querySelectorAll('[data-griditem-key]')].map((each) => "
            "(({ left, top, width, height }) => ({ left, top, width, height }))"
            "(each.getBoundingClientRect()))"
        )
        a, b, c = boxes
        assert a["top"] == b["top"] < a["top"] + a["height"] <= c["top"]
        assert a["left"] == c["left"] < a["left"] + a["width"] <= b["left"]
        assert a["width"] == pytest.approx(2 * b["width"], rel=0.05)
        assert c["height"] < a["height"]
        assert shown.problems == []


def test_row_that_is_closed_is_opened_by_its_heading(shown: Page, page: Path) -> None:
    closed = {"title": "Details", "collapse": True, "panels": [old("graph", "Inside")]}
    with served(page, rows({"title": "Most of it", "panels": [old("graph", "A")]}, closed)) as lab:
        shown.open(f"{lab.url}/d/lab")
        for text in ("Most of it", "Details", "A"):
            shown.shows(text)
        assert "Inside" not in shown.ask("document.body.innerText")
        shown.ask("document.querySelector('[aria-label^=\"Expand row\"]').click()")
        shown.shows("Inside")


@pytest.mark.parametrize(
    ("was", "now", "text"),
    [
        pytest.param(old("graph", "It"), "timeseries", "service-2", id="graph"),
        pytest.param(
            old("graph", "It", legend={"values": True, "avg": True, "alignAsTable": True}),
            "timeseries", "Mean", id="graph with a table",
        ),
        pytest.param(
            old("graph", "It", xaxis={"mode": "series", "values": ["max"]}), "bargauge",
            "service-2", id="graph of bars",
        ),
        pytest.param(
            old("singlestat", "It", format="s", valueName="min"), "stat", "15", id="singlestat"
        ),
        pytest.param(
            old("singlestat", "It", valueName="max", mappingType=2,
                rangeMaps=[{"from": "0", "to": "99", "text": "Few"}]),
            "stat", "Few", id="singlestat in words",
        ),
        pytest.param(
            old("singlestat", "It", gauge={"show": True, "minValue": 0, "maxValue": 100}),
            "gauge", "service-2", id="singlestat as a gauge",
        ),
        pytest.param(
            old("gauge", "It", options={"fieldOptions": {"calcs": ["max"], "defaults": {
                "title": "The most of all"}}}),
            "gauge", "The most of all", id="gauge of Grafana 6",
        ),
        pytest.param(
            old("grafana-piechart-panel", "It", valueName="max", legend={"values": True}),
            "piechart", "service-2", id="pie chart",
        ),
        pytest.param(
            old("heatmap", "It", dataFormat="timeseries", yAxis={"format": "s"}), "heatmap", "s",
            id="heatmap",
        ),
        pytest.param(
            {"type": "text", "title": "It", "mode": "markdown", "content": "Read **this**"},
            "text", "Read this", id="text",
        ),
    ],
)  # fmt: skip
def test_panel_is_what_it_is_called_today(
    shown: Page, page: Path, was: dict[str, Any], now: str, text: str
) -> None:
    with served(page, rows({"panels": [was]})) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("It")
        eventually(lambda: kinds(shown) == [now], "the panel", within_s=90)
        eventually(lambda: text in words(shown), f"`{text}`", within_s=90)
        assert shown.problems == []


def words(shown: Page) -> str:
    """What stands in the panels; also in drawings, which say it in other ways."""
    return str(
        shown.ask(
            "[...document.querySelectorAll('[data-viz-panel-key]')]"
            ".map((each) => each.innerText + [...each.querySelectorAll('[aria-label], text')]"
            ".map((one) => `${one.ariaLabel ?? ''} ${one.textContent}`).join(' ')).join(' ')"
        )
    )


def test_series_of_a_graph_have_the_colours_that_they_had(shown: Page, page: Path) -> None:
    graph = old(
        "graph",
        "It",
        aliasColors={"service-0": "#123456"},
        seriesOverrides=[{"alias": "/-[12]$/", "color": "#654321"}],
    )
    with served(page, rows({"panels": [graph]})) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("service-2")
        colours = shown.ask(
            "[...document.querySelectorAll('[data-testid=\"series-icon\"]')]"
            ".map((each) => getComputedStyle(each).backgroundColor)"
        )
        assert colours == ["rgb(18, 52, 86)", "rgb(101, 67, 33)", "rgb(101, 67, 33)"]


def test_former_types_that_the_list_names_are_those_that_the_page_turns() -> None:
    turned = (REPO / "stack/programs/viewer/page/migrate/index.js").read_text()
    [types] = re.findall(r"const TYPES = \{(.*?)\}", turned, re.DOTALL)
    named = set(re.findall(r"^  '?([a-z-]+)'?(?:,|:)", types, re.MULTILINE))
    assert set(supported().former) == named - set(supported().panels)


@pytest.mark.parametrize("kind", ["table-old", "table"])
def test_columns_of_a_table_have_the_styles_that_they_had(
    shown: Page, page: Path, kind: str
) -> None:
    styles = [
        {"pattern": "Time", "type": "hidden"},
        {"pattern": "service", "alias": "Who", "type": "string"},
        {"pattern": "/^Val/", "alias": "How long", "type": "number", "unit": "s", "decimals": 1},
    ]
    table = old(kind, "It", styles=styles, transform="table")
    table["targets"][0] |= {"format": "table", "instant": True}
    with served(page, rows({"panels": [table]})) as lab:
        shown.open(f"{lab.url}/d/lab")
        for text in ("Who", "How long", "service-2", "42.0 s"):
            shown.shows(text)
        assert "Time" not in words(shown)


@pytest.mark.parametrize(
    ("shape", "words_shown"),
    [
        pytest.param({"custom": {"displayMode": "color-background"}}, "42", id="cell"),
        pytest.param(
            {"mappings": [{"id": 1, "type": 1, "value": "42", "text": "Enough"}]}, "Enough",
            id="mapping",
        ),
    ],
)  # fmt: skip
def test_fields_may_be_named_as_before_grafana_10(
    shown: Page, page: Path, shape: dict[str, Any], words_shown: str
) -> None:
    coloured = shape | {"thresholds": {"steps": [{"value": None, "color": "#123456"}]}}
    table = panel("table", "It", "now", fieldConfig={"defaults": coloured, "overrides": []})
    with served(page, dashboard("lab", table)) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows(words_shown)
        if "displayMode" in shape.get("custom", {}):
            shown.until(
                "[...document.querySelectorAll('[role=gridcell]')]"
                ".some((each) => getComputedStyle(each).background.includes('rgb(18, 52, 86)'))",
                "a cell in its colour",
            )


def test_column_that_was_hidden_is_not_shown(shown: Page, page: Path) -> None:
    hidden = {"id": "custom.hidden", "value": True}
    overrides = [{"matcher": {"id": "byName", "options": "service"}, "properties": [hidden]}]
    table = panel("table", "It", "now", fieldConfig={"defaults": {}, "overrides": overrides})
    with served(page, dashboard("lab", table)) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("42")
        assert "service" not in words(shown)


@pytest.mark.parametrize(
    ("named", "more", "asks"),
    [
        (None, {}, "prometheus"),
        ("default", {}, "prometheus"),
        ("Prometheus", {}, "prometheus"),
        ("Our Loki (production)", {}, "loki"),
        ("${DS_LOKI}", {}, "loki"),
        (
            "${DS_OURS}",
            {"__inputs": [{"name": "DS_OURS", "type": "datasource", "pluginId": "loki"}]},
            "loki",
        ),
        ("$source", {"templating": {"list": [{"type": "datasource", "name": "source",
                                              "query": "loki"}]}}, "loki"),
        ({"type": "datasource", "uid": "-- Mixed --"}, {}, "prometheus"),
    ],
)  # fmt: skip
def test_data_source_is_found_by_what_old_dashboards_say(
    shown: Page, page: Path, named: Any, more: dict[str, Any], asks: str
) -> None:
    asking = old("graph", "It", '{job="x"}') | {"datasource": named}
    with served(page, rows({"panels": [asking]}, **more)) as lab:
        shown.open(f"{lab.url}/d/lab")
        eventually(lambda: lab.queries("job"), "a query", within_s=90)
        [path] = {path for path, asked in lab.asked if "job" in asked.get("query", "")}
        assert path.startswith(f"/api/datasources/proxy/uid/{asks}/")


def test_constant_that_is_asked_for_on_importing_is_its_value(shown: Page, page: Path) -> None:
    asked = [{"name": "VAR_JOB", "type": "constant", "value": "scheduler"}]
    with served(page, rows({"panels": [old("graph", "It", "x${VAR_JOB}")]}, __inputs=asked)) as lab:
        shown.open(f"{lab.url}/d/lab")
        eventually(lambda: lab.queries("xscheduler"), "a query", within_s=90)


def test_interval_that_was_automatic_is_one(shown: Page, page: Path) -> None:
    named = {"type": "interval", "name": "every", "query": "1m,1h", "auto": True, "auto_count": 60}
    named |= {"auto_min": "10s", "current": {"text": "auto", "value": "$__auto_interval_every"}}
    graph = old("graph", "It", "rate(x[$every])")
    with served(page, rows({"panels": [graph]}, templating={"list": [named]})) as lab:
        shown.open(f"{lab.url}/d/lab")
        eventually(lambda: lab.queries("rate("), "a query", within_s=90)
        assert lab.queries("rate(")[-1]["query"] == "rate(x[1m])"


def test_panel_with_a_time_range_of_its_own_asks_for_that(shown: Page, page: Path) -> None:
    own = panel("timeseries", "Short", "short", timeFrom="5m")
    with served(page, dashboard("lab", own, panel("timeseries", "Long", "long"))) as lab:
        shown.open(f"{lab.url}/d/lab?from=now-6h&to=now")
        shown.shows("Last 5 minutes")
        eventually(lambda: lab.queries("short") and lab.queries("long"), "queries", within_s=90)
        [short, long] = (
            float(asked["end"]) - float(asked["start"])
            for asked in (lab.queries("short")[-1], lab.queries("long")[-1])
        )
        assert 270 <= short <= 315
        assert long > 20_000


def test_shift_in_time_is_said_not_to_be_made(shown: Page, page: Path) -> None:
    with served(page, dashboard("lab", panel("stat", "Then", "x", timeShift="1d"))) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("The panel `Then` shows now: it cannot be shifted in time.")
