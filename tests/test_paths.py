"""Folders that the environment chooses, counted from where the command was given."""

from pathlib import Path

import pytest

from stack.paths import cache_dir, state_dir


@pytest.mark.parametrize(
    ("variable", "folder"), [("STACK_STATE", state_dir), ("STACK_CACHE", cache_dir)]
)
@pytest.mark.parametrize("value", ["here", "./here", "../b/here"])
def test_relative_folder_counts_from_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, folder, value: str
) -> None:
    (tmp_path / "b").mkdir()
    monkeypatch.setenv("STACK_CALLED_FROM", str(tmp_path / "b"))
    monkeypatch.setenv(variable, value)
    assert folder() == tmp_path / "b" / "here"
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert folder() == tmp_path / "elsewhere"
