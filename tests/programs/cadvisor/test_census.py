"""Who belongs to which service, and what they use: this process stands in for supervisord."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import psutil
import pytest

from stack.programs.cadvisor import census
from stack.programs.cadvisor.census import Census, Usage

WAIT = "import sys; print('up', flush=True); sys.stdin.read()"
# Starts children one after the other, which burn and end; says so after each.
PARENT = """
import subprocess, sys
burn = "import time\\nwhile time.process_time() < 0.15: pass"
for line in sys.stdin:
    subprocess.run([sys.executable, "-c", burn], check=True)
    print("burnt", flush=True)
"""


class Services:
    """Processes of this test, and supervisord's word on them."""

    def __init__(self) -> None:
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.asked = 0
        self.census = Census(self.pids, os.getpid)

    def start(self, name: str, code: str = WAIT) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.running[name] = process
        return process

    def stop(self, name: str) -> None:
        self.running[name].kill()
        self.running.pop(name).communicate()

    def pids(self) -> Mapping[str, int]:
        self.asked += 1
        return {name: process.pid for name, process in self.running.items()}

    def usage(self, name: str) -> Usage:
        return next(one for one in self.census.take() if one.name == name)


@pytest.fixture
def services() -> Iterator[Services]:
    stand_in = Services()
    yield stand_in
    for name in list(stand_in.running):
        stand_in.stop(name)


def test_census_of_nobody_is_empty(services: Services) -> None:
    assert services.census.take() == []


def test_census_names_services_and_knows_their_start(services: Services) -> None:
    services.start("worker").stdout.readline()  # type: ignore[union-attr]
    services.start("backend").stdout.readline()  # type: ignore[union-attr]
    found = services.census.take()
    assert [one.name for one in found] == ["backend", "worker"]
    now = time.time()
    for one in found:
        assert now - 60 < one.started <= now + 1
        assert 1_000_000 < one.memory_bytes < 100_000_000


def test_census_asks_supervisord_only_when_a_service_came_or_went(services: Services) -> None:
    services.start("worker")
    for _ in range(3):
        services.census.take()
    assert services.asked == 1
    services.stop("worker")
    for _ in range(3):
        services.census.take()
    assert services.asked == 2
    services.start("worker")
    services.census.take()
    assert services.asked == 3


def test_census_does_not_ask_again_about_a_child_that_is_no_service(services: Services) -> None:
    stranger = services.start("stranger")
    services.running.pop("stranger")
    services.start("worker")
    try:
        for _ in range(3):
            assert [one.name for one in services.census.take()] == ["worker"]
        assert services.asked == 1
    finally:
        stranger.kill()
        stranger.communicate()


def test_census_leaves_out_what_is_stopped_or_no_service(services: Services) -> None:
    services.start("worker")
    stranger = services.start("stranger")
    services.running.pop("stranger")
    try:
        assert [one.name for one in services.census.take()] == ["worker"]
        services.stop("worker")
        assert services.census.take() == []
    finally:
        stranger.kill()
        stranger.communicate()


def test_census_leaves_out_a_service_that_ended_and_was_not_waited_for(services: Services) -> None:
    process = services.start("worker")
    services.census.take()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert services.census.take() == []


def test_census_of_a_restart_is_a_new_start_and_a_new_counter(services: Services) -> None:
    services.start("worker", PARENT)
    burn(services, "worker")
    first = services.usage("worker")
    services.stop("worker")
    services.start("worker", WAIT).stdout.readline()  # type: ignore[union-attr]
    second = services.usage("worker")
    assert second.started > first.started
    assert second.cpu_s < first.cpu_s


def test_census_keeps_the_cpu_of_children_that_ended(services: Services) -> None:
    services.start("postgresql", PARENT)
    seen = [services.usage("postgresql").cpu_s]
    for count in range(1, 4):
        burn(services, "postgresql")
        seen.append(services.usage("postgresql").cpu_s)
        assert seen[-1] >= count * 0.14, "what an ended child used is missing"
    assert seen == sorted(seen)


def test_census_counter_never_falls(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is missed in the moment in which it ends; it is in the next look again."""
    services.start("postgresql", PARENT)
    burn(services, "postgresql")
    before = services.usage("postgresql").cpu_s
    real = census.look
    monkeypatch.setattr(
        census, "look", lambda processes: (replace(one, cpu_s=0) for one in real(processes))
    )
    assert services.usage("postgresql").cpu_s == before


def test_census_counts_children_and_their_memory(services: Services) -> None:
    code = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {WAIT!r}])\n{WAIT}"
    process = services.start("postgresql", code)
    for _ in range(2):
        process.stdout.readline()  # type: ignore[union-attr]
    alone = psutil.Process(process.pid).memory_info()
    found = services.usage("postgresql").memory_bytes
    both = alone.rss + sum(p.memory_info().rss for p in psutil.Process(process.pid).children())
    assert alone.rss < found < both, "shared pages count once"


def test_census_without_a_supervisord_says_so() -> None:
    with psutil.Popen([sys.executable, "-c", "pass"]) as ended:
        ended.wait()
    with pytest.raises(psutil.NoSuchProcess):
        Census(dict, lambda: int(ended.pid)).take()


def burn(services: Services, name: str) -> None:
    process = services.running[name]
    wait: Callable[[], str] = process.stdout.readline  # type: ignore[union-attr]
    process.stdin.write("\n")  # type: ignore[union-attr]
    process.stdin.flush()  # type: ignore[union-attr]
    assert wait() == "burnt\n"
