"""What Grafana's log pages and logcli ask besides queries; shapes as Loki 3.7 answers them."""

import time
from itertools import count

import pytest

from tests.programs.logstore.conftest import SECOND, Running

API = "/loki/api/v1"
_names = count()


@pytest.fixture
def service() -> str:
    return f"explored-{next(_names)}"


def test_detected_fields_have_kind_cardinality_parser_and_path(served: Running, service):
    now = time.time_ns()
    lines = [
        '{"status": 200, "took": "5ms", "user": {"id": "a"}, "service": "x"}',
        '{"status": 500, "took": "7ms", "user": {"id": "b"}, "ok": true, "size": "2 kB"}',
        "status=1.5 method=GET",
    ]
    served.push({"service": service}, *((now + at, line) for at, line in enumerate(lines)))
    selector = f'{{service="{service}"}}'
    found = served.get(f"{API}/detected_fields", query=selector).json()
    assert found["limit"] == 1000
    fields = {one.pop("label"): one for one in found["fields"]}
    assert fields == {
        "method": {"type": "string", "cardinality": 1, "parsers": ["logfmt"]},
        "ok": {"type": "boolean", "cardinality": 1, "parsers": ["json"], "jsonPath": ["ok"]},
        "service_extracted": {"type": "string", "cardinality": 1, "parsers": ["json"]},
        "size": {"type": "bytes", "cardinality": 1, "parsers": ["json"], "jsonPath": ["size"]},
        "status": {
            "type": "int", "cardinality": 3, "parsers": ["logfmt", "json"], "jsonPath": ["status"],
        },
        "took": {"type": "duration", "cardinality": 2, "parsers": ["json"], "jsonPath": ["took"]},
        "user_id": {
            "type": "string", "cardinality": 2, "parsers": ["json"], "jsonPath": ["user", "id"],
        },
    }  # fmt: skip
    few = served.get(f"{API}/detected_fields", query=selector, line_limit=1, limit=1).json()
    assert (len(few["fields"]), few["limit"]) == (1, 1)
    filtered = served.get(f"{API}/detected_fields", query=f'{selector} | logfmt | method="GET"')
    assert {one["label"] for one in filtered.json()["fields"]} == {"method", "status"}
    assert served.get(f"{API}/detected_fields", query='{service="nobody"}').json() == {}


def test_values_of_a_detected_field_can_be_put_into_a_query(served: Running, service):
    now = time.time_ns()
    for at, size in enumerate(("2 kB", "1536", "12MB")):
        served.push({"service": service}, (now + at, f'{{"size": "{size}", "a": {at}}}'))
    path, selector = f"{API}/detected_field/size/values", f'{{service="{service}"}}'
    found = served.get(path, query=selector).json()
    assert found == {"values": ["12MB", "1536", "2.0kB"], "limit": 1000}
    assert served.get(f"{API}/detected_field/none/values", query=selector).json() == {}
    assert len(served.get(path, query=selector, limit=2).json()["values"]) == 2


def test_detected_labels_leave_out_identifiers(served: Running, service):
    now = time.time_ns()
    for number in range(3):
        labels = {
            "service": service, "number": f"{number}.5", "pod": str(number),
            "flag": str(number % 2), "uuid": f"3f1cbeaa-0000-4000-8000-00000000000{number}",
        }  # fmt: skip
        served.push(labels, (now, "x"))
    found = served.get(f"{API}/detected_labels", query=f'{{service="{service}"}}').json()
    assert found == {
        "detectedLabels": [
            {"label": "flag", "cardinality": 2},
            {"label": "pod", "cardinality": 3},
            {"label": "service", "cardinality": 1},
        ]
    }
    assert served.get(f"{API}/detected_labels", query='{service="nobody"}').json() == {}


