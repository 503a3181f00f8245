"""Loki's HTTP API, asked over HTTP."""

import asyncio
import json
import time
from itertools import count

import cramjam
import httpx
import pytest
import websockets

from stack.programs.lokiproto import PushRequest
from tests.programs.logstore.conftest import (
    SECOND,
    Running,
    configuration,
    free_port,
    running,
    start,
)

_names = count()
API = "/loki/api/v1"


@pytest.fixture
def service() -> str:
    """A label value of the test's own."""
    return f"service-{next(_names)}"


def now() -> int:
    return time.time_ns()


def test_api_gives_back_what_was_pushed(served: Running, service):
    at = now()
    answer = served.push({"service": service, "level": "info"}, (at, "one"), (at + 1, "two"))
    assert (answer.status_code, answer.content) == (204, b"")
    found = served.get(f"{API}/query_range", query=f'{{service="{service}"}}').json()
    assert found["status"] == "success"
    assert found["data"]["resultType"] == "streams"
    assert found["data"]["result"] == [
        {
            "stream": {"level": "info", "service": service},
            "values": [[str(at + 1), "two"], [str(at), "one"]],
        }
    ]
    assert found["data"]["stats"]["summary"]["totalLinesProcessed"] == 2


def test_api_takes_protobuf(served: Running, service):
    request = PushRequest()
    entry = request.streams.add(labels=f'{{service="{service}"}}').entries.add(line="line")
    entry.timestamp.FromNanoseconds(now())
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    kind = {"Content-Type": "application/x-protobuf"}
    assert httpx.post(f"{served.url}{API}/push", content=body, headers=kind).status_code == 204
    assert served.lines(f'{{service="{service}"}}') == ["line"]


def test_api_asks_in_both_directions_and_with_a_limit(served: Running, service):
    at = now()
    served.push({"service": service}, *((at + n, str(n)) for n in range(150)))
    query = f'{{service="{service}"}}'
    assert served.lines(query) == [str(n) for n in range(149, 49, -1)]
    assert served.lines(query, direction="forward", limit=3) == ["0", "1", "2"]


def test_api_answers_metric_queries(served: Running, service):
    at = now()
    served.push({"service": service}, (at - SECOND, "a"), (at - 2 * SECOND, "b"))
    query = f'sum by (service) (count_over_time({{service="{service}"}}[1m]))'
    found = served.get(f"{API}/query", query=query, time=str(at)).json()["data"]
    assert found["resultType"] == "vector"
    assert found["result"][0]["metric"] == {"service": service}
    assert found["result"][0]["value"][1] == "2"
    start = at // SECOND
    found = served.get(
        f"{API}/query_range", query=query, start=str(start), end=str(start + 10), step="5"
    ).json()["data"]
    assert found["resultType"] == "matrix"
    assert [value for _, value in found["result"][0]["values"]] == ["2", "2", "2"]
    assert found["result"][0]["values"][0][0] == start
    found = served.get(f"{API}/query", query="1+1", time=str(at)).json()["data"]
    assert (found["resultType"], found["result"][1]) == ("scalar", "2")


