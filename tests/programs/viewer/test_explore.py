"""`/explore`: where the links of alerts on logs lead."""

import json
from urllib.parse import quote_plus

import pytest

from tests.programs.viewer.bench import Viewer

RANGE = "/loki/api/v1/query_range"


def at(expr: object) -> str:
    return "/explore?left=" + quote_plus(json.dumps({"queries": [{"expr": expr}]}))


def shown(own_viewer: Viewer, path: str) -> tuple[int, str]:
    response, body = own_viewer.ask("GET", path)
    return response.status, body.decode()


def answer(own_viewer: Viewer, *lines: str) -> None:
    values = [[str(1_795_000_000_000_000_000 + nth), line] for nth, line in enumerate(lines)]
    result = [{"stream": {"service": "postgresql"}, "values": values}]
    body = json.dumps({"data": {"resultType": "streams", "result": result}}).encode()
    own_viewer.source.answers[RANGE] = (200, {"Content-Type": "application/json"}, body)


def test_alert_on_logs_leads_to_the_lines_that_its_rule_counts(own_viewer: Viewer) -> None:
    answer(own_viewer, "first", "then <script>alert(1)</script>")
    rule = 'sum by (service) (count_over_time({service="postgresql"} |= "FATAL" [5m])) > 3'
    status, page = shown(own_viewer, at(rule))
    assert status == 200
    assert page.index("then &lt;script&gt;") < page.index(">first<"), "the newest first"
    assert "2026-11-" in page
    asked = own_viewer.source.asked[-1].path
    assert quote_plus('{service="postgresql"} |= "FATAL"') in asked
    assert "direction=backward" in asked


def test_part_without_lines_says_so(own_viewer: Viewer) -> None:
    answer(own_viewer)
    assert "No line within the last hour." in shown(own_viewer, at('{service="a"}'))[1]


@pytest.mark.parametrize(
    "path",
    ["/explore", "/explore?left=", "/explore?left=[]", "/explore?left={", at(7), at(" "),
     at("{service="), "/explore?left=" + "[" * 5000],
)  # fmt: skip
def test_address_without_a_query_is_refused_in_words(own_viewer: Viewer, path: str) -> None:
    status, page = shown(own_viewer, path)
    assert status == 400
    assert 'class="trouble"' in page
    assert not own_viewer.source.asked


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b"too many outstanding requests", "too many outstanding requests"),
        (200, b"<html>", "Loki: "),
        (200, b"{}", "its answer is not one to a query for lines"),
        (200, b'{"data": {"result": [{"stream": {}, "values": [[1]]}]}}', "Loki: "),
        (200, b'{"data": {"result": [{"stream": [], "values": [["1", "a"]]}]}}', "Loki: its"),
        (200, b'{"data": {"result": [{"stream": {}, "values": [[1e999, "a"]]}]}}', "Loki: its"),
        (
            200,
            b'{"data": {"result": [{"stream": {}, "values": [["' + b"9" * 400 + b'", "a"]]}]}}',
            "Loki: its",
        ),
    ],
)
def test_what_the_log_store_says_is_shown(
    own_viewer: Viewer, status: int, body: bytes, said: str
) -> None:
    own_viewer.source.answers[RANGE] = (status, {"Content-Type": "text/plain"}, body)
    found, page = shown(own_viewer, at('{service="a"}'))
    assert found == 200
    assert said in page
