"""Annotations are kept, over restarts and kills, and nothing else is."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from stack.programs.viewer import annotations
from stack.programs.viewer.annotations import Annotations, Wanted
from tests.programs.viewer.bench import ADMIN, Viewer, running


def post(viewer: Viewer, **fields: Any) -> tuple[int, dict[str, Any]]:
    answer, body = viewer.ask("POST", "/api/annotations", ADMIN, json.dumps(fields).encode())
    return answer.status, json.loads(body)


def texts(viewer: Viewer, query: str = "") -> list[str]:
    return [one["text"] for one in viewer.json(f"/api/annotations{query}")]


@pytest.fixture(scope="module")
def marked(viewer: Viewer) -> Viewer:
    """With four annotations."""
    for fields in (
        {"time": 1000, "timeEnd": 2000, "text": "deploy", "tags": ["deploy"]},
        {"time": 3000, "text": "incident", "tags": ["incident", "database"]},
        {"time": 4000, "timeEnd": 9000, "text": "long", "tags": ["incident"]},
        {"time": 5000, "text": "here", "dashboardUID": "overview", "panelId": 4},
    ):
        assert post(viewer, **fields)[0] == 200
    return viewer


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["long", "here", "incident", "deploy"]),
        ("?limit=2", ["long", "here"]),
        ("?from=2000&to=3500", ["incident", "deploy"]),
        ("?from=8000&to=8500", ["long"]),
        ("?from=2001&to=2999", []),
        ("?to=1000", ["deploy"]),
        ("?tags=incident", ["long", "incident"]),
        ("?tags=incident&tags=database", ["incident"]),
        ("?tags=deploy&tags=database&matchAny=true", ["incident", "deploy"]),
        ("?tags=%25", []),
        ("?dashboardUID=overview", ["here"]),
        ("?dashboardUID=overview&panelId=5", []),
        ("?dashboardUID=' OR 1=1 --".replace(" ", "%20"), []),
    ],
)
def test_find(marked: Viewer, query: str, found: list[str]) -> None:
    assert texts(marked, query) == found


def test_annotation_has_grafanas_shape(marked: Viewer) -> None:
    found = marked.json("/api/annotations?dashboardUID=overview")[0]
    assert found["dashboardUID"] == "overview"
    assert (found["panelId"], found["time"], found["timeEnd"]) == (4, 5000, 5000)
    assert {"alertId", "userId", "newState", "prevState", "login", "data"} <= set(found)
    assert marked.json(f"/api/annotations/{found['id']}") == found


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "the body is not JSON"),
        (b"{", 400, "the body is not JSON"),
        (b"[" * 100_000, 400, "the body is not JSON"),
        (b"[]", 400, "the body is not a JSON object"),
        (b"{}", 400, "`text` is missing or empty"),
        (b'{"text": ""}', 400, "`text` is missing or empty"),
        (b'{"text": 3}', 400, "`text` is not text"),
        (b'{"text": "\\ud800"}', 400, "`text` is not text"),
        (b'{"text": "a", "time": "now"}', 400, "`time` is not a whole number"),
        (b'{"text": "a", "time": -1}', 400, "`time` is not a whole number"),
        (b'{"text": "a", "time": true}', 400, "`time` is not a whole number"),
        (b'{"text": "a", "time": 9223372036854775808}', 400, "`time` is not a whole number"),
        (b'{"text": "a", "time": 5, "timeEnd": 4}', 400, "`timeEnd` is before `time`"),
        (b'{"text": "a", "tags": "b"}', 400, "`tags` is not a list"),
        (b'{"text": "a", "tags": [3]}', 400, "`tags` is not a list"),
        (b'{"text": "%s"}' % (b"x" * 10_001), 400, "at most 10000 characters"),
        (b'{"text": "%s"}' % (b"x" * (1 << 20)), 413, "larger than 1048576 bytes"),
        (b'{"text": "a", "dashboardUID": "none"}', 404, "Dashboard not found"),
    ],
)
def test_what_is_no_annotation_is_refused_and_not_kept(
    marked: Viewer, body: bytes, status: int, said: str
) -> None:
    before = texts(marked)
    answer, told = marked.ask("POST", "/api/annotations", ADMIN, body)
    assert answer.status == status
    assert said in json.loads(told)["message"]
    assert texts(marked) == before


@pytest.mark.parametrize("query", ["from=x", "to=-1", "limit=x", "panelId=1.5", "from=9" * 1])
def test_what_is_no_number_is_refused(marked: Viewer, query: str) -> None:
    status = marked.ask("GET", f"/api/annotations?{query}")[0].status
    assert status == (200 if query == "from=9" else 400)


def test_annotation_is_ended_and_removed(own_viewer: Viewer) -> None:
    """As an incident does: begun now, ended later."""
    status, told = post(own_viewer, text="PostgreSQLDown", tags=["incident"])
    assert status == 200
    assert told["message"] == "Annotation added"
    path = f"/api/annotations/{told['id']}"
    begun = own_viewer.json(path)
    assert begun["time"] == begun["timeEnd"]
    end = begun["time"] + 60_000
    body = json.dumps({"timeEnd": end}).encode()
    assert own_viewer.ask("PATCH", path, ADMIN, body)[0].status == 200
    ended = own_viewer.json(path)
    assert (ended["timeEnd"], ended["text"], ended["tags"]) == (end, begun["text"], ["incident"])
    body = json.dumps({"timeEnd": 1}).encode()
    assert own_viewer.said("PATCH", path, headers=ADMIN, body=body)[0] == 400
    assert own_viewer.ask("DELETE", path, ADMIN)[0].status == 200
    assert own_viewer.said("GET", path) == (404, "Annotation not found")
    assert own_viewer.said("DELETE", path, headers=ADMIN)[0] == 404


@pytest.mark.parametrize("id", ["0", "77", "9" * 30])
def test_annotation_that_is_not_there(own_viewer: Viewer, id: str) -> None:
    for method in ("GET", "DELETE", "PATCH"):
        body = b"{}" if method == "PATCH" else b""
        said = own_viewer.said(method, f"/api/annotations/{id}", headers=ADMIN, body=body)
        assert said == (404, "Annotation not found")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_acknowledged_is_there_after_a_restart(
    own_viewer: Viewer, number: signal.Signals
) -> None:
    assert post(own_viewer, text="before")[0] == 200
    own_viewer.process.send_signal(number)
    own_viewer.process.wait(10)
    with running(own_viewer.folder, own_viewer.source) as again:
        assert texts(again) == ["before"]
        assert post(again, text="after")[0] == 200


def test_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "KEPT", 3)
    kept = Annotations(tmp_path / "a.sqlite")
    for number in range(5):
        kept.add({"text": str(number), "time": number})
    assert [one["text"] for one in kept.find(Wanted())] == ["4", "3", "2"]
    kept.close()
