"""A real supervisord with one program that does not hear the first signal that it gets."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.paths import CONFIG_ROOT
from stack.run.service import Layout, Service
from stack.run.supervisor import Supervisor

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
    deadline = time.monotonic() + 20
    while "listening" not in layout.log("deaf").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    supervisor.stop_process("deaf")
    assert "heard 2" in layout.log("deaf").read_text()
    assert supervisor.states()["deaf"].status == "STOPPED"
