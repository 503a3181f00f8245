"""Whatever a client sends, it is not the store that fails."""

import time

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stack.logql.text import text_of
from tests.logql.queries import queries
from tests.logql.test_never_fails import TOKENS, lines, templates, texts
from tests.programs.logstore.conftest import Running

API = "/loki/api/v1"
PATIENT = settings(max_examples=120, suppress_health_check=list(HealthCheck))

numbers = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.sampled_from(["", "1.0e400", "1e999", "NaN", "inf", "٣", "5m", "300y", "-1", "0", "1_0",
                     "9" * 5000, "2024-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "\x00"]),
    texts,
)  # fmt: skip
asked = st.one_of(
    queries.map(text_of),
    st.lists(st.sampled_from(TOKENS), max_size=20).map(" ".join),
    templates.map(lambda one: f'{{app="x"}} | line_format `{one.replace("`", "")}`'),
    texts,
)
PATHS = [
    "query", "query_range", "labels", "label/a/values", "series", "index/stats", "index/volume",
    "index/volume_range", "detected_fields", "detected_field/a/values", "detected_labels",
    "patterns", "format_query",
]  # fmt: skip
NAMES = [
    "start", "end", "step", "limit", "time", "since", "interval", "direction", "line_limit",
    "aggregateBy", "targetLabels", "match[]",
]  # fmt: skip


@pytest.fixture(scope="module")
def filled(served: Running) -> Running:
    now = time.time_ns()
    for at, line in enumerate(['{"level": "info", "app": {"a": [1]}}', "a=1 level=info", "x", ""]):
        served.push({"app": "x"}, (now - at, line))
    return served


@PATIENT
@given(
    path=st.sampled_from(PATHS),
    query=asked,
    more=st.dictionaries(st.sampled_from(NAMES), numbers, max_size=3),
)
def test_every_request_is_answered_or_refused(filled: Running, path: str, query: str, more):
    form = {"query": query, **more}
    answer = httpx.post(f"{filled.url}{API}/{path}", data=form, timeout=60)
    assert answer.status_code in (200, 400, 413), (answer.status_code, answer.text)
    assert answer.text.strip() or answer.status_code == 200


bodies = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda label, at, line: (
            f'{{"streams": [{{"stream": {{"app": "{label}"}}, "values": [[{at}, {line}]]}}]}}'
        ).encode("utf-8", "surrogatepass"),
        st.one_of(texts, st.sampled_from(["\\ud800", "\\udfff\\ud800", "\\u0000", "\ud800"])),
        st.sampled_from(['"1"', "1", '"9' + "9" * 5000 + '"', '"-1"', '"٣"', '""', "null",
                         f'"{time.time_ns()}"']),
        st.sampled_from(['"x"', '"\\ud800"', "1", "{}",
                         '"a\\ud83d\\ude00"', '"x", {"a": "\\ud800"}',
                         "[" * 2000 + "]" * 2000]),
    ),
    lines.map(lambda one: one.encode()),
)  # fmt: skip


@PATIENT
@given(body=bodies, kind=st.sampled_from(["application/json", "application/x-protobuf"]))
def test_every_push_is_taken_or_refused(filled: Running, body: bytes, kind: str):
    headers = {"Content-Type": kind}
    answer = httpx.post(f"{filled.url}{API}/push", content=body, headers=headers, timeout=60)
    assert answer.status_code in (204, 400, 413, 422), (answer.status_code, answer.text)
