"""An instance's record that was edited, or cut short, is named; nothing else comes of it."""

import json
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.run.instance import FILE, Instance

GOOD = {
    "name": "default", "speed": 1.0, "ports": {"backend": {"http": 8000}}, "packages": {"a": "/x"},
    "config_root": "/x", "hash": "a", "created": 5.5, "generation": 3,
}  # fmt: skip


def test_good_record_is_an_instance(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps(GOOD))
    assert Instance.at(tmp_path).speed == 1.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"speed": "fast"}, "`speed` is 'fast', expected a number"),
        ({"speed": 0}, "`speed`, `created` or `backends`"),
        ({"speed": float("inf")}, "`speed`, `created` or `backends`"),
        ({"speed": float("nan")}, "`speed`, `created` or `backends`"),
        ({"backends": 0}, "`speed`, `created` or `backends`"),
        ({"ports": ["backend"]}, "`ports` is "),
        ({"ports": {"backend": 8000}}, "`ports.backend` is '8000'"),
        ({"ports": {"backend": {"http": "8000"}}}, "`ports.backend.http` is '8000'"),
        ({"ports": {"backend": {"http": 99999}}}, "`ports.backend.http` is 99999"),
        ({"packages": {"a": None}}, "`packages.a` is 'None', expected text"),
        ({"config_root": 5}, "`config_root` is '5', expected text"),
        ({"more": 5}, "`more` is unknown"),
    ],
)
def test_record_with_another_value_is_named(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    (tmp_path / FILE).write_text(json.dumps(GOOD | change))
    with pytest.raises(BadInput) as refused:
        Instance.at(tmp_path)
    assert refused.value.what.startswith(f"`{tmp_path / FILE}` cannot be read: {said}")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[" * 20_000, '{"name": "\xff'])
def test_record_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match="cannot be read"):
        Instance.at(tmp_path)
