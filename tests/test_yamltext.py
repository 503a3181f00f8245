"""YAML that programs of the lab read themselves: what is wrong is named with its line."""

from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.yamltext import load

REFUSED = [
    ("a: 1\nb: [\n", ":3:1: not valid YAML: "),
    ("a: 1\na: 2\n", ":2:1: not valid YAML: `a` is written twice here, first in line 1."),
    ("a: 1\nb: \0\n", ":2:1: not valid YAML: unacceptable character #x0000"),
    (b"a: 1\nb: \xff\n", ":2: not UTF-8: byte 0xff."),
    ("a: 1\nb: 0x_\n", ":2:4: not valid YAML: `0x_` is no int."),
    ("a: 1\nb: !!int five\n", ":2:4: not valid YAML: `five` is no int."),
    ("a: 1\nb: !!int ''\n", ":2:4: not valid YAML: `` is no int."),
    ("a: 1\nb: !!float ''\n", ":2:4: not valid YAML: `` is no float."),
    ("a: 1\nb: !!bool 3\n", ":2:4: not valid YAML: `3` is no bool."),
    (f"a: 1\nb: {'9' * 5000}\n", ":2:4: not valid YAML: `9999"),
    ("a: 1\nb: &b [*b]\n", ":2:4: not valid YAML: an alias"),
    (
        f"a: {'[' * 5000}{']' * 5000}",
        ":1:103: not valid YAML: values lie more than 100 ",
    ),
    (f"a: {'[' * 100_000}", ":1:103: not valid YAML: values lie more than 100 "),
    (f"a: {'{a: ' * 50_000}", ":1:400: not valid YAML: values lie more than 100 "),
    (f"a:\n  {'- ' * 50_000}", ":2:201: not valid YAML: values lie more than 100 "),
    (f"{'? ' * 50_000}", ":1:201: not valid YAML: values lie more than 100 "),
    ("", ":1: the file is empty."),
    ("hello", ":1: the file has no keys with values."),
    ("- a: 1", ":1: the file has no keys with values."),
]


@pytest.mark.parametrize(("written", "said"), REFUSED)
def test_what_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, written: str | bytes, said: str
) -> None:
    file = tmp_path / "some.yml"
    file.write_bytes(written if isinstance(written, bytes) else written.encode())
    with pytest.raises(BadInput) as refused:
        load(file)
    assert refused.value.what.startswith(f"{file}{said}"), refused.value.what


def test_what_looks_like_a_time_stays_text(tmp_path: Path) -> None:
    file = tmp_path / "some.yml"
    file.write_text("from: 2024-01-01\nuntil: 2026-13-45\n")
    assert load(file) == {"from": "2024-01-01", "until": "2026-13-45"}
