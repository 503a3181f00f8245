import pytest

from stack.programs.inbox.message import Kind
from stack.programs.inbox.reading import alert_names, kind_of, read_object, strings, unrendered

HEADINGS = [
    ("no heading", "", Kind.OTHER, ()),
    ("prose", "Weekly report of DiskFull", Kind.OTHER, ()),
    ("status within", "Re: [FIRING:1] DiskFull", Kind.OTHER, ()),
    ("another bracket", "[CRITICAL] DiskFull", Kind.OTHER, ()),
    ("status alone", "[FIRING:1]", Kind.FIRING, ()),
    ("firing", "[FIRING:1] HighLatencyP95 - P95 is 3 s", Kind.FIRING, ("HighLatencyP95",)),
    ("resolved", "[RESOLVED] PostgreSQLDown database", Kind.RESOLVED, ("PostgreSQLDown",)),
    ("resolved, counted", "[RESOLVED:2] DiskFull", Kind.RESOLVED, ("DiskFull",)),
    ("both counts", "[FIRING:1, RESOLVED:2] DiskFull", Kind.FIRING, ("DiskFull",)),
    ("severity between", "[FIRING:1] [critical] DiskFull (x)", Kind.FIRING, ("DiskFull",)),
    ("colon after the name", "[FIRING:1] DiskFull: /data", Kind.FIRING, ("DiskFull",)),
    ("several", "[FIRING:2] DiskFull, DiskSlow on db1", Kind.FIRING, ("DiskFull", "DiskSlow")),
    ("one twice", "[FIRING:2] DiskFull, DiskFull", Kind.FIRING, ("DiskFull",)),
]


@pytest.mark.parametrize(
    ("heading", "kind", "names"), [row[1:] for row in HEADINGS], ids=[row[0] for row in HEADINGS]
)
def test_heading_gives_kind_and_names(heading, kind, names):
    assert kind_of(heading) is kind
    assert alert_names([heading]) == names


def test_kind_is_that_of_the_first_heading_with_a_status():
    assert kind_of("hello", "[RESOLVED] A", "[FIRING:1] B") is Kind.RESOLVED


def test_names_are_found_in_lists_of_labels():
    text = "Labels:\n - alertname = DiskFull\n - team = database\n\n alertname: DiskSlow\n"
    assert alert_names(["[FIRING:2] DiskSlow"], [text]) == ("DiskSlow", "DiskFull")


UNRENDERED = [
    ("nothing", "", 0),
    ("plain braces", "a {b} and 5 % of %s", 0),
    ("JSON in prose", '{"a": 1}', 0),
    ("missing value", "left: <no value>", 1),
    ("missing value, escaped", "left: &lt;no value&gt;", 1),
    ("wrong verb", "value %!s(float64=3)", 1),
    ("extra argument", "value %!(EXTRA string=a)", 1),
    ("opened", "{{ .Labels.job", 1),
    ("whole action", "{{ .Labels.job }}", 2),
    ("the same twice", "<no value> <no value>", 1),
]


@pytest.mark.parametrize(
    ("text", "count"), [row[1:] for row in UNRENDERED], ids=[row[0] for row in UNRENDERED]
)
def test_unrendered_finds_each_kind_once(text, count):
    found = unrendered([text, text])
    assert len(found) == count
    assert all(problem.startswith("unrendered template") for problem in found)


NO_OBJECTS = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"{'a': 1}",
    b"\xff\xfe{",
    b'{"a": "\xc3\x28"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"a": ' + b"9" * 10_000 + b"}",
]


@pytest.mark.parametrize("body", NO_OBJECTS, ids=range(len(NO_OBJECTS)))
def test_read_object_refuses_what_is_not_an_object(body):
    assert read_object(body) is None


def test_strings_walks_values_and_keys_at_any_depth():
    value: object = "core"
    for _ in range(50_000):
        value = [value]
    assert list(strings({"key": value, "number": 1})).count("core") == 1
