"""The page in a real browser on bad days: a source that is slow or away, a clock that is wrong, a
language that is none, too much data and none at all."""

from pathlib import Path

import pytest

from scenarios.dashboards.browser import Page
from tests.programs.viewer.invented import dashboard, panel, served
from tests.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

DAY_S = 24 * 3600
SLOW_S = 20.0
PLOT = "document.querySelectorAll('.u-over').length > 0"
NOTICE = "document.querySelector('[data-notice]')?.getAttribute('aria-label')"
WAITED_FOR = "No answer for 5 s; it is waited for."

CLOCK = """
const Own = Date;
globalThis.Date = new Proxy(Own, {
  construct: (_, given) => (given.length ? new Own(...given) : new Own(Own.now() + AHEAD_MS)),
  apply: () => String(new Own(Own.now() + AHEAD_MS)),
  get: (_, name) => (name === 'now' ? () => Own.now() + AHEAD_MS : Own[name]),
});
"""


def clock(shown: Page, ahead_s: int) -> None:
    """Let all that is opened from now on have a clock that is wrong."""
    source = CLOCK.replace("AHEAD_MS", str(ahead_s * 1000))
    shown.call("Page.addScriptToEvaluateOnNewDocument", source=source)


@pytest.mark.parametrize(
    ("ahead_s", "said"),
    [
        (DAY_S, "The clock of this browser is 1 day ahead of the lab's."),
        (-DAY_S, "The clock of this browser is 1 day behind the lab's."),
    ],
)
def test_clock_that_is_off_by_a_day_is_said_and_dates_still_work(
    shown: Page, page: Path, ahead_s: int, said: str
) -> None:
    with served(page, dashboard("lab", panel("timeseries", "It", "requests"))) as lab:
        clock(shown, ahead_s)
        shown.open(f"{lab.url}/d/lab?from=1767225600000&to=1767229200000")
        shown.shows(said)
        shown.until(PLOT, "a plot")
        asked = lab.queries("requests")[0]
        assert (asked["start"], asked["end"]) == ("1767225600", "1767229200")
        assert shown.problems == []


def test_clock_that_is_right_is_not_spoken_of(shown: Page, page: Path) -> None:
    with served(page, dashboard("lab", panel("timeseries", "It", "requests"))) as lab:
        clock(shown, 1)
        shown.open(f"{lab.url}/d/lab")
        shown.until(PLOT, "a plot")
        assert "clock" not in shown.ask("document.body.innerText")


def test_source_slower_than_the_refresh_is_waited_for(shown: Page, page: Path) -> None:
    """Asked anew at each refresh, it would never be shown."""
    wanted = panel("timeseries", "It", "requests")
    with served(page, dashboard("lab", wanted, refresh="5s")) as lab:
        lab.slow_s = SLOW_S
        shown.open(f"{lab.url}/d/lab")
        assert shown.until(NOTICE) == WAITED_FOR
        shown.until(PLOT, "a plot")
        assert len(lab.queries("requests")) == 1
        lab.slow_s = 0.0
        eventually(lambda: len(lab.queries("requests")) > 1, "the refresh", within_s=90)
        shown.until(f"!({NOTICE})", "no more waiting")
        assert shown.problems == []


def test_source_that_restarts_while_the_page_is_open(shown: Page, page: Path) -> None:
    wanted = [panel("timeseries", "It", "requests"), panel("stat", "Now", "now")]
    with served(page, dashboard("lab", *wanted, panel("alertlist", "Alerts"), refresh="5s")) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.shows("PostgreSQLDown in words")
        lab.down |= {"prometheus", "loki", "alertmanager"}
        said = "document.body.innerText.split('Prometheus does not answer: connection refused')"
        shown.until(f"{said}.length === 4", "every panel to say it")
        lab.down.clear()
        shown.until(f"{said}.length === 1 && {PLOT}", "every panel to show its data again")
        shown.shows("PostgreSQLDown in words")


