"""Every page of a running stack in a real browser that can reach this machine alone: nothing is
asked of another host, nothing is blank, and nobody complains on the console."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from scenarios.dashboards.browser import Browser, Page, browser, program
from stack.run.choice import GRAFANA, LOGS
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.services import SERVICES
from tests.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

DASHBOARDS = (
    "overview",
    "application-metrics",
    "database-metrics",
    "logs",
    "monitoring",
    "system-metrics",
)

LINES = {"queries": [{"refId": "A", "expr": '{job="scheduler"} |= "GET"'}]}

PAGES = [
    *(("grafana", f"/d/{uid}") for uid in DASHBOARDS),
    ("grafana", "/"),
    ("grafana", "/d/none"),
    ("grafana", "/incidents"),
    ("grafana", "/explore"),
    ("grafana", f"/explore?{urlencode({'left': json.dumps(LINES)})}"),
    ("inbox", "/"),
    ("inbox", "/runbooks"),
    ("inbox", "/runbooks/PostgreSQLDown"),
    ("backend", "/docs"),
    ("prometheus", "/classic/alerts"),
    ("prometheus", "/classic/graph"),
    ("prometheus", "/classic/rules"),
    ("prometheus", "/classic/status"),
    ("prometheus", "/classic/targets"),
    ("promtail", "/targets"),
]

LEAST_LETTERS = 40
"""What is shorter says nothing."""

EXPECTED = {"/d/none": "404", "/incidents": "404", "/explore": "400"}
"""What the browser itself says of an answer that is meant to be none."""


@pytest.fixture(scope="module")
def stack(state_dir: Path) -> Iterator[Instance]:
    with pytest.MonkeyPatch.context() as patch:
        for each in (LOGS, GRAFANA):
            patch.setenv(each.variable, each.own)
        with running("pages", speed=60.0) as instance:
            yield instance


@pytest.fixture(scope="module")
def looking() -> Iterator[Browser]:
    with browser(program()) as started:
        yield started


def letters(page: Page) -> str:
    """The page's words, also those in frames."""
    return str(page.ask("document.body?.innerText.trim() ?? ''"))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("service", "path"), PAGES)
def test_page_is_whole_without_a_network(
    stack: Instance, looking: Browser, service: str, path: str, width: int
) -> None:
    with looking.page() as page:
        page.size(width)
        page.open(stack.layout.url(service, "http") + path)
        eventually(lambda: page.ask("document.readyState") == "complete", within_s=90)
        eventually(
            lambda: len(said := letters(page)) >= LEAST_LETTERS and "Loading…" not in said,
            "words on the page",
            within_s=90,
        )
        assert page.foreign == []
        assert [each for each in page.problems if EXPECTED.get(path, "none") not in each] == []
        assert page.requests


def test_pages_of_this_list_are_those_that_services_offer(stack: Instance) -> None:
    """A page of a service that the list lacks would not be looked at."""
    offered = {(name, service.page) for name, service in SERVICES.items() if service.page}
    assert offered <= set(PAGES)
    listed = httpx.get(
        stack.layout.url("grafana", "http") + "/api/search?type=dash-db", timeout=30
    ).json()
    assert {one["uid"] for one in listed} == set(DASHBOARDS)
