"""How work says how it goes: on a terminal, in a log, to a program, and to nobody."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from stack import progress
from stack.paths import REPO
from tests.waiting import eventually

WORK = """
import sys, time
from rich.text import Text
from stack import progress
with (
    progress.shown() as report,
    report.watch(lambda width, height: [Text(f"{width}x{height}", style="red")]),
):
    report.say("planned 2", "planned", things=2)
    with report.doing("first"), report.doing("second"):
        report.begin("thing 1.0", 4_000_000)
        report.advance("thing 1.0", 3_000_000)
        time.sleep(1)
        report.end("thing 1.0")
    with progress.shown() as same:
        assert same is report
progress.result("two done", "over", done=2)
"""


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    yield
    progress.choose(progress.Way.AUTO)


def run(way: str = "AUTO", **env: str) -> subprocess.CompletedProcess[str]:
    script = f"from stack import progress; progress.choose(progress.Way.{way})\n{WORK}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          cwd=REPO, env={**os.environ, **env}, check=True)  # fmt: skip


def on_terminal(**env: str) -> str:
    """All that the work writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    child = subprocess.Popen([sys.executable, "-c", WORK], stdout=theirs, stderr=theirs, cwd=REPO,
                             env={**inherited, "TERM": "xterm", **env})  # fmt: skip
    os.close(theirs)
    said = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        said += chunk
    os.close(ours)
    assert child.wait() == 0
    return said.decode()


def test_log_gets_a_line_for_what_begins_and_what_was_fetched() -> None:
    done = run()
    assert done.stdout == "two done\n"
    *lines, fetched = done.stderr.splitlines()
    assert lines == ["planned 2", "first …", "second …"]
    assert fetched.startswith("fetched thing 1.0: 3.0 MB, ")


def test_quiet_leaves_results() -> None:
    done = run("QUIET")
    assert (done.stdout, done.stderr) == ("two done\n", "")


def test_events_are_objects_a_line_with_their_time() -> None:
    done = run("EVENTS")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert all(abs(one.pop("at") - time.time()) < 600 for one in events)
    assert [one["event"] for one in events] == [
        "planned", "began", "began", "began", "ended", "ended", "ended", "over",
    ]  # fmt: skip
    assert events[0] == {"event": "planned", "things": 2}
    assert events[3] == {"event": "began", "what": "thing 1.0", "bytes": 4_000_000}
    assert (events[4]["what"], events[4]["bytes"]) == ("thing 1.0", 3_000_000)
    assert events[-1] == {"event": "over", "done": 2}


@pytest.mark.parametrize("way", ["AUTO", "EVENTS"])
def test_reader_that_leaves_ends_no_work(way: str) -> None:
    work = WORK.rpartition("progress.result")[0] + "open(sys.argv[1], 'w').write('done')"
    script = f"from stack import progress; progress.choose(progress.Way.{way})\n{work}"
    ours, theirs = os.pipe()
    os.close(ours)
    with tempfile.NamedTemporaryFile("r") as end:
        subprocess.run([sys.executable, "-c", script, end.name], stdout=theirs, stderr=theirs,
                       cwd=REPO, check=False)  # fmt: skip
        assert end.read() == "done"
    os.close(theirs)


def test_terminal_gets_a_picture_that_goes_away() -> None:
    said = on_terminal()
    assert "thing 1.0  3.0 MB of 4.0 MB" in said
    assert "first, second  " in said
    assert "\x1b[31m79x23\x1b[0m" in said
    assert "\x1b[?25l" in said, "the cursor hides"
    assert said.rindex("\x1b[?25h") < said.rindex("two done")
    assert said.endswith("two done\r\n")


@pytest.mark.parametrize("terminal", ["dumb", ""])
def test_terminal_that_cannot_move_its_cursor_gets_lines(terminal: str) -> None:
    said = on_terminal(TERM=terminal)
    assert "\x1b" not in said
    assert said.startswith("planned 2\r\nfirst …\r\nsecond …\r\n")


def test_terminal_without_colour_gets_none() -> None:
    said = on_terminal(NO_COLOR="1")
    assert "79x23" in said
    assert "\x1b[31m" not in said


def test_what_is_over_at_once_needs_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        terminal = progress.Terminal(stream)
        with terminal.doing("something short"):
            pass
        terminal.close()
        assert terminal._screen is None
    os.close(ours)


def test_terminal_that_is_gone_ends_no_work() -> None:
    ours, theirs = pty.openpty()
    with suppress(OSError), os.fdopen(theirs, "w", buffering=1) as stream:
        terminal = progress.Terminal(stream)
        with terminal.doing("something long"):
            eventually(lambda: terminal._screen, "the picture")
            os.close(ours)
            terminal.say("nobody hears it")
            time.sleep(2 * progress.REFRESH_S)
        terminal.close()
    assert terminal._painter not in threading.enumerate()


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 kB"), (34_000, "34 kB"), (99_949, "100 kB"), (3e6, "3.0 MB")]
)
def test_few_bytes_are_not_told_as_none(count: float, words: str) -> None:
    assert progress.amount(count) == words


def test_line_wider_than_the_terminal_is_broken_between_words_and_paths_stay_whole() -> None:
    path = "/a/path/that/is/wider/than/all/of/the/terminal"
    assert progress.filled(f"the words go on\nand on: {path}", 20).split("\n") == [
        "the words go on", "and on:", path,
    ]  # fmt: skip
