"""A real supervisord with one program that does not hear the first signal that it gets."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stack.errors import HostCannot
from stack.paths import CONFIG_ROOT, REPO
from stack.run.choice import LOGS
from stack.run.service import Layout, Service
from stack.run.startup import start_all
from stack.run.supervisor import Supervisor, last
from tests.waiting import eventually

DEAF_ONCE = """\
import signal, sys, time
heard = []
def hear(number, frame):
    heard.append(number)
    print("heard", len(heard), flush=True)
    if len(heard) > 1:
        sys.exit()
signal.signal(signal.SIGTERM, hear)
print("listening", flush=True)
while True:
    time.sleep(60)
"""


WRITES = """\
import signal, sys, time
name, journal = sys.argv[1:]
def end(number, frame):
    time.sleep(0.1)
    with open(journal, "a") as file:
        print(name, file=file)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("listening", flush=True)
while True:
    time.sleep(60)
"""
"""It takes its time to end, and then says that it did."""

ORDER = {"page": ("app",), "app": ("cache", "database"), "cache": ("database",)}


@pytest.fixture
def layout(state_dir: Path) -> Layout:
    directory = state_dir / f"i{time.monotonic_ns() % 10**9}"
    (directory / "logs").mkdir(parents=True)
    return Layout(name=directory.name, directory=directory, config_root=CONFIG_ROOT, speed=1,
                  ports={}, addresses={}, packages={})  # fmt: skip


@pytest.fixture
def supervisor(layout: Layout) -> Iterator[Supervisor]:
    program = layout.directory / "deaf.py"
    program.write_text(DEAF_ONCE)
    deaf = Service(name="deaf", about="", ports={}, ready=lambda layout: None,
                   command=lambda layout: [sys.executable, str(program)])  # fmt: skip
    running = Supervisor(layout.directory)
    running.write_settings(layout, {"deaf": deaf})
    running.start()
    yield running
    running.shutdown({})


def test_stop_signal_that_was_lost_is_sent_again(layout: Layout, supervisor: Supervisor) -> None:
    """As between a process' fork and its exec; without it SIGKILL would end it, seconds later."""
    supervisor.start_process("deaf")
    eventually(lambda: "listening" in layout.log("deaf").read_text(), "it to listen")
    supervisor.stop_process("deaf")
    assert "heard 2" in layout.log("deaf").read_text()
    assert supervisor.states()["deaf"].status == "STOPPED"


@pytest.mark.parametrize("lives_s", ["0", "0.5"])
def test_program_that_dies_at_its_start_is_named_with_what_it_said(
    layout: Layout, lives_s: str
) -> None:
    dying = Service(
        name="loki", about="", ready=lambda layout: "nobody answers",
        command=lambda layout: ["/bin/sh", "-c", f"echo no disk; sleep {lives_s}; exit 1"],
    )  # fmt: skip
    real = replace(layout, packages={name: Path("/store") for name in LOGS.packages})
    supervisor = Supervisor(layout.directory)
    supervisor.write_settings(layout, {"loki": dying})
    supervisor.start()
    try:
        with pytest.raises(HostCannot, match="stopped while starting") as caught:
            start_all(real, supervisor, {"loki": dying})
    finally:
        supervisor.shutdown({})
    assert "no disk" in caught.value.what
    assert "STACK_LOGS=embedded runs" in caught.value.cure


