"""`doit logql`: what is printed, and what is said when a query or the store is no good."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from stack.errors import BadInput, HostCannot
from stack.tasks import logql

NS = 1_795_518_610_691_000_001


@dataclass
class Store:
    """Answers every query alike."""

    port_number: int = 0
    name: str = "default"
    status: int = 200
    answer: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    """By the end of a path, before `answer`."""
    asked: dict[str, list[str]] = field(default_factory=dict)

    def port(self, service: str, name: str) -> int:
        return self.port_number

    def finds(self, kind: str, *result: object) -> None:
        self.answer = json.dumps({"data": {"resultType": kind, "result": list(result)}})


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    made = Store()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            answer = next(
                (text for end, text in made.answers.items() if url.path.endswith(end)), ""
            )
            if not answer:
                made.asked = parse_qs(url.query)
            self.send_response(made.status)
            self.end_headers()
            self.wfile.write((answer or made.answer).encode())

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port_number = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setattr(logql, "running", lambda name: made)
        yield made
        server.shutdown()
        thread.join()


def ask(*query: str, since: str = "10m", limit: int = 7, output: str = "default", **more) -> None:
    logql.logql(list(query), since, limit, more.get("follow", False), output, "default")


def two_streams(store: Store) -> None:
    store.finds(
        "streams",
        {"stream": {"service": "a", "level": "error"}, "values": [[str(NS + 5), "second"]]},
        {"stream": {"service": "a", "level": "info"}, "values": [[str(NS), "first [x]"]]},
    )


def test_lines_are_printed_in_order_with_the_labels_they_do_not_share(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    two_streams(store)
    ask('{service="a"}')
    said = capsys.readouterr()
    assert said.out == (
        '2026-11-24T11:10:10.691Z {level="info"} first [x]\n'
        '2026-11-24T11:10:10.691Z {level="error"} second\n'
    )
    assert said.err == "common labels: service=a\n"
    assert store.asked["limit"] == ["7"]
    start, end = (int(store.asked[name][0]) for name in ("start", "end"))
    assert end - start == 600 * 1_000_000_000


def test_raw_prints_lines_as_they_were_written(store: Store, capsys) -> None:
    two_streams(store)
    ask('{service="a"}', output="raw")
    assert capsys.readouterr().out == "first [x]\nsecond\n"


def test_jsonl_prints_one_object_a_line(store: Store, capsys) -> None:
    two_streams(store)
    ask('{service="a"}', output="jsonl")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "labels": {"service": "a", "level": "info"},
        "line": "first [x]",
        "timestamp": "2026-11-24T11:10:10.691000001Z",
    }
    assert second["line"] == "second"


def test_metric_query_is_a_table(store: Store, capsys) -> None:
    low = {"metric": {"level": "info"}, "values": [[1, "1"], [2, "0.5"]]}
    high = {"metric": {"level": "error"}, "values": [[1, "3"], [2, "4"]]}
    store.finds("matrix", low, high)
    ask("sum by (level) (rate({a=~`.+`}[1m]))")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["series", "last", "min", "max"],
        ["level=error", "4", "3", "4"],
        ["level=info", "0.5", "0.5", "1"],
    ]


def test_labels_of_a_line_are_printed_with_their_names(store: Store, capsys) -> None:
    labels = {"service": "a", "status": "200", "msg": 'say "x"'}
    other = {"stream": {"service": "a"}, "values": [[str(NS + 9), "plain"]]}
    store.finds("streams", {"stream": labels, "values": [[str(NS), "{}"]]}, other)
    ask('{service="a"} | json')
    first, second = capsys.readouterr().out.splitlines()
    assert first == r'2026-11-24T11:10:10.691Z {msg="say \"x\"", status="200"} {}'
    assert second == "2026-11-24T11:10:10.691Z plain"


def test_value_that_no_stream_has_is_said_with_those_there_are(store: Store, capsys) -> None:
    store.answers = {
        "/labels": json.dumps({"status": "success", "data": ["level", "service"]}),
        "/label/service/values": json.dumps({"data": ["alpha", "residency-scheduler-backend"]}),
        "/label/level/values": json.dumps({"data": ["info"]}),
    }
    for kind, query in (
        ("streams", '{service="backend", level="info", pod="x"}'),
        ("matrix", 'rate({service="backend", level="info", pod="x"}[1m])'),
    ):
        store.finds(kind)
        ask(query)
        said = capsys.readouterr().err.splitlines()
        assert said[1:] == [
            "no stream has a label `pod`; there are level, service",
            'no stream has service="backend"; there are residency-scheduler-backend, alpha',
        ]
    ask('{service=~"back.*", level="info"}')
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("kind", ["streams", "matrix"])
def test_nothing_found_is_said_beside_the_output(store: Store, capsys, kind: str) -> None:
    store.finds(kind)
    store.answers = {"/labels": '{"status": "success"}'}
    ask("{a=`b`}")
    said = capsys.readouterr()
    assert said.out == ""
    assert "within 10m" in said.err


def test_bad_query_shows_its_place(store: Store) -> None:
    store.status, store.answer = 400, "parse error at line 2, col 4: syntax error: unexpected }"
    with pytest.raises(BadInput) as caught:
        ask("{a=`b`}\n|= }")
    assert str(caught.value) == f"{store.answer}\n  |= }}\n     ^"


@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadInput), (429, BadInput), (500, HostCannot), (504, HostCannot)]
)
def test_what_the_store_says_is_passed_on(store: Store, status: int, kind: type) -> None:
    store.status, store.answer = status, "so it is"
    with pytest.raises(kind, match="so it is"):
        ask("{a=`b`}")


def test_store_that_is_away_has_a_cure(store: Store) -> None:
    store.port_number = 9  # the discard port, where nobody listens
    with pytest.raises(HostCannot, match="does not answer") as caught:
        ask("{a=`b`}")
    assert "doit restart loki --instance default" in caught.value.cure
    with pytest.raises(HostCannot, match="does not answer"):
        ask("{a=`b`}", follow=True)


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        ([], {}, "takes one query, not 0"),
        (["{a=`b`}", "|="], {}, "takes one query, not 2"),
        (["{a=`b`}"], {"output": "csv"}, "--output is `csv`"),
        (["{a=`b`}"], {"limit": 0}, "--limit is 0"),
        *(((["{a=`b`}"], {"since": bad}, f"--since is `{bad}`"))
          for bad in ("", "5", "5x", "0", "0s", "-5m", "1m 2s", "1m1h", "1.5h")),
    ],
)  # fmt: skip
def test_wrong_use_is_named(store: Store, arguments, changes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        ask(*arguments, **changes)