@pytest.mark.parametrize(
    "when",
    [
        lambda at: {"start": str(at), "end": str(at + 1)},
        lambda at: {"start": f"{at // SECOND}", "end": f"{at // SECOND + 1}"},
        lambda at: {"start": f"{at / SECOND - 1:.3f}", "end": f"{at / SECOND + 1:.3f}"},
        lambda at: {
            "start": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // SECOND)),
            "end": time.strftime("%Y-%m-%dT%H:%M:%S.5+00:00", time.gmtime(at // SECOND + 1)),
        },
        lambda at: {"since": "10m"},
        lambda at: {},
    ],
    ids=["nanoseconds", "seconds", "float", "RFC 3339", "since", "the last hour"],
)
def test_api_reads_times(served: Running, service, when):
    at = now()
    served.push({"service": service}, (at, "in"), (at - 2 * 3600 * SECOND + 3601 * SECOND, "old"))
    assert served.lines(f'{{service="{service}"}} |= "in"', **when(at)) == ["in"]


def test_api_takes_a_query_as_a_form(served: Running, service):
    served.push({"service": service}, (now(), "line"))
    form = {"query": f'{{service="{service}"}}'}
    found = httpx.post(f"{served.url}{API}/query_range", data=form).json()
    assert len(found["data"]["result"]) == 1


def test_api_lists_labels_values_and_series(served: Running, service):
    served.push_streams(
        [({"service": service, "level": level}, [(now(), "x")]) for level in ("info", "error")]
    )
    selector = f'{{service="{service}"}}'
    assert served.get(f"{API}/labels", query=selector).json()["data"] == ["level", "service"]
    values = served.get(f"{API}/label/level/values", query=selector).json()
    assert values == {"status": "success", "data": ["error", "info"]}
    assert served.get(f"{API}/label/nobody/values").json() == {"status": "success"}
    series = served.get(f"{API}/series", **{"match[]": [selector]}).json()["data"]
    assert series == [
        {"level": "error", "service": service},
        {"level": "info", "service": service},
    ]
    long_ago = served.get(f"{API}/labels", query=selector, start="1000000000", end="1000000001")
    assert long_ago.json() == {"status": "success"}


def test_api_shows_volumes(served: Running, service):
    at = now()
    served.push({"service": service, "level": "info"}, (at, "four"), (at + 1, "ä"))
    served.push({"service": service, "level": "error"}, (at, "x"))
    selector = f'{{service="{service}"}}'
    window = {"query": selector, "start": str(at), "end": str(at)}
    stats = served.get(f"{API}/index/stats", **window).json()
    assert stats == {"streams": 2, "chunks": 2, "entries": 2, "bytes": 5}
    window["end"] = str(at + 1)
    volume = served.get(f"{API}/index/volume", **window, targetLabels="level").json()["data"]
    assert [(one["metric"], one["value"][1]) for one in volume["result"]] == [
        ({"level": "info"}, "6"),
        ({"level": "error"}, "1"),
    ]
    volume = served.get(f"{API}/index/volume", **window).json()["data"]["result"]
    assert [(one["metric"], one["value"][1]) for one in volume] == [({"service": service}, "7")]
    volume = served.get(f"{API}/index/volume", **window, aggregateBy="labels").json()["data"]
    assert [one["metric"] for one in volume["result"]] == [{"service": ""}]


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("query_range", {"query": "{"}, "parse error at line 1, col 2: syntax error"),
        ("query_range", {}, "parse error"),
        ("query", {"query": '{a="b"}'}, "log queries are not supported as an instant query"),
        (
            "query_range",
            {"query": '{a="b"}', "limit": 6000},
            "max entries limit per query exceeded",
        ),
        ("query_range", {"query": '{a="b"}', "limit": 0}, "limit must be a positive value"),
        ("query_range", {"query": '{a="b"}', "limit": "x"}, 'parsing "x": invalid syntax'),
        ("query_range", {"query": '{a="b"}', "start": 2, "end": 1}, "end timestamp must not be"),
        ("query_range", {"query": '{a="b"}', "start": "soon"}, "could not parse 'start' parameter"),
        ("query_range", {"query": '{a="b"}', "start": 1}, "the query time range exceeds the limit"),
        ("query_range", {"query": '{a="b"}', "step": "0"}, "zero or negative query resolution"),
        ("query_range", {"query": '{a="b"}', "step": "1ms"}, "exceeded maximum resolution"),
        ("query_range", {"query": '{a="b"}', "direction": "up"}, "invalid direction 'up'"),
        ("query_range", {"query": '{a="b"}', "interval": "-1"}, "interval must be >= 0"),
        ("series", {}, "0 matcher groups supplied"),
        ("series", {"match[]": '{a="b"} |= "x"'}, "only label matchers are supported"),
        ("index/volume", {"query": '{a="b"}', "aggregateBy": "x"}, "invalid aggregation option"),
    ],
)
def test_api_refuses_in_plain_text(served: Running, path, query, words):
    answer = served.get(f"{API}/{path}", **query)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert words in answer.text


