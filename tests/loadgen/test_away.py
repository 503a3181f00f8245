"""Who is away: the control file of the instance that users work against."""

import json
from pathlib import Path

import pytest

from loadgen.away import Away, control_of


def instance(folder: Path, name: str, port: int) -> Path:
    """The control file of an instance that was made there."""
    (folder / name).mkdir()
    record = {"name": name, "ports": {"backend": {"http": port}}}
    (folder / name / "instance.json").write_text(json.dumps(record))
    control = folder / name / "control" / "traffic.json"
    control.parent.mkdir()
    return control


def test_nobody_is_away_without_a_file() -> None:
    assert not Away(None).is_away("Resident")


def test_nobody_is_away_while_the_file_is_absent_or_empty(tmp_path: Path) -> None:
    control = tmp_path / "traffic.json"
    away = Away(control)
    assert not away.is_away("Resident")
    control.write_text("{}")
    assert not away.is_away("Resident")


def test_those_that_are_named_are_away_until_they_are_not(tmp_path: Path) -> None:
    control = tmp_path / "traffic.json"
    control.write_text('{"Resident": "away", "Planner": "away"}')
    away = Away(control)
    assert away.is_away("Resident")
    assert not away.is_away("Faculty")
    control.write_text("{}")
    assert not away.is_away("Resident")


@pytest.mark.parametrize("text", ['{"Resident": "off"}', '{"Resident": [1]}', '["Resident"]', "["])
def test_file_that_cannot_be_used_changes_nothing(
    tmp_path: Path, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    control = tmp_path / "traffic.json"
    control.write_text('{"Resident": "away"}')
    away = Away(control)
    assert away.is_away("Resident")
    control.write_text(text)
    assert away.is_away("Resident")
    assert "the last good values stay" in capfd.readouterr().err


def test_control_file_is_that_of_the_instance_with_the_port(tmp_path: Path) -> None:
    instance(tmp_path, "default", 8000)
    wanted = instance(tmp_path, "proof-1", 41234)
    (tmp_path / "half-made").mkdir()
    (tmp_path / "half-made" / "instance.json").write_text("{")
    assert control_of("http://127.0.0.1:41234", tmp_path) == wanted


def test_no_instance_has_the_port(tmp_path: Path) -> None:
    instance(tmp_path, "default", 8000)
    assert control_of("http://127.0.0.1:9", tmp_path) is None
    assert control_of("http://127.0.0.1:9", tmp_path / "none") is None
