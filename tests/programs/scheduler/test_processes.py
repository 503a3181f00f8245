"""Several processes of the scheduler behind one port: what Prometheus reads, and how they end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from stack.errors import BadInput
from stack.programs.scheduler.processes import added
from stack.programs.scheduler.settings import from_environment

NOWHERE = "postgresql://app:hidden@127.0.0.1:1/residency"
COUNT = 3

Process = subprocess.Popen[bytes]
Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def scheduler(
    free_port: int, tmp_path: Path, eventually: Eventually
) -> Iterator[tuple[str, Process, Path]]:
    """(URL, the process that started the others, log)"""
    log = tmp_path / "log"
    environment = {**os.environ, "DATABASE_URL": NOWHERE, "SCHEDULER_PROCESSES": f"{COUNT}"}
    with log.open("wb") as out:
        made = subprocess.Popen(
            [sys.executable, "-m", "stack.programs.scheduler", "--port", f"{free_port}"],
            env=environment, stdout=out, stderr=out,
        )  # fmt: skip
    url = f"http://127.0.0.1:{free_port}"

    def alive() -> bool:
        assert made.poll() is None, log.read_text()
        try:
            return bool(value(url, "process_resident_memory_bytes")) and len(of(made)) == COUNT
        except httpx.HTTPError:
            return False

    eventually(alive)
    yield url, made, log
    children = of(made) if made.poll() is None else []
    made.kill()
    made.wait()
    psutil.wait_procs(children, 10)


def of(parent: Process) -> list[psutil.Process]:
    return psutil.Process(parent.pid).children()


def value(url: str, name: str, **labels: str) -> float:
    page = httpx.get(f"{url}/metrics", timeout=10).raise_for_status().text
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_every_request_is_counted_once_whoever_answers_and_whoever_is_asked(
    scheduler: tuple[str, Process, Path],
) -> None:
    url, _, _ = scheduler

    def ask(_: int) -> int:
        return httpx.get(f"{url}/nowhere", timeout=10).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(120))) == {404}
    counted = {value(url, "http_requests_total", path="unmatched") for _ in range(2 * COUNT)}
    assert counted == {120}
    assert value(url, "http_request_duration_seconds_count", path="unmatched") == 120
    assert value(url, "scheduler_build_info") == 1, "it is one scheduler"


def test_memory_is_that_of_all(scheduler: tuple[str, Process, Path]) -> None:
    url, made, _ = scheduler
    resident = sum(one.memory_info().rss for one in of(made))
    assert value(url, "process_resident_memory_bytes") == pytest.approx(resident, rel=0.2)


def test_term_ends_all(scheduler: tuple[str, Process, Path]) -> None:
    _, made, log = scheduler
    children = of(made)
    made.terminate()
    assert made.wait(20) == 0, log.read_text()
    assert not any(one.is_running() for one in children)


def test_all_end_when_one_dies_and_the_log_says_so(scheduler: tuple[str, Process, Path]) -> None:
    _, made, log = scheduler
    children = of(made)
    children[1].send_signal(signal.SIGKILL)
    assert made.wait(20) == 1
    assert not any(one.is_running() for one in children)
    assert f"process {children[1].pid} ended with -9; the others end, too" in log.read_text()


def test_none_is_left_when_the_first_is_killed(scheduler: tuple[str, Process, Path]) -> None:
    _, made, _ = scheduler
    children = of(made)
    made.kill()
    made.wait()
    gone, alive = psutil.wait_procs(children, 10)
    assert len(gone) == COUNT
    assert not alive


def test_another_user_is_told_nothing_by_their_sockets(
    scheduler: tuple[str, Process, Path],
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    assert of(scheduler[1])
    names = [
        line.split()[-1]
        for line in Path("/proc/net/unix").read_text().splitlines()
        if line.split()[-1].startswith("@")
    ]
    asked = (
        "import socket, sys\n"
        "for name in sys.argv[1:]:\n"
        "    one = socket.socket(socket.AF_UNIX)\n"
        "    one.settimeout(2)\n"
        "    try:\n"
        "        one.connect(chr(0) + name[1:])\n"
        "        print(one.recv(100).decode(errors='replace'))\n"
        "    except OSError:\n"
        "        pass\n"
    )
    ran = subprocess.run(
        ["/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable, "-c", asked,
         *names],
        capture_output=True, text=True, user=65534, group=65534, extra_groups=[], cwd="/",
        check=False,
    )  # fmt: skip
    if ran.returncode and "Permission denied" in ran.stderr:
        pytest.skip("another user cannot run a Python here")
    assert "process_resident_memory_bytes" not in ran.stdout
    assert '"text"' not in ran.stdout


def test_sum_keeps_types_and_labels_and_adds_what_counts() -> None:
    one = (
        "# HELP a_total What\n# TYPE a_total counter\n"
        'a_total{x="1"} 2.0\n'
        "# HELP b Now\n# TYPE b gauge\nb 5.0\n"
        "# HELP process_max_fds Most\n# TYPE process_max_fds gauge\nprocess_max_fds 100.0\n"
    )
    other = one.replace("2.0", "3.0").replace('x="1"', 'x="2"').replace("100.0", "90.0")
    said = added([one, one, other], {"b": 7.0}).decode()
    assert 'a_total{x="1"} 4.0' in said
    assert 'a_total{x="2"} 3.0' in said
    assert "# TYPE a_total counter" in said
    assert "b 7.0" in said
    assert "process_max_fds 100.0" in said


def test_connections_are_shared_among_the_processes() -> None:
    def size(**environment: str) -> int:
        return from_environment({"DATABASE_URL": NOWHERE, **environment}).pool_size

    assert size() == 20
    assert size(SCHEDULER_PROCESSES="4") == 5
    assert size(SCHEDULER_PROCESSES="64") == 2
    assert size(SCHEDULER_PROCESSES="4", SCHEDULER_POOL_SIZE="20") == 20
    with pytest.raises(BadInput, match="SCHEDULER_PROCESSES` is 65, expected 1 to 64"):
        size(SCHEDULER_PROCESSES="65")
