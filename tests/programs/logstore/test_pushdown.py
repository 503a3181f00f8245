"""SQL answers as the engine does, or not at all."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stack.logql import Engine, LogQLError
from stack.paths import REPO
from stack.programs.logstore.database import Database
from stack.programs.logstore.params import RangeQuery
from stack.programs.logstore.pushdown import SqlCounts
from stack.programs.logstore.querier import Failed, Querier
from stack.programs.logstore.reader import View
from stack.programs.logstore.segment import PLAIN_JSON
from stack.programs.logstore.settings import load
from tests.programs.logstore.conftest import SECOND, SMALL, T0, opened, part

LIMITS = load(REPO / "stack/config/loki/loki-config.yml").limits

LINES = st.sampled_from(
    [
        '{"path": "/a", "status": 200, "time": "1.5s", "level": "info"}',
        '{"path": "/b", "status": 500, "time": "20ms"}',
        '{"path":"/b","status":"500","time":"1s"}',
        '{ "path" : "/a" , "time" : "999.999999ms" }',
        '{"path": null, "status": 200.50, "time": 2}',
        '{"path": "", "time": ""}',
        '{"path": "/a", "path": "/b", "time": "3s", "time": "1ms"}',
        '{"p\\u0061th": "/escaped", "time": "1\\u0073"}',
        '{"path": "/a\\"b"}',
        '{"path": {"path": "/nested"}, "time": "1h30m"}',
        '{"path": ["/a"], "status": 1e5}',
        '{"path": 1.50, "status": -0}',
        '{"path": true, "status": 12345678901234567890123}',
        '{" path": "/space", "time": "soon"}',
        '{"pa-th": "/dash", "time": "-2s"}',
        '{"path": "/a", "time": "1.0000000000000000001s"}',
        '{"path": "/a",}',
        '{"path": "/a", "status": NaN}',
        '{"path": "/a"} and more',
        '{"path": "/a", broken',
        '{"path": "\ufffd"}',
        '{"service": "other", "path": "/a"}',
        '{"path_extracted": "/x", "path": "/a"}',
        '{"time": "2s", "status": "two"}',
        '{"__error__": "mine", "path": "/a", "time": "2s"}',
        "{}",
        "[]",
        "",
        "no json at all ERROR",
        "two\nlines ERROR {",
        '{"path": "/ERROR", "time": "0s"}',
    ]
)
STREAMS = st.sampled_from(
    [
        {"service": "a", "level": "info"},
        {"service": "a", "level": "error"},
        {"service": "a"},
        {"service": "a", "path": "/label"},
    ]
)
CORPUS = st.lists(st.tuples(STREAMS, st.integers(0, 59), LINES), min_size=1, max_size=40)

LOG_QUERIES = [
    '{service="a"} |= "ERROR"',
    '{service="a"} != "ERROR" |~ "t.o"',
    '{service="a"} |~ "two.lines"',
    '{service="a"} | json',
    '{service="a"} | json | path="/a"',
    '{service="a"} | json | path!="/a"',
    '{service="a"} | json | path=~"/a|/b"',
    '{service="a"} | json | path!~".*a"',
    '{service="a"} | json | path=""',
    '{service="a"} | json | time > 1s',
    '{service="a"} | json | time >= 1s and status="500"',
    '{service="a"} | json | time < 1s or path="/b"',
    '{service="a"} | json | time != 1s',
    '{service="a"} | json | time == 1s',
    '{service="a"} | json | status > 200',
    '{service="a"} | json | status == 500 | path="/b"',
    '{service="a"} | json | status >= 0 | time > 0s',
    '{service="a"} | json | level="info"',
    '{service="a"} | json | path_extracted="/a"',
    '{service="a"} | json | __error__=""',
    '{service="a"} | json | __error__!=""',
    '{service="a"} | json | time > 1s | line_format "{{.path}}" | path="/a"',
    '{service="a"} | json | service_extracted="other"',
    '{service="a", level!="info"} | json | status="200" or time > 10ms',
    '{service="a"} | json | time > 1KB',
    '{service="a"} | json p="path" | p="/a"',
]
METRIC_QUERIES = [
    'count_over_time({service="a"}[7s])',
    'rate({service="a"} |= "ERROR"[10s])',
    'bytes_over_time({service="a"} != "a"[10s] offset 3s)',
    'sum by (level) (count_over_time({service="a"}[10s]))',
    'sum without (level) (bytes_rate({service="a"}[20s]))',
    'sum by (path) (rate({service="a", path=""} | json [15s]))',
    'sum by (path, level) (count_over_time({service="a", path=""} | json [15s]))',
    'sum by (path) (count_over_time({service="a"} | json [15s]))',
    'sum by (path) (count_over_time({service="a", path=""} | json | __error__=""[15s]))',
    'sum by (path) (count_over_time({service="a", path=""} |= "path" | json | status="500"[15s]))',
    'sum by (status) (bytes_over_time({service="a", path=""} | json | time > 1s [15s]))',
    'sum(count_over_time({service="a"} | json [15s]))',
    'sum(rate({service="a", path=""} | json | time <= 1s [15s]))',
    'sum by (nobody) (count_over_time({service="a", path=""} | json [15s])) > 1',
    'topk(1, sum by (path) (rate({service="a", path=""} | json [15s])))',
    'sum(count_over_time({service="a"}[15s])) / sum(count_over_time({service="a"}[15s]))',
    'avg by (level) (count_over_time({service="a"}[15s]))',
]


def fill(store, corpus) -> None:
    """A part of it settled, the rest in memory."""
    for count, (labels, at, line) in enumerate(corpus):
        store.commit([part(labels, (T0 + at * SECOND + count % 3, line))])
        if count in (len(corpus) // 3, 2 * len(corpus) // 3):
            store.seal()
    assert store.settled(20)


def outcome(ask) -> object:
    try:
        return ask()
    except (LogQLError, Failed) as error:
        return str(error)


def both(store, query: str, step_ns: int = 5 * SECOND) -> tuple[object, object]:
    """(the engine's answer, the querier's)."""
    asked = RangeQuery(
        query=query, start_ns=T0, end_ns=T0 + 60 * SECOND, step_ns=step_ns, interval_ns=0,
        limit=1000, direction="backward",
    )  # fmt: skip
    with store.snapshot() as snapshot:
        engine = Engine(View(store=store, snapshot=snapshot))
        alone = outcome(
            lambda: engine.query_range(query, T0, T0 + 60 * SECOND, step_ns, 1000, "backward")
        )
    return alone, outcome(lambda: Querier(store, LIMITS).range(asked)[0])


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(corpus=CORPUS)
def test_pushdown_answers_as_the_engine_does(tmp_path_factory, corpus):
    with opened(tmp_path_factory.mktemp("pushdown") / "store", SMALL) as store:
        fill(store, corpus)
        for query in [*LOG_QUERIES, *METRIC_QUERIES]:
            alone, together = both(store, query)
            assert together == alone, query


@pytest.mark.nightly
@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(corpus=CORPUS, step_s=st.sampled_from([1, 4, 5, 15, 60]))
def test_pushdown_answers_as_the_engine_does_at_length(tmp_path_factory, corpus, step_s):
    with opened(tmp_path_factory.mktemp("pushdown") / "store", SMALL) as store:
        fill(store, corpus)
        for query in [*LOG_QUERIES, *METRIC_QUERIES]:
            alone, together = both(store, query, step_s * SECOND)
            assert together == alone, query


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ('{service="a"} |= "line 7"', 1),
        ('{service="a"} | json | n="7"', 1),
        ('{service="a"} | json | n >= 9 | t > 1ms', 1),
        ('{service="a"} | json | t > 8500us', 1),
        ('{service="a"} | json', 10),
    ],
)
def test_pushdown_spares_the_engine_rows_that_cannot_pass(store, query, read):
    """Or nothing above would have been tested."""
    lines = [f'{{"n": {count}, "t": "{count}ms", "text": "line {count}"}}' for count in range(10)]
    store.commit([part({"service": "a"}, *((T0 + n, line) for n, line in enumerate(lines)))])
    store.seal()
    assert store.settled(20)
    asked = RangeQuery(
        query=query, start_ns=T0, end_ns=T0 + SECOND, step_ns=SECOND, interval_ns=0, limit=100,
        direction="forward",
    )  # fmt: skip
    found, cost = Querier(store, LIMITS).range(asked)
    assert cost.lines == read
    assert sum(len(stream.entries) for stream in found.streams) == read


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        ('count_over_time({service="a"}[1m])', True),
        ('sum by (level) (rate({service="a"} |= "x" [1m]))', True),
        ('sum by (n) (count_over_time({service="a"} | json [1m]))', True),
        ('sum by (n) (count_over_time({service="a"} | json | t > 1s [1m]))', True),
        ('sum without (n) (count_over_time({service="a"} | json [1m]))', False),
        ('count_over_time({service="a"} | json [1m])', False),
        ('sum by (n) (count_over_time({service="a"} | logfmt [1m]))', False),
        ('sum by (n) (count_over_time({service="a"} | json | t > 1KB [1m]))', False),
        ('sum by (n) (sum_over_time({service="a"} | json | unwrap n [1m]))', False),
    ],
)
def test_pushdown_takes_what_it_can(store, query, taken):
    from stack.logql.budget import Budget
    from stack.logql.parse import parse

    store.commit([part({"service": "a"}, (T0, '{"n": 1}'))])
    with store.snapshot() as snapshot:
        counts = SqlCounts(view=View(store=store, snapshot=snapshot), budget=Budget())
        found = counts.evaluate(parse(query), [T0 + SECOND])
    assert (found is not None) is taken


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ('{"a": "b", "c": 1, "d": -1.5e+3, "e": true, "f": null}', True),
        ("{}", True),
        ('{"a":"ä"}', True),
        (' {"a":"b"}', False),
        ('{"a":"b"} ', False),
        ('{"a":"b",}', False),
        ('{"a":"\\n"}', False),
        ('{"a":"\n"}', False),
        ('{"a":{}}', False),
        ('{"a":[]}', False),
        ('{"a":01}', False),
        ('{"a":NaN}', False),
        ('{"a-b":1}', False),
        ('{"1":1}', False),
        ('{"a":"\ufffd"}', False),
        ("", False),
    ],
)
def test_plain_json_is_what_everybody_reads_the_same(line, plain):
    database = Database()
    found = database.rows(
        "SELECT regexp_full_match($line, $pattern)", {"line": line, "pattern": PLAIN_JSON}
    )
    database.close()
    assert found == [(plain,)]
