"""`doit verify-store` counts what it looked at, and fails if something wrong is left."""

from pathlib import Path
from typing import Any

import pytest

from stack.errors import CheckFailed
from stack.progress import Quiet
from stack.store.packageset import realise
from stack.tasks.verify_store import verify_store


@pytest.fixture
def tool(world: Any) -> Path:
    return realise(None, world.package_set, Quiet())["tool"] / "usr/bin/tool"


def test_what_is_good_is_counted(
    world: Any, tool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verify_store([], world.package_set)
    out = capsys.readouterr().out
    assert out.startswith("2 store paths, 3 artifacts, ")
    assert out.endswith("; 0 wrong, 0 repaired\n")


def test_what_is_left_fails(
    world: Any, tool: Path, mirror: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tool.chmod(0o755)
    verify_store([], world.package_set)
    assert capsys.readouterr().out.endswith("; 1 wrong, 1 repaired\n")
    tool.chmod(0o755)
    for artifact in (world.cache / "artifacts").iterdir():
        artifact.unlink()
    mirror.files.clear()
    with pytest.raises(CheckFailed, match="1 of 1 could not be repaired"):
        verify_store([], world.package_set)
    assert "`usr/bin/tool` has the mode 755: cannot be repaired" in capsys.readouterr().out
