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
    ("groups: &all [*all]", "an alias (`*`) stands within the anchor that it names"),
    (BOMB, "its aliases make more than 200,000 values of it"),
    (f"a: {'[' * 101}{']' * 101}", "values lie more than 100 levels deep"),
    (f"a: {'[' * 5000}{']' * 5000}", "values lie more than 100 levels deep"),
    (f"a: {'[' * 5000}", "not valid YAML"),
]


@pytest.mark.parametrize(("written", "said"), REFUSED)
def test_document_that_nobody_could_read_to_its_end_is_refused(
    tmp_path: Path, written: str, said: str
) -> None:
    (tmp_path / "rules.yml").write_text(written)
    found = parse(tmp_path / "rules.yml")
    assert isinstance(found, Problem)
    assert said in found.what


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


def test_tag_that_its_value_belies_makes_no_mapping() -> None:
    assert plain(compose("for: !!int five")) == {}
