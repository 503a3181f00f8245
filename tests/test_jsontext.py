"""JSON becomes what its dataclass says, or is refused with the field that is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from stack.jsontext import made, read


@dataclass(frozen=True, kw_only=True)
class Note:
    start: int


@dataclass(frozen=True, kw_only=True)
class Kept:
    name: str
    at_s: float = 0.0
    notes: tuple[Note, ...] = ()
    pair: tuple[int, str] = (1, "a")
    ports: dict[str, dict[str, int]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    points: Sequence[Sequence[float]] = ()
    limit: float | None = None
    flag: bool = False
    any: Any = None


def test_every_kind_of_field_is_made() -> None:
    document = {
        "name": "a", "at_s": 5, "notes": [{"start": 1}], "pair": [2, "b"],
        "ports": {"a": {"b": 3}}, "labels": {"c": "d"}, "points": [[1.5, 2]], "limit": None,
        "flag": True, "any": [{}],
    }  # fmt: skip
    assert made(Kept, document) == Kept(
        name="a", at_s=5, notes=(Note(start=1),), pair=(2, "b"), ports={"a": {"b": 3}},
        labels={"c": "d"}, points=[[1.5, 2]], limit=None, flag=True, any=[{}],
    )  # fmt: skip
    assert made(Kept, {"name": "a", "limit": 1.5}) == Kept(name="a", limit=1.5)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (5, "expected an object, not int"),
        ({}, "`name` is missing"),
        ({"name": "a", "other": 1}, "`other` is unknown"),
        ({"name": 5}, "`name` is '5', expected text"),
        ({"name": "a", "at_s": "5"}, "`at_s` is '5', expected a number"),
        ({"name": "a", "at_s": True}, "`at_s` is 'True', expected a number"),
        ({"name": "a", "at_s": 10**400}, "`at_s` is too large"),
        ({"name": "a", "flag": 1}, "`flag` is '1', expected true or false"),
        ({"name": "a", "notes": [{"start": 1.5}]}, "`notes`: `start` is '1.5', expected a whole"),
        ({"name": "a", "notes": {}}, "`notes` is '{}'"),
        ({"name": "a", "pair": [1]}, "`pair` is "),
        ({"name": "a", "ports": {"a": {"b": "c"}}}, "`ports.a.b` is 'c', expected a whole number"),
        ({"name": "a", "points": [1]}, "`points` is '1'"),
        ({"name": "a", "limit": "x"}, "`limit` is 'x'"),
    ],
)
def test_what_is_of_another_kind_is_named(document: object, said: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its text is compared below
        made(Kept, document)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("depth", [102, 5000, 200_000])
def test_what_lies_too_deep_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="more than 100 levels deep"):
        read("[" * depth + "]" * depth)


def test_what_lies_too_deep_is_no_value() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match="`name` is "):
        made(Kept, {"name": deep})


def test_what_is_read_is_json() -> None:
    assert read(b'{"a": [1]}') == {"a": [1]}
    assert read("[" * 99 + "]" * 99)
    with pytest.raises(ValueError, match="Expecting"):
        read("{")
