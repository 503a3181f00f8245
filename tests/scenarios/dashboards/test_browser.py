"""The browser that pages are looked at with: it says what went wrong, and nothing of it stays."""

import contextlib
import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scenarios.dashboards.browser import VARIABLE, Browser, browser, program
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import REPO
from tests.waiting import eventually

BAD = b"""<!doctype html><html style="color-scheme: light dark"><title>Bad</title><p>Here I am
<script>console.error("a mistake"); setTimeout(() => { throw new Error("thrown") })</script>
<img src="http://127.0.0.2:9/pixel.png">"""


@pytest.fixture(scope="module")
def running() -> Iterator[Browser]:
    with browser(program()) as started:
        yield started


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(BAD)

        def log_message(self, format: str, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_mistakes_of_a_page_and_its_requests_elsewhere_are_gathered(
    running: Browser, site: str
) -> None:
    with running.page() as page:
        page.open(site)
        page.shows("Here I am")
        eventually(lambda: any("thrown" in each for each in page.problems))
        assert any("a mistake" in each for each in page.problems)
        assert page.foreign == ["http://127.0.0.2:9/pixel.png"]


def test_picture_has_the_size_and_the_theme_that_were_wished(running: Browser, site: str) -> None:
    with running.page() as page:
        page.size(390, 300).theme("dark")
        page.open(site)
        page.shows("Here I am")
        dark = page.picture()
        assert dark.startswith(b"\x89PNG")
        assert [int.from_bytes(dark[at : at + 4]) for at in (16, 20)] == [390, 300]
        page.theme("light")
        assert page.picture() != dark


def test_text_is_drawn_in_the_closure_s_own_font(running: Browser, site: str) -> None:
    """With a proportional font, an m is wider than an i."""
    with running.page() as page:
        page.open(site)
        page.shows("Here I am")
        measured = (
            "((pen) => { pen.font = '40px sans-serif';"
            " return pen.measureText('m').width > 2 * pen.measureText('i').width && pen.font })"
            "(document.createElement('canvas').getContext('2d'))"
        )
        assert page.ask(measured)
        assert page.ask("document.fonts.check('20px \"DejaVu Sans\"')")


def test_condition_that_stays_false_says_what_was_waited_for(running: Browser) -> None:
    with running.page() as page:
        with pytest.raises(CheckFailed, match=r"waited 0.1 s for a moon; at last it gave False"):
            page.until("1 === 2", "a moon", within_s=0.1)
        with pytest.raises(CheckFailed, match="ReferenceError: moon is not defined"):
            page.ask("moon")


def children() -> set[int]:
    return {each.pid for each in psutil.Process().children(recursive=True)}


def lives(pid: int) -> bool:
    """What has ended may wait for a while to be noticed by whoever adopted it."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_nothing_stays_after_an_exception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = children()
    with contextlib.suppress(ZeroDivisionError), browser(program()) as started:
        with started.page() as page:
            assert page.ask("1 + 1") == 2
        made = children() - before
        raise ZeroDivisionError
    assert started.pid in made
    eventually(lambda: not any(map(lives, made)), "its processes to be gone")
    assert list(tmp_path.iterdir()) == []


_WAIT = """
from scenarios.dashboards.browser import browser, program
with browser(program()) as started:
    with started.page() as page:
        page.ask("1 + 1")
        print(started.pid, flush=True)
        page.until("false")
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_browser_ends_with_whoever_started_it(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAIT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=REPO
    ) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        whole = [pid, *(each.pid for each in psutil.Process(pid).children(recursive=True))]
        os.kill(owner.pid, how)
        eventually(lambda: not [each for each in whole if psutil.pid_exists(each)], within_s=60)


def test_program_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/none/chromium")
    with pytest.raises(BadInput, match="STACK_BROWSER is `/none/chromium`, which is no program"):
        program()


def test_program_that_ends_at_once_says_its_last_words(tmp_path: Path) -> None:
    script = tmp_path / "chromium"
    script.write_text("#!/bin/sh\necho No usable sandbox >&2\nexit 7\n")
    script.chmod(0o755)
    with (
        browser(script) as started,
        pytest.raises(HostCannot, match=r"it ended with 7; it said 'No usable sandbox'"),
        started.page(),
    ):
        pass
