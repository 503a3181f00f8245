"""YAML that would lead a reader astray is refused by name, and odd values stay what they are."""

from pathlib import Path

import pytest

from stack.check.problem import Problem
from stack.check.yamlfile import ConfigFile, compose, parse, plain

BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]\n"
    for below, name in zip("abcdef", "bcdefg", strict=True)
)
REFUSED = [
    ("a: 1\nb: 2\na: 3\n", ":3: not valid YAML: `a` is written twice here, first in line 1."),
    ("a:\n  - {b: 1, b: 2}\n", ":2: not valid YAML: `b` is written twice here, first in line 2."),
    ("a: 1\nb: \0\n", ":2: not valid YAML: unacceptable character #x0000"),
    ("a: 1\nb: \x1b\n", ":2: not valid YAML: unacceptable character #x001b"),
    (b"a: 1\nb: \xff\n", ":2: not valid YAML: not UTF-8: byte 0xff."),
    ("a: 1\nb: &b [*b]\n", ":2: not valid YAML: an alias"),
    ("", ": the file is empty."),
    ("# nothing\n", ": the file is empty."),
    ("# words\nhello\n", ":2: the file has no keys with values."),
    ("- a: 1\n", ":1: the file has no keys with values."),
    ("groups: &all [*all]", "an alias (`*`) stands within the anchor that it names"),
    (BOMB, "its aliases make more than 200,000 values of it"),
    (f"a: {'[' * 101}{']' * 101}", "values lie more than 100 levels deep"),
    (f"a: {'[' * 5000}{']' * 5000}", "values lie more than 100 levels deep"),
    (f"a: {'[' * 5000}", "not valid YAML"),
]


@pytest.mark.parametrize(("written", "said"), REFUSED)
def test_document_that_nobody_could_read_to_its_end_is_refused(
    tmp_path: Path, written: str | bytes, said: str
) -> None:
    (tmp_path / "rules.yml").write_bytes(
        written if isinstance(written, bytes) else written.encode()
    )
    found = parse(tmp_path / "rules.yml")
    assert isinstance(found, Problem)
    assert said in found.text(tmp_path)


def test_same_key_in_different_mappings_or_merged_is_read(tmp_path: Path) -> None:
    text = "a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: {x: 3}\n'1': text\n1: number\n"
    (tmp_path / "rules.yml").write_text(text)
    found = parse(tmp_path / "rules.yml")
    assert isinstance(found, ConfigFile)
    assert found.plain["b"] == {"x": 2}


def test_aliases_as_people_use_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: [*a, *a]\n")
    found = parse(tmp_path / "rules.yml")
    assert isinstance(found, ConfigFile)
    assert found.plain == {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": [{"x": 1}, {"x": 1}]}
    assert found.plain == plain(found.root), "constructing it leaves the nodes as they are"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-13-45", "2026-13-45"),
        ("2026-01-01", "2026-01-01"),
        ("!seconds 5", "5"),
        ("!!python/name:os.system ''", ""),
    ],
)
def test_value_of_a_kind_that_the_programs_do_not_know_stays_text(written: str, value: str) -> None:
    assert plain(compose(f"for: {written}")) == {"for": value}


@pytest.mark.parametrize("value", ["!!int five", "!!bool 3", "0x_"])
def test_value_that_its_tag_or_form_belies_makes_no_mapping(value: str) -> None:
    assert plain(compose(f"for: {value}")) == {}
