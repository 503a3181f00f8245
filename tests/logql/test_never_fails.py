"""Whatever is asked of whatever lines: an answer, or a LogQLError that says why not."""

import json
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stack.logql import Budget, Engine, LogQLError, MemorySource, parse
from stack.logql.functions import FUNCTIONS
from stack.logql.golang import quoted
from stack.logql.pretty import pretty
from stack.logql.text import text_of
from tests.logql.queries import queries

SECOND = 1_000_000_000
PATIENT = settings(max_examples=150, suppress_health_check=list(HealthCheck))

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(["5m", "1.5s", "2kB", "1e999", "0x1p9999", "9" * 5000, "-0", "NaN", "\ufffd"]),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(["app", "level", "a"]), texts), inner, max_size=3
        ),
    ),
    max_leaves=8,
)
logfmts = st.lists(st.tuples(texts, texts), max_size=4).map(
    lambda pairs: " ".join(f"{name}={value}" for name, value in pairs)
)
lines = st.one_of(
    texts,
    documents.map(json.dumps),
    documents.map(lambda one: json.dumps(one)[:-1]),
    documents.map(lambda one: json.dumps({"_entry": str(one)[:40], "a": one})),
    logfmts,
    st.sampled_from(['{"a": "\\ud800"}', '{"\\ud800": 1}', "a=\"\\ud800\"", "\x1b[31mred",
                     "{" * 3000, '{"a":' * 3000, "[" * 3000, '{"a":1' * 500]),
)  # fmt: skip

operands = st.recursive(
    st.one_of(
        st.sampled_from([".", ".a", ".level", "$", "$x", "nil", "true", "__line__", "__timestamp__",
                         "now", "'a'", "'\\''", "'\\xff'", '"\\xff"', "55296", "-1", "1e9", "1e400",
                         "9223372036854775807", "99999999999999999999", "0x7f", "1.5", "300"]),
        texts.map(quoted),
    ),
    lambda inner: st.one_of(
        st.builds(
            lambda name, given: f"({' '.join([name, *given])})",
            st.sampled_from(sorted(FUNCTIONS)),
            st.lists(inner, max_size=4),
        ),
        st.builds(lambda of, name: f"({of}).{name}", inner, st.sampled_from(["a", "level"])),
    ),
    max_leaves=6,
)  # fmt: skip
templates = st.recursive(
    st.one_of(texts, operands.map(lambda one: f"{{{{ {one} }}}}")),
    lambda inner: st.one_of(
        st.builds("{{{{ if {} }}}}{}{{{{ else }}}}{}{{{{ end }}}}".format, operands, inner, inner),
        st.builds("{{{{ with $x := {} }}}}{}{{{{ end }}}}".format, operands, inner),
        st.builds("{{{{ range $i, $x := {} }}}}{}{{{{ end }}}}".format, operands, inner),
        st.builds("{{{{ $x := {} }}}}{}".format, operands, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=5,
)


def ask(query: str, found: list[str]) -> None:
    """Asks in every way; raises nothing but LogQLError, which is what is tested."""
    source = MemorySource()
    for at, line in enumerate(found):
        source.add({"app": "x", "level": "info"}, at * SECOND, line)
    engine = Engine(source, budget=Budget(deadline_s=5))
    end = len(found) * SECOND
    for call in (
        lambda: engine.query_range(query, 0, end, SECOND),
        lambda: engine.query_range(query, 0, end, SECOND, direction="forward"),
        lambda: engine.query(query, end),
    ):
        with suppress(LogQLError):
            call()


@PATIENT
@given(queries, st.lists(lines, max_size=4))
def test_every_query_of_every_line_is_answered_or_refused(query, found):
    ask(text_of(query), found)


@PATIENT
@given(templates, st.lists(lines, min_size=1, max_size=3), st.booleans())
def test_every_template_of_every_line_is_answered_or_refused(template, found, of_label):
    stage = f"label_format a={quoted(template)}" if of_label else f"line_format {quoted(template)}"
    ask(f'{{app="x"}} | json | {stage} | json | logfmt | a!="b"', found)
    ask(f'sum by (a) (bytes_over_time({{app="x"}} | json | {stage} [1m]))', found)


STAGES = [
    "json", 'json b="a.a[0]", c="[1]", d="a[\\"x\\"]"', "logfmt", "logfmt --strict --keep-empty",
    'logfmt x="a"', 'regexp "(?P<a>.)(?P<b>.*)"', 'pattern "<a>=<b>"', "unpack", "decolorize",
    "a > 5s", "a > 5kB", "a > 5", 'a = ip("10.0.0.0/8")', "drop a", 'keep level, a=~".*"',
    'line_format "{{.a}}{{__line__}}"', "label_format level=a",
]  # fmt: skip
RANGES = ["unwrap a", "unwrap duration(a)", "unwrap bytes(a)"]


@PATIENT
@given(st.lists(st.sampled_from(STAGES), max_size=4), st.lists(lines, max_size=6),
       st.sampled_from(RANGES))  # fmt: skip
def test_every_line_passes_every_stage(stages, found, unwrap):
    pipeline = "".join(f" | {one}" for one in stages)
    ask(f'{{app="x"}}{pipeline}', found)
    ask(f'{{app="x"}} |~ "." !> "<_>a<_>" |= ip("1.2.3.4"){pipeline}', found)
    ask(f'sum(sum_over_time({{app="x"}}{pipeline} | {unwrap} [1h]))', found)


TOKENS = [
    "{", "}", "(", ")", "[", "]", "[5m]", "[0s]", "[", ",", "|", "|=", "!=", "=~", "=", "==", ">",
    "+", "^", "-", '"x"', "`", '"', "app", "5m", "300y", "1e999", "7", "9" * 400, "json", "unwrap",
    "sum", "topk", "rate", "vector", "by", "on", "offset", "bool", "or", "and", "line_format",
    "sum(1)", "label_replace", "count_over_time", '{app="x"}', "#", "//", "/*", "\x00", "ä", "\\",
]  # fmt: skip


@PATIENT
@given(
    st.one_of(
        st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
        st.builds(
            lambda query, at, token: query[: at % len(query)] + token + query[at % len(query) :],
            queries.map(text_of),
            st.integers(0, 1000),
            st.sampled_from(TOKENS),
        ),
    )
)  # fmt: skip
def test_garbage_is_refused(text):
    ask(text, ["a=1", '{"a": 1}'])


@PATIENT
@given(queries)
def test_a_query_over_several_lines_is_the_same_query(query):
    assert parse(pretty(query)) == query
