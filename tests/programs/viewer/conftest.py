"""Viewers for the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
