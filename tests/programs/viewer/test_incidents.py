"""`/incidents` leads to the buttons of a demo, and says so when there is none."""

import json
import socket

import pytest

from stack.programs.viewer import incidents
from tests.programs.viewer.bench import Viewer


def control(viewer: Viewer, address: object) -> None:
    partial = viewer.folder / "control.part"
    partial.write_text(json.dumps({"incidents": address}))
    partial.replace(viewer.folder / "control.json")


def test_without_a_demo_it_says_how_to_begin_one(own_viewer: Viewer) -> None:
    answer, body = own_viewer.ask("GET", "/incidents")
    assert (answer.status, body.decode()) == (404, incidents.NOBODY)


def test_it_leads_to_the_page_for_as_long_as_somebody_is_there(own_viewer: Viewer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as page:
        address = f"http://127.0.0.1:{page.getsockname()[1]}/"
        control(own_viewer, address)
        answer, _ = own_viewer.ask("GET", "/incidents")
        assert (answer.status, answer.headers["Location"]) == (307, address)
    # As after `kill -9`: nobody has said that it is over.
    assert own_viewer.ask("GET", "/incidents")[0].status == 404


@pytest.mark.parametrize(
    "address",
    ["http://evil.example/", "http://127.0.0.1:1@evil.example/", "//evil.example", "javascript:x",
     "http://127.0.0.1:80/x", "http://127.0.0.1:99999999/", "http://127.0.0.1:99999/", 7, ["x"]],
)  # fmt: skip
def test_it_leads_nowhere_else(own_viewer: Viewer, address: object) -> None:
    control(own_viewer, address)
    assert own_viewer.ask("GET", "/incidents")[0].status == 404
