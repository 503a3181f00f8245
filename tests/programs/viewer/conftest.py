"""Viewers for the tests, and a browser that shows their page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.dashboards.browser import Browser, Page, browser, program
from stack.store.packageset import realise
from tests.programs.viewer.bench import Viewer, furnish, running, source


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """One for all tests of a module, which change nothing that others see."""
    folder = tmp_path_factory.mktemp("viewer")
    with source() as asked:
        furnish(folder, asked.port)
        with running(folder, asked) as found:
            yield found


@pytest.fixture
def own_viewer(tmp_path: Path) -> Iterator[Viewer]:
    """One of the test's own."""
    with source() as asked:
        furnish(tmp_path, asked.port)
        with running(tmp_path, asked) as found:
            yield found


@pytest.fixture(scope="module", name="running")
def running_browser() -> Iterator[Browser]:
    with browser(program()) as started:
        yield started


@pytest.fixture(scope="module")
def page() -> Path:
    """The folder of the viewer's page."""
    return realise(["viewer"])["viewer"] / "share" / "viewer"


@pytest.fixture
def shown(running: Browser) -> Iterator[Page]:
    """A page of the browser, with nothing in it yet."""
    with running.page() as made:
        yield made