def test_patterns_count_lines_that_are_alike(served: Running, service):
    at = time.time_ns() // (10 * SECOND) * 10 * SECOND
    lines = [f"served swap-{n} in {n}.5ms to 10.0.0.{n}" for n in range(5)] + ["started"]
    served.push(
        {"service": service, "level": "info"}, *((at + n, line) for n, line in enumerate(lines))
    )
    window = {"start": str(at - SECOND), "end": str(at + SECOND), "step": "10s"}
    found = served.get(f"{API}/patterns", query=f'{{service="{service}"}}', **window).json()
    assert found == {
        "status": "success",
        "data": [
            {
                "pattern": "served <_> in <_> to <_>",
                "level": "info",
                "samples": [[at // SECOND, 5]],
            },
            {"pattern": "started", "level": "info", "samples": [[at // SECOND, 1]]},
        ],
    }
    filtered = f'{{service="{service}"}} |> "served <_> in <_> to <_>"'
    assert len(served.lines(filtered)) == 5
    nobody = served.get(f"{API}/patterns", query='{service="nobody"}').json()
    assert nobody == {"status": "success", "data": []}


def test_volume_range_counts_bytes_by_step(served: Running, service):
    step = 10 * SECOND
    base = (time.time_ns() // step - 6) * step
    served.push({"service": service, "level": "info"}, (base + 1, "four"), (base + step, "ab"))
    served.push({"service": service, "level": "error"}, (base + 2 * step + 5, "x"))
    selector = f'{{service="{service}"}}'
    window = {"query": selector, "start": str(base), "end": str(base + 3 * step), "step": "10s"}
    data = served.get(f"{API}/index/volume_range", **window).json()["data"]
    assert data["resultType"] == "matrix"
    (series,) = data["result"]
    assert series["metric"] == {"service": service}
    assert [value for _, value in series["values"]] == ["4", "2", "1"]
    ends = [(base + step * number) / SECOND for number in (1, 2, 3)]
    assert [at for at, _ in series["values"]] == pytest.approx(ends, abs=0.01)
    data = served.get(f"{API}/index/volume_range", **window, targetLabels="level").json()["data"]
    assert [one["metric"] for one in data["result"]] == [{"level": "info"}, {"level": "error"}]
    data = served.get(f"{API}/index/volume_range", **window, aggregateBy="labels").json()["data"]
    assert [one["metric"] for one in data["result"]] == [{"service": ""}]
    window |= {"start": str(base), "end": str(base + step - 1)}
    data = served.get(f"{API}/index/volume_range", **window).json()["data"]
    assert data["resultType"] == "vector"
    assert data["result"][0]["value"][1] == "4"


def test_format_query_gives_one_line_or_several(served: Running):
    found = served.get(f"{API}/format_query", query='sum by(a)(rate({b="c"}|="x"[5m]))').json()
    assert found == {"status": "success", "data": 'sum by (a) (rate({b="c"} |= "x" [5m]))'}
    long = f'sum by (a) (rate({{b="c"}} |= "{"x" * 95}" | json | status >= 500 [5m])) > 1'
    found = served.get(f"{API}/format_query", query=long).json()["data"]
    assert found.splitlines() == [
        "  sum by (a)(",
        "    rate(",
        '      {b="c"}',
        f'        |= "{"x" * 95}"',
        "        | json",
        "        | status >= 500 [5m]",
        "    )",
        "  )",
        ">",
        "  1",
    ]
    assert served.get(f"{API}/format_query", query=found).json()["data"] == found
    wrong = served.get(f"{API}/format_query", query='{a="b"')
    assert wrong.status_code == 400
    assert wrong.json()["status"] == "invalid-query"
    assert wrong.json()["error"].startswith("parse error at line 1, col 7: syntax error")


def test_drilldown_limits_are_those_of_the_configuration(served: Running):
    found = served.get(f"{API}/drilldown-limits").json()
    assert found["version"] == "3.7.1"
    assert found["pattern_ingester_enabled"] is True
    assert found["limits"]["max_entries_limit_per_query"] == 5000
    assert found["limits"]["query_timeout"].endswith("s")


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("detected_fields", {}, "parse error"),
        ("detected_fields", {"query": "vector(1)"}, "only log selector is supported"),
        ("detected_fields", {"query": '{a="b"}', "line_limit": "x"}, 'parsing "x"'),
        ("detected_fields", {"query": '{a="b"}', "line_limit": 6000}, "max entries limit"),
        ("detected_fields", {"query": '{a="b"}', "limit": 0}, "limit must be a positive value"),
        ("detected_field/a/values", {"query": "{"}, "parse error"),
        ("detected_labels", {"query": "{"}, "parse error"),
        ("detected_labels", {"start": 2, "end": 1}, "end timestamp must not be"),
        ("patterns", {"query": '{a="b"} |= "x"'}, "only label matchers are supported"),
        ("patterns", {"query": '{a="b"}', "step": "1e999"}, "out of range"),
        ("index/volume_range", {"query": '{a="b"} |= "x"'}, "only label matchers are supported"),
        ("index/volume_range", {"query": '{a="b"}', "step": "1ms"}, "exceeded maximum resolution"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(served: Running, path, query, words):
    answer = served.get(f"{API}/{path}", **query)
    assert answer.status_code == 400, answer.text
    assert words in answer.text
