"""The page with the buttons: its own files alone, and no button that another site could press."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from scenarios.demo.web import PAGE, served
from stack.errors import BadInput


class Pressed:
    """A board that only remembers what was pressed."""

    def __init__(self) -> None:
        self.pressed: list[str] = []

    def show(self) -> dict[str, Any]:
        return {"incidents": []}

    def begin(self, name: str) -> None:
        if name == "Nothing":
            raise BadInput("there is no incident `Nothing`.", cure="Look at the list.")
        self.pressed.append(f"begin {name}")

    def end(self, name: str) -> None:
        self.pressed.append(f"end {name}")

    def settle(self) -> None:
        self.pressed.append("settled")


class Page:
    def __init__(self, address: str, board: Pressed) -> None:
        self.netloc = urlsplit(address).netloc
        self.board = board

    def ask(self, method: str, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(self.netloc, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=names)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    control = tmp_path / "control" / "grafana.json"
    board, instance = Pressed(), SimpleNamespace(control_file=lambda service: control)
    with served(board, instance) as address:  # type: ignore[arg-type]
        assert json.loads(control.read_text()) == {"incidents": address}
        yield Page(address, board)
    assert json.loads(control.read_text()) == {}
    assert board.pressed[-1] == "settled"


def test_page_is_made_of_its_own_files(page: Page) -> None:
    answer, body = page.ask("GET", "/")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"Incidents" in body
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for file in PAGE.iterdir():
        if file.name != "index.html":
            answer, body = page.ask("GET", f"/{file.name}")
            assert (answer.status, body) == (200, file.read_bytes())
            assert answer.headers["Content-Security-Policy"] == policy
    text = " ".join(file.read_text() for file in PAGE.iterdir())
    assert "//" not in text.replace("http://www.w3.org/2000/svg", "").replace("// The", "").replace(
        r"/^https?:\/\//", ""
    )
    assert page.ask("GET", "/nothing")[0].status == 404


def test_buttons_begin_and_end(page: Page) -> None:
    here = {"Origin": f"http://{page.netloc}", "Sec_Fetch_Site": "same-origin"}
    assert page.ask("POST", "/api/incidents/PostgreSQLDown", **here)[0].status == 200
    assert page.ask("DELETE", "/api/incidents/PostgreSQLDown")[0].status == 200
    assert page.board.pressed == ["begin PostgreSQLDown", "end PostgreSQLDown"]
    answer, body = page.ask("POST", "/api/incidents/Nothing", **here)
    assert answer.status == 409
    assert json.loads(body) == {
        "what": "there is no incident `Nothing`.", "cure": "Look at the list."
    }  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
    ],
)
def test_nobody_else_presses_them(page: Page, headers: dict[str, str], status: int) -> None:
    for method in ("POST", "DELETE"):
        assert page.ask(method, "/api/incidents/PostgreSQLDown", **headers)[0].status == status
    assert page.board.pressed == []
    # Reading is refused under another name alone.
    assert page.ask("GET", "/api/incidents", **headers)[0].status == (
        200 if status == 403 else status
    )
