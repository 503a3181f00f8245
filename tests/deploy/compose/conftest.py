"""A copy of the checked-in files, without what `doit compose up` writes beside them."""

import shutil
from pathlib import Path

import pytest

from stack.paths import CONFIG_ROOT

MADE_HERE = shutil.ignore_patterns(".env", "secrets", "backups", "__pycache__")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever this machine's environment says about Compose is not meant."""
    for name in ("IMAGES", "STORE_RELEASE", "PROXY_PORT", "COMPOSE_PROJECT_NAME", "COMPOSE_FILE"):
        monkeypatch.delenv(name, raising=False)
    copy = tmp_path / "config"
    shutil.copytree(CONFIG_ROOT, copy, ignore=MADE_HERE)
    return copy
