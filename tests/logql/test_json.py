"""JSON lines give the same labels whether orjson or the lenient scanner reads them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.logql import hints
from stack.logql.entry import Entry
from stack.logql.jsonstage import _scan, json_stage

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=6),
        st.sampled_from(['"a":', "\ufffd", "-0", "{", "\\"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["a", "b-c", "9", " ", "é"]), inner, max_size=3),
    ),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from(["a", "a.b", "a_b", "1x", "", "stream"]), values)


def labels(line: str, *, fast: bool, required: list[str] | None = None) -> dict[str, str]:
    wanted = hints.required(required) if required else hints.ALL
    entry = Entry()
    entry.begin({"stream": "s"}, None, 0)
    if fast:
        json_stage(wanted)(line, entry)
    else:
        _scan(line, entry, wanted)
    return entry.labels()


@given(documents, st.booleans(), st.sampled_from([None, 1]))
@settings(max_examples=200)
def test_both_readers_give_the_same_labels(
    document: dict[str, object], ascii_only: bool, indent: int | None
) -> None:
    line = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    assert labels(line, fast=True) == labels(line, fast=False)


@given(documents)
@settings(max_examples=50)
def test_required_labels_are_those_of_all_labels(document: dict[str, object]) -> None:
    line = json.dumps(document)
    everything = labels(line, fast=True)
    wanted = {name: everything[name] for name in ("a_b", "stream") if name in everything}
    found = labels(line, fast=True, required=["a_b"])
    assert {name: found[name] for name in wanted} == wanted
    assert set(found) <= {"a_b", "stream"}


ODD = {
    "equal keys": ('{"a": 1, "a": 2}', {"a": "1"}),
    "names that become equal": ('{"a.b": 1, "a_b": 2}', {"a_b": "1"}),
    "trailing text": ('{"a": 1} more', {"a": "1"}),
    "a number as written": (
        '{"a": 1.500, "b": 1e2, "c": -0}',
        {"a": "1.500", "b": "1e2", "c": "-0"},
    ),
    "the same number twice": ('{"a": 1.5, "b": {"a": 2.50}}', {"a": "1.5", "b_a": "2.50"}),
    "a raw control character": ('{"a": "x\ty"}', {"a": "x\ty"}),
    "half a surrogate": ('{"a": "\\ud800"}', {"a": ""}),
    "a replacement character": ('{"a": "x\ufffd"}', {"a": "x "}),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_line_is_read_as_loki_reads_it(name: str) -> None:
    line, wanted = ODD[name]
    assert labels(line, fast=True) == {"stream": "s", **wanted}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", {}),
        ("plain", {}),
        ("{", {}),
        ('{"a": 1', {"a": "1"}),
        ('{"a": 1, "b": tru}', {"a": "1"}),
        ('{"a": 1, b: 2}', {"a": "1"}),
        ('{"a": "never closed', {}),
        ('{"a": 1 "b": 2}', {"a": "1"}),
        ("[" * 5000, {}),
    ],
)
def test_a_broken_line_keeps_what_came_before_and_says_so(line: str, found: dict[str, str]) -> None:
    got = labels(line, fast=True)
    assert got.pop("__error__") == "JSONParserErr"
    assert got.pop("__error_details__")
    assert got == {"stream": "s", **found}


def test_a_deeply_nested_line_does_not_break_the_engine() -> None:
    assert "stream" in labels('{"a":' * 3000 + "1" + "}" * 3000, fast=True)