@pytest.mark.parametrize("killed", [False, True], ids=["as it is", "its supervisor killed"])
@pytest.mark.parametrize("started", [["database", "cache", "app", "page"], ["page", "database"]])
def test_services_end_before_those_they_come_after(
    layout: Layout, started: list[str], killed: bool
) -> None:
    program, journal = layout.directory / "writes.py", layout.directory / "journal"
    program.write_text(WRITES)

    def service(name: str) -> Service:
        command = [sys.executable, str(program), name, str(journal)]
        return Service(
            name=name, about="", ready=lambda layout: None, command=lambda layout: command
        )

    names = ["database", "page", "cache", "app"]
    running = Supervisor(layout.directory)
    running.write_settings(layout, {name: service(name) for name in names})
    running.start()
    try:
        for name in started:
            running.start_process(name)
        # To the end of the line: who writes to a supervisor that is gone ends.
        eventually(
            lambda: all("listening\n" in layout.log(name).read_text() for name in started),
            "all to listen",
        )
        if killed:
            os.kill(int((layout.directory / "supervisord.pid").read_text()), signal.SIGKILL)
    finally:
        running.shutdown(ORDER)
    ended = journal.read_text().split()
    if len(started) > 2:
        assert list(dict.fromkeys(ended)) == ["page", "app", "cache", "database"]
    assert sorted(set(ended)) == sorted(started)


def test_last_are_those_that_nobody_comes_after() -> None:
    assert last(["page", "app", "database"], ORDER) == {"page"}
    assert last(["page", "database"], ORDER) == {"page", "database"}
    assert last(["a", "b"], {"a": ["b"], "b": ["a"]}) == {"a", "b"}
    assert last([], ORDER) == set()


FULL_DISK = """\
import sys, time
from pathlib import Path
from stack.paths import CONFIG_ROOT, REPO
from stack.run.service import Layout, Service
from stack.run.supervisor import Supervisor

directory, talker = Path(sys.argv[1]), sys.argv[2]
layout = Layout(name="full", directory=directory, config_root=CONFIG_ROOT, speed=1, ports={},
                addresses={}, packages={})
talks = Service(name="talks", about="", ports={}, ready=lambda layout: None,
                command=lambda layout: [sys.executable, talker, str(directory / "said")])
supervisor = Supervisor(directory)
supervisor.write_settings(layout, {"talks": talks})
supervisor.start()
said, log, fill = directory / "said", layout.log("talks"), directory / "logs" / "fill"


def until(good):
    give_up = time.monotonic() + 60
    while not good():
        assert time.monotonic() < give_up, (supervisor.states(), log.stat().st_size)
        time.sleep(0.02)


def more(file, bytes):
    before = file.stat().st_size
    until(lambda: file.stat().st_size > before + bytes)


try:
    supervisor.start_process("talks")
    until(lambda: said.exists() and log.exists())
    more(log, 1000)
    pid = supervisor.states()["talks"].pid
    try:
        fill.write_bytes(b"x" * (1 << 22))
    except OSError as error:
        assert error.errno == 28, error
    size = log.stat().st_size
    more(said, 500)
    supervisor.stop_process("talks")  # it has words about that, for its own log
    supervisor.start_process("talks")
    more(said, 500)
    assert log.stat().st_size < size + 5000, "the disk is not full"
    fill.unlink()
    more(log, 1000)
    assert supervisor.states()["talks"].pid != pid
finally:
    supervisor.shutdown({})
print("all held")
"""

TALKS = """\
import sys, time
with open(sys.argv[1], "a") as said:
    while True:
        print("a line of some length, again and again", flush=True)
        print(".", file=said, flush=True)
        time.sleep(0.002)
"""


def test_full_disk_ends_neither_supervisord_nor_what_it_runs(layout: Layout) -> None:
    (layout.directory / "disk.py").write_text(FULL_DISK)
    (layout.directory / "talks.py").write_text(TALKS)
    inside = 'mount -t tmpfs -o size=256k tmpfs "$1/logs" || exit 77; shift; exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside, "sh", str(layout.directory), sys.executable,
         str(layout.directory / "disk.py"), str(layout.directory),
         str(layout.directory / "talks.py")],
        cwd=REPO, env={**os.environ, "PYTHONPATH": str(REPO)}, capture_output=True, text=True,
        timeout=150, check=False,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no disk can be mounted here")
    assert done.stdout == "all held\n", done.stderr
