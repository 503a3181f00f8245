"""Images of all services, made once from the host's store."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.deploy.images.assembly import assemble


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("images")
    assemble(folder)
    yield folder
    shutil.rmtree(folder)  # nearly a gigabyte, which pytest would keep
