"""Control files: what is seen, and what is said about one that cannot be used."""

from pathlib import Path

import pytest

from stack.programs.control import ControlFile, number

GOOD = '{"level": 7}'


def level(document: dict[str, object]) -> float:
    return number(document, "level", maximum=10) or 0.0


def put(path: Path, text: str) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(text)
    aside.replace(path)


def test_control_is_healthy_while_absent_or_empty_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    control = ControlFile(tmp_path / "absent", level, who="me")
    assert control.value() == 0.0
    put(tmp_path / "absent", GOOD)
    assert control.value() == 7.0
    put(tmp_path / "absent", "{}")
    assert control.value() == 0.0
    put(tmp_path / "absent", GOOD)
    (tmp_path / "absent").unlink()
    assert control.value() == 0.0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON: Expecting value"),
        ('{"level": 7', "not JSON: "),
        ("\udcff", "not JSON: "),
        ("[" * 100_000, "not JSON: "),
        ('{"level": ' + "[" * 500 + "]" * 500 + "}", "not JSON: values lie more than 100 levels"),
        ("[7]", "not a JSON object"),
        ('{"level": 11}', "`level` is 11, expected a number from 0 to 10"),
        ('{"level": 1e999}', "`level` is Infinity, expected"),
    ],
    ids=["empty", "truncated", "not text", "deep", "deep value", "list", "too much", "infinite"],
)
def test_control_that_is_bad_is_said_once_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    path = tmp_path / "control.json"
    put(path, GOOD)
    control = ControlFile(path, level, who="me")
    assert control.value() == 7.0
    aside = tmp_path / "aside"
    aside.write_bytes(text.encode(errors="surrogateescape"))
    aside.replace(path)
    assert [control.value() for _ in range(3)] == [7.0] * 3
    said = capsys.readouterr().err
    assert said.startswith(f"me: control file `{path}`: {message}")
    assert said.endswith("; the last good values stay\n")
    assert said.count("\n") == 1
    put(path, '{"level": 2}')
    assert control.value() == 2.0


def test_control_that_is_a_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ControlFile(tmp_path, level, who="me").value() == 0.0
    assert "cannot be read: Is a directory" in capsys.readouterr().err
