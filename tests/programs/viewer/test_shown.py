"""The page in a real browser: what a person sees of a dashboard, on good and on bad days."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.dashboards.browser import Page
from stack.paths import REPO
from tests.programs.viewer.invented import Lab, dashboard, panel, served
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

SUPPORTED = json.loads((REPO / "stack/programs/viewer/supported.json").read_text())


EVERYTHING = dashboard(
    "lab",
    panel("timeseries", "Requests", "requests", description="How many there are"),
    panel("stat", "Now", "now"),
    panel("gauge", "Load", "load"),
    panel("bargauge", "Queues", "queues"),
    panel("table", "Services", "services"),
    panel("logs", "Lines", '{job="backend"}'),
    panel("alertlist", "Alerts"),
    panel("text", "Notes", options={"mode": "markdown", "content": "# Read **this**"}),
)


@pytest.fixture(scope="module")
def lab(page: Path) -> Iterator[Lab]:
    with served(page, EVERYTHING) as made:
        yield made


def test_every_panel_shows_its_data_and_nothing_leaves_the_machine(shown: Page, lab: Lab) -> None:
    shown.size(1400, 1400)
    shown.open(f"{lab.url}/d/lab/lab")
    shown.until("document.querySelectorAll('.u-over').length > 0", "a plot")
    for text in (
        "service-2",  # of a legend
        "42",
        'level=info msg="line 0"',
        "PostgreSQLDown in words",
        "Read this",
    ):
        shown.shows(text)
    shown.until("document.querySelector('[role=img]')?.getAttribute('aria-label')", "a gauge")
    shown.until("document.querySelectorAll('[role=row]').length >= 3", "rows of the table")
    assert shown.problems == []
    assert shown.foreign == []


def test_alert_that_is_silenced_says_so(shown: Page, lab: Lab) -> None:
    shown.size(1400, 1400)
    shown.open(f"{lab.url}/d/lab/lab")
    shown.shows("DiskFull in words")
    text = shown.ask("document.body.innerText")
    assert text.count("silenced") == 1
    assert text.count("firing") == 1


def test_type_that_there_is_not_says_so_in_its_place(shown: Page, page: Path) -> None:
    with served(page, dashboard("lab", panel("geomap", "Where", "places"))) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("This viewer has no panel of the type “geomap”.")
        assert shown.problems == []


def test_list_of_what_is_supported_is_what_the_page_has(page: Path) -> None:
    registered = (REPO / "stack/programs/viewer/page/panels/index.js").read_text()
    for kind in SUPPORTED["panels"]:
        assert kind == "row" or f"{kind}:" in registered or f"'{kind}':" in registered


@pytest.mark.parametrize(
    ("source", "query", "said"),
    [
        ("prometheus", "requests", "Prometheus does not answer: connection refused"),
        ("loki", '{job="backend"}', "Loki does not answer: connection refused"),
    ],
)
@pytest.mark.nightly
def test_source_that_is_down_says_so_and_recovers(
    shown: Page, page: Path, source: str, query: str, said: str
) -> None:
    kind, good = ("logs", "line 0") if source == "loki" else ("timeseries", "service-2")
    with served(page, dashboard("lab", panel(kind, "It", query), refresh="5s")) as lab:
        lab.down.add(source)
        shown.open(f"{lab.url}/d/lab")
        shown.shows(said)
        lab.down.clear()
        shown.shows(good)
        assert said not in shown.ask("document.body.innerText")
        lab.down.add(source)
        shown.shows(said)


def test_service_that_is_away_is_asked_again(shown: Page, page: Path) -> None:
    with served(page, EVERYTHING) as lab:
        gone = lab.dashboards
        lab.dashboards = {}
        shown.open(f"{lab.url}/d/lab")
        shown.shows("There is no dashboard `lab`.")
        lab.dashboards = gone
        shown.open(f"{lab.url}/d/lab")
        shown.shows("Requests")


def test_query_that_is_wrong_shows_what_the_server_says_of_it(shown: Page, page: Path) -> None:
    panels = [panel("timeseries", "Wrong", "broken"), panel("timeseries", "None", "empty")]
    with served(page, dashboard("lab", *panels)) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("Prometheus says HTTP 400: 1:8: parse error: unexpected end of input")
        shown.shows("No data")


def test_source_that_is_not_ours_is_named(shown: Page, page: Path) -> None:
    foreign = panel("stat", "Elsewhere", "x") | {"datasource": {"uid": "mysql", "type": "mysql"}}
    with served(page, dashboard("lab", foreign)) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("There is no data source `mysql` here: prometheus and loki are.")


def test_address_decides_time_range_variables_and_refresh(shown: Page, page: Path) -> None:
    variable = {
        "type": "query",
        "name": "service",
        "query": "label_values(up, service)",
        "datasource": {"uid": "prometheus"},
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }
    wanted = panel("timeseries", "Requests", 'requests{service=~"$service"}')
    with served(page, dashboard("lab", wanted, templating={"list": [variable]})) as lab:
        shown.open(f"{lab.url}/d/lab?from=now-15m&to=now&var-service=cart&var-service=auth")
        eventually(lambda: lab.queries("requests"), "a query", within_s=90)
        first = lab.queries("requests")[0]
        assert first["query"] == 'requests{service=~"(cart|auth)"}'
        assert 800 <= float(first["end"]) - float(first["start"]) <= 915
        shown.shows("Last 15 minutes")
        shown.open(f"{lab.url}/d/lab")
        eventually(lambda: len(lab.queries("requests")) > 1, "another query", within_s=90)
        assert lab.queries("requests")[-1]["query"] == 'requests{service=~"(auth|cart|search)"}'
        address = shown.until("location.search.includes('from=') && location.search")
        assert "from=now-1h" in address
        assert "var-service=$__all" in address


@pytest.mark.parametrize(("theme", "background"), [("dark", "#111217"), ("light", "#f4f5f5")])
def test_theme_is_in_the_address_and_can_be_changed(
    shown: Page, lab: Lab, theme: str, background: str
) -> None:
    shown.open(f"{lab.url}/d/lab?theme={theme}")
    shown.shows("Requests")
    assert shown.ask("document.documentElement.dataset.theme") == theme
    other = "light" if theme == "dark" else "dark"
    shown.ask(f"document.querySelector('[aria-label=\"Change to the {other} theme\"]').click()")
    shown.until(f"document.documentElement.dataset.theme === '{other}'")
    shown.until(f"location.search.includes('theme={other}')")


def test_phone_shows_one_panel_below_the_other(shown: Page, lab: Lab) -> None:
    shown.size(390, 844)
    shown.open(f"{lab.url}/d/lab")
    shown.shows("Requests")
    shown.until("document.querySelectorAll('[data-griditem-key]').length >= 3")
    lefts = shown.ask(
        "[...document.querySelectorAll('[data-griditem-key]')]"
        ".map((item) => Math.round(item.getBoundingClientRect().left))"
    )
    assert len(set(lefts)) == 1
    assert shown.ask("document.documentElement.scrollWidth") <= 390


def test_keyboard_reaches_what_can_be_chosen(shown: Page, page: Path) -> None:
    row = {"type": "row", "title": "A question", "id": 9, "panels": []}
    row |= {"gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}}
    with served(page, dashboard("lab", row, panel("stat", "Now", "now", id=2))) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("A question")
        shown.shows("42")
        reached = []
        for _ in range(25):
            shown.press("Tab")
            reached.append(
                shown.ask("(document.activeElement.ariaLabel || document.activeElement.innerText)")
            )
        names = " | ".join(filter(None, reached))
        for name in (
            "Skip to the panels",
            "Dashboards",
            "Lab: other dashboards",
            "theme",
            "Time range selected",
            "A question",
        ):
            assert name in names


def test_links_keep_the_time_range(shown: Page, page: Path) -> None:
    link = {"title": "The others", "type": "link", "url": "/d/other", "keepTime": True}
    own = {"title": "Runbook", "url": "/d/other?var-x=${__from}"}
    first = dashboard("lab", panel("stat", "Now", "now", links=[own]), links=[link])
    with served(page, first, dashboard("other", panel("stat", "Other", "x"))) as lab:
        shown.open(f"{lab.url}/d/lab?from=1000&to=2000")
        shown.shows("The others")
        addresses = shown.until(
            "((links) => links.length === 2 && links)"
            "([...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))"
            ".filter((href) => href.startsWith('/d/other')))"
        )
        kept, runbook = sorted(addresses)
        assert kept.startswith("/d/other?from=1970-01-01T00:00:01.000Z&to=1970-01-01T00:00:02.000Z")
        assert runbook == "/d/other?var-x=1000"


@pytest.mark.parametrize("name", ["2", "panel-2"])
def test_address_shows_one_panel_alone_and_the_way_back(shown: Page, page: Path, name: str) -> None:
    inside = panel("stat", "It", "a", id=2)
    row = {"type": "row", "title": "Hidden", "id": 9, "collapsed": True, "panels": [inside]}
    row |= {"gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}}
    with served(page, dashboard("lab", row, panel("stat", "Another", "b", id=3))) as lab:
        shown.open(f"{lab.url}/d/lab?viewPanel={name}&from=now-5m&to=now")
        shown.shows("42")
        assert "Another" not in shown.ask("document.body.innerText")
        shown.ask("[...document.querySelectorAll('a')].find((a) => /whole/.test(a.text)).click()")
        shown.shows("Another")
        assert "from=now-5m" in shown.ask("location.search")


def test_panel_that_is_not_there_is_named(shown: Page, page: Path) -> None:
    with served(page, dashboard("lab", panel("stat", "A", "a"))) as lab:
        shown.open(f"{lab.url}/d/lab?viewPanel=7")
        shown.shows("This dashboard has no panel `7`.")


def test_annotation_is_drawn_and_says_what_it_is(shown: Page, page: Path) -> None:
    own = {"name": "Deploys", "enable": True, "datasource": {"uid": "-- Grafana --"}}
    wanted = panel("timeseries", "Requests", "requests")
    with served(page, dashboard("lab", wanted, annotations={"list": [own]})) as lab:
        shown.open(f"{lab.url}/d/lab")
        mark = "document.querySelector('button[aria-label^=\"Annotation: Deployed 1.2.3\"]')"
        shown.until(f"{mark} !== null", "the mark of the annotation")
        shown.ask(f"{mark}.click()")
        shown.shows("deploy")


def test_start_is_the_overview_or_else_the_list(shown: Page, page: Path) -> None:
    one, two = dashboard("one", panel("stat", "A", "a")), dashboard("overview", panel("text", "B"))
    with served(page, one) as lab:
        shown.open(lab.url)
        shown.until("[...document.querySelectorAll('main a')].some((a) => a.innerText === 'One')")
        lab.dashboards["overview"] = two
        shown.open(lab.url)
        shown.until("document.title.startsWith('Overview')")


def test_what_is_no_dashboard_says_so(shown: Page, page: Path) -> None:
    with served(page, {"uid": "lab", "title": "Lab", "elements": {}}) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("This is no dashboard of the classic schema: it has no list of panels.")


def test_variable_that_cannot_be_chosen_is_named(shown: Page, page: Path) -> None:
    listed = {"list": [{"type": "adhoc", "name": "filters"}]}
    with served(page, dashboard("lab", panel("stat", "A", "a"), templating=listed)) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("The variable filters (adhoc) cannot be chosen.")