def test_time_without_data_is_empty_and_no_trouble(shown: Page, page: Path) -> None:
    kinds = ("timeseries", "stat", "gauge", "bargauge", "piechart", "state-timeline", "barchart")
    kinds += ("heatmap",)
    panels = [panel(kind, kind, "empty") for kind in kinds]
    with served(page, dashboard("lab", *panels, panel("table", "table", "empty"))) as lab:
        shown.size(1280, 1800)
        shown.open(f"{lab.url}/d/lab?from=978307200000&to=978310800000")
        empty = "[...document.querySelectorAll('[data-empty]')].map((one) => one.innerText)"
        found = shown.until(f"(({empty}).length === {len(kinds)}) && {empty}")
        assert found == ["No data"] * len(kinds)
        shown.shows("No rows")
        assert shown.problems == []


@pytest.mark.parametrize("kind", ["timeseries", "stat", "table", "bargauge", "piechart"])
def test_ten_thousand_series_are_bounded_and_it_is_said(shown: Page, page: Path, kind: str) -> None:
    with served(page, dashboard("lab", panel(kind, "Many", "many", maxDataPoints=20))) as lab:
        shown.open(f"{lab.url}/d/lab")
        assert shown.until(NOTICE) == (
            "10,000 series: the first 500 are shown. Select fewer, or add them up."
        )
        shown.until(
            "Boolean(document.querySelector('section canvas, section [role=row], section svg'))"
        )
        assert shown.problems == []


@pytest.mark.parametrize("language", ["en-US@posix", "C", "de-CH"])
def test_browser_whose_language_is_none_shows_the_page(
    shown: Page, page: Path, language: str
) -> None:
    agent = shown.ask("navigator.userAgent")
    shown.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)
    with served(page, dashboard("lab", panel("timeseries", "It", "requests"))) as lab:
        shown.open(f"{lab.url}/d/lab")
        shown.until(PLOT, "a plot")
        kept = "de-CH" if language == "de-CH" else "en-US"
        assert shown.ask("[navigator.language, navigator.languages[0]]") == [kept, kept]
        assert shown.problems == []


@pytest.mark.parametrize(("scraped", "step", "rate"), [("15s", "15", "[60s]"), ("2s", "2", "[8s]")])
def test_points_are_as_near_as_the_data_source_has_them(
    shown: Page, page: Path, scraped: str, step: str, rate: str
) -> None:
    """Of an instance that lives sixty times faster, half a minute is half an hour."""
    wanted = panel("timeseries", "It", "rate(requests[$__rate_interval])")
    with served(page, dashboard("lab", wanted)) as lab:
        lab.scraped = scraped
        shown.open(f"{lab.url}/d/lab?from=now-30s&to=now")
        asked = eventually(lambda: lab.queries("rate"), "a query", within_s=90)[0]
        assert (asked["step"], asked["query"]) == (step, f"rate(requests{rate})")


@pytest.mark.parametrize(
    ("least", "step"),
    [
        ("$__rate_interval", "60"),
        ("${__rate_interval}", "60"),
        ("$__interval", "15"),
        ("45s", "45"),
    ],
)
def test_least_step_may_be_one_of_grafanas_own(
    shown: Page, page: Path, least: str, step: str
) -> None:
    wanted = panel("timeseries", "It", "requests")
    wanted["targets"][0]["interval"] = least
    with served(page, dashboard("lab", wanted)) as lab:
        shown.open(f"{lab.url}/d/lab?from=now-30s&to=now")
        shown.until(PLOT, "a plot")
        assert lab.queries("requests")[0]["step"] == step
        assert shown.problems == []


def test_least_step_that_is_no_duration_is_said_in_its_panel(shown: Page, page: Path) -> None:
    wanted = panel("timeseries", "It", "requests")
    wanted["targets"][0]["interval"] = "soon"
    with served(page, dashboard("lab", wanted, panel("timeseries", "Other", "others"))) as lab:
        shown.open(f"{lab.url}/d/lab?from=now-30s&to=now")
        shown.until(PLOT, "a plot of the other")
        shown.until("Boolean(document.querySelector('[aria-label=\"Panel status\"]'))")