def test_api_refuses_lines_that_are_too_old_and_says_so(served: Running, service):
    answer = served.push({"service": service}, (1, "old"), (now(), "new"))
    assert answer.status_code == 400
    assert "has timestamp too old: 1970-01-01T00:00:00Z" in answer.text
    assert served.lines(f'{{service="{service}"}}') == ["new"]


def test_api_refuses_a_body_that_is_too_large(served: Running):
    answer = httpx.post(
        f"{served.url}{API}/push", content=b"x" * (33 << 20), timeout=60,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code == 413


def test_api_takes_a_line_of_a_quarter_megabyte_and_refuses_one_of_one(served: Running, service):
    assert served.push({"service": service}, (now(), "x" * (256 << 10))).status_code == 204
    answer = served.push({"service": service}, (now(), "x" * (1 << 20)))
    assert answer.status_code == 400
    assert "max entry size '262144' bytes exceeded" in answer.text


def test_api_says_what_it_is(served: Running):
    assert served.get("/ready").text == "ready\n"
    assert served.get(f"{API}/status/buildinfo").json()["version"] == "3.7.1"
    assert "limits_config:" in served.get("/config").text
    assert served.get("/loki/api/v1/nothing").status_code == 404


def test_api_counts_lines_that_came_and_lines_that_were_refused(served: Running, service):
    def value(name: str) -> float:
        found = [
            line for line in served.get("/metrics").text.splitlines() if line.startswith(name + "{")
        ]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)

    names = ("loki_distributor_lines_received_total", "loki_discarded_samples_total")
    before = [value(name) for name in names]
    served.push({"service": service}, (now(), "good"), (1, "old"))
    assert [value(name) - was for name, was in zip(names, before, strict=True)] == [1, 1]
    assert value("loki_request_duration_seconds_count") > 0


def test_api_tails_what_was_there_and_what_comes(served: Running, service):
    async def follow() -> list[str]:
        at = now()
        served.push({"service": service}, (at, "before ERROR"), (at + 1, "quiet"))
        url = served.url.replace("http", "ws") + f"{API}/tail"
        query = f'{{service="{service}"}} |= "ERROR"'
        lines: list[str] = []
        address = str(httpx.URL(url, params={"query": query}))
        async with websockets.connect(address) as socket:
            for wanted in (1, 2):
                while len(lines) < wanted:
                    frame = json.loads(await asyncio.wait_for(socket.recv(), 30))
                    for stream in frame["streams"]:
                        lines += [line for _, line in stream["values"]]
                await asyncio.to_thread(
                    served.push, {"service": service}, (now(), f"ERROR {wanted}"), (now(), "no")
                )
        return lines

    assert asyncio.run(follow()) == ["before ERROR", "ERROR 1"]


def test_api_closes_a_tail_that_cannot_be(served: Running):
    async def follow() -> str:
        url = httpx.URL(
            served.url.replace("http", "ws") + f"{API}/tail",
            params={"query": 'count_over_time({a="b"}[1m])'},
        )
        async with websockets.connect(str(url)) as socket:
            await asyncio.wait_for(socket.wait_closed(), 30)
            return socket.close_reason or ""

    assert "metric queries cannot be tailed" in asyncio.run(follow())


def test_api_ends_a_query_that_takes_too_long(tmp_path):
    with running(tmp_path, limits_config__query_timeout="1ms") as found:
        found.push({"service": "a"}, *((now() + n, f'{{"b": {n}}}') for n in range(5000)))
        answer = found.get(
            f"{API}/query_range", query='{service="a"} | json | b != 1', limit="5000"
        )
        assert answer.status_code == 504
        assert answer.text.startswith("request timed out, decrease the duration of the request")


def test_api_names_a_port_that_is_taken(tmp_path, served: Running, capfd):
    port = int(served.url.rsplit(":", 1)[1])
    with pytest.raises(AssertionError, match="ended while it started"):
        start(tmp_path, free_port(), configuration(tmp_path, port))
    assert f"`127.0.0.1:{port}` cannot be listened on" in capfd.readouterr().err
