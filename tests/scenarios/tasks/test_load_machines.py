"""`doit load` on several machines: what it refuses, who is named, and that nothing goes missing."""

import asyncio
import csv
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from scenarios.tasks import load_part as parts
from stack import loopback
from stack.errors import BadInput, HostCannot
from stack.run.instance import Instance
from stack.run.lifecycle import bring_up
from tests.scenarios.tasks.conftest import Clinic, Doit
from tests.waiting import eventually

ROOT = os.geteuid() == 0
OURS = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--worker",), "--worker needs --master-host"),
        (("--master", "--worker"), "--master and --worker do not go together"),
        (("--worker", "--master-host", "127.0.0.1", "--rate", "5"), "--rate is the master's"),
        (("--worker", "--master-host", "127.0.0.1", "--for", "5m"), "--for is the master's"),
        (("--expect-workers", "2"), "--expect-workers means nothing without --master"),
        (("--master-host", "127.0.0.1"), "--master-host means nothing without --worker"),
        (("--master-port", "5557"), "means nothing without --master or --worker"),
        (("--master", "--processes", "2"), "--master does no work that --processes could share"),
        (("--master", "--expect-workers", "0"), "0 is out of range: 1 to 1000"),
        (("--master", "--master-port", "65536"), "65536 is out of range"),
        (("--master", "--host", "http://198.51.100.7"), "is not this machine"),
        (("--master", "--host", OURS, "--master-bind-host", "198.51.100.7"),
         "is not an address of this machine"),
        (("--master", "--host", OURS, "--master-bind-host", "0.0.0.0"), "is they themselves"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_wrong_use_is_told_in_a_line(words: tuple[str, ...], said: str, doit: Doit) -> None:
    run = doit(*words)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 2, out + err
    assert said in err
    assert "Traceback" not in err


def test_master_that_is_not_there_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "REACHED_WITHIN_S", 0.3)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = taken.getsockname()[1]
        with pytest.raises(HostCannot, match=f"no master at 127.0.0.1:{port}: nobody listens") as e:
            parts.worker("127.0.0.1", port, 1, even_foreign=False)
    assert "doit load --master" in e.value.cure
    with pytest.raises(HostCannot, match="that name is not found"):
        parts.worker("nowhere.invalid", 5557, 1, even_foreign=False)


def test_port_that_is_taken_is_told_by_the_master() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HostCannot, match=f"cannot listen on 127.0.0.1:{port}: Address already"):
            parts.master("127.0.0.1", port, 1, OURS)


def test_master_at_an_address_of_its_own_machine_may_load_another_address_of_it() -> None:
    with pytest.raises(BadInput):
        parts.master("0.0.0.0", 5557, 1, OURS)
    port = parts.free_port()
    assert parts.master("0.0.0.0", port, 1, "http://198.51.100.7").bind == "0.0.0.0"


SECRET = {"SCHEDULER_PASSWORD": "secret"}


@pytest.mark.nightly
def test_who_listens_and_is_no_master_is_told(clinic: str, doit: Doit) -> None:
    run = doit("--worker", "--master-host", "127.0.0.1", "--master-port", clinic.split(":")[2])
    out, err = run.communicate(timeout=120)
    assert run.returncode == 3, out + err
    assert "who listens there is none" in err


@pytest.fixture
def port() -> str:
    return f"{parts.free_port()}"


def master_and_worker(
    doit: Doit, clinic: str, port: str, *words: str
) -> "tuple[subprocess.Popen[str], subprocess.Popen[str]]":
    master = doit("--master", "--master-port", port, "--host", clinic, *words)
    return master, doit("--worker", "--master-host", "127.0.0.1", "--master-port", port, **SECRET)


@pytest.mark.nightly
def test_worker_whose_master_is_killed_ends(clinic: str, doit: Doit, port: str) -> None:
    master, worker = master_and_worker(doit, clinic, port)
    eventually(lambda: Clinic.requests > 10, "some requests", within_s=90)
    for one in psutil.Process(master.pid).children():
        one.kill()
    out, err = worker.communicate(timeout=120)
    assert worker.returncode == 1, out + err
    assert f"the master at 127.0.0.1:{port} is gone" in err


@pytest.mark.nightly
def test_master_whose_only_worker_is_killed_ends_and_names_it(
    clinic: str, doit: Doit, port: str
) -> None:
    master, worker = master_and_worker(doit, clinic, port, "--rate", "20")
    eventually(lambda: Clinic.requests > 10, "some requests", within_s=90)
    for one in psutil.Process(worker.pid).children():
        one.kill()
    out, err = master.communicate(timeout=120)
    assert master.returncode == 1, out + err
    assert re.search(r"worker \S+ vanished, last heard of at", err)
    assert "no worker was left: the load ended before its time" in err
    assert "by signal 9" in worker.communicate(timeout=60)[1]


@pytest.mark.nightly
def test_ctrl_c_ends_a_master_that_waits_and_its_workers(
    clinic: str, doit: Doit, port: str
) -> None:
    master, worker = master_and_worker(doit, clinic, port, "--expect-workers", "2")
    assert worker.stderr
    for line in worker.stderr:
        if "this is worker" in line:
            break
    master.send_signal(signal.SIGINT)
    out, err = master.communicate(timeout=120)
    assert master.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert worker.wait(120) == 0
    assert Clinic.requests == 0


@pytest.mark.nightly
def test_worker_refuses_what_only_its_master_may_load(doit: Doit, port: str) -> None:
    elsewhere = "http://198.51.100.7:9"
    master, worker = master_and_worker(doit, elsewhere, port, "--yes-this-host")
    _, err = worker.communicate(timeout=120)
    assert worker.returncode == 2, err
    assert "is not this machine" in err
    assert "--yes-this-host" in err
    assert master.wait(120) == 1


@pytest.mark.nightly
def test_ctrl_c_on_a_worker_leaves_its_load_to_the_others(
    clinic: str, doit: Doit, port: str, tmp_path: Path
) -> None:
    master, leaving = master_and_worker(
        doit, clinic, port, "--expect-workers", "2", "--rate", "20", "--for", "20s",
        "--csv", str(tmp_path / "a"),
    )  # fmt: skip
    doit("--worker", "--master-host", "127.0.0.1", "--master-port", port, **SECRET)
    eventually(lambda: Clinic.requests > 40, "some requests", within_s=90)
    leaving.send_signal(signal.SIGINT)
    assert leaving.wait(60) == 130
    out, err = master.communicate(timeout=120)
    assert master.returncode == 0, out + err
    assert re.search(r"worker \S+ left, .*; its 10 of 20 users go to the one that is left", err)
    told = re.search(r"offered: (\d+) requests.*, (\d+) still without an answer", err)
    assert told, err
    assert Clinic.requests - int(told[2]) <= counted(tmp_path / "a") <= Clinic.requests


def counted(prefix: Path) -> int:
    """Requests of Locust's own total."""
    with Path(f"{prefix}_stats.csv").open() as file:
        [total] = [row for row in csv.DictReader(file) if row["Name"] == "Aggregated"]
    return int(total["Request Count"])


class Relay:
    """Listens at an address of this machine for who cannot reach its loopback, and says to the
    server that it is asked by its own name, as a front does."""

    def __init__(self, address: str, target: str) -> None:
        self._address, self._target = address, target.removeprefix("http://").split(":")
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.url = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, self._address, 0))
        self.url = f"http://{self._address}:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target
        behind, before = await asyncio.open_connection(host, int(port))
        asked = self.url.removeprefix("http://").encode(), f"{host}:{port}".encode()
        await asyncio.gather(_copy(reader, before, *asked), _copy(behind, writer))


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, old: bytes = b"", new: bytes = b""
) -> None:
    try:
        while some := await reader.read(65536):
            writer.write(some.replace(b"Host: " + old, b"Host: " + new) if old else some)
            await writer.drain()
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


Machines = Callable[[str], list[str]]
"""Name → what runs a command there, and its address."""

BRIDGE = "10.213.79.1"
MASTER, NORTH, SOUTH = "10.213.79.2", "10.213.79.3", "10.213.79.4"


@pytest.fixture
def machines() -> Iterator[dict[str, list[str]]]:
    """Address → what runs a command in the network namespace that has it; they reach each other,
    and this machine at `BRIDGE`."""

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    bridge = f"labb{os.getpid()}"
    ip("link", "add", bridge, "type", "bridge")
    made = {}
    try:
        ip("address", "add", f"{BRIDGE}/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for count, address in enumerate((MASTER, NORTH, SOUTH)):
            name = f"lab{count}n{os.getpid()}"
            ip("netns", "add", name)
            made[address] = ["ip", "netns", "exec", name]
            ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", name, "master", bridge)
            ip("link", "set", name, "up")
            ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield made
    finally:
        for *_, name in made.values():
            ip("netns", "delete", name)
        ip("link", "delete", bridge)


@pytest.fixture(scope="module")
def instance(state_dir: Path) -> Instance:
    return bring_up("machines", free_ports=True)


def served(instance: Instance) -> int:
    """Requests of the application that the scheduler has counted."""
    text = loopback.request("GET", f"{instance.url('backend')}/metrics", timeout_s=30).text
    return sum(
        int(float(line.rpartition(" ")[2])) for line in text.splitlines()
        if line.startswith("http_requests_total{") and "/api/v1/" in line
    )  # fmt: skip


def rate(instance: Instance, seconds: float = 8.0) -> float:
    """Requests a second that the scheduler answers, over that time."""
    begun, before = time.monotonic(), served(instance)

    def over() -> float:
        return max(0.0, time.monotonic() - begun - seconds)

    eventually(over, "the time to be over", within_s=seconds + 5)
    now = served(instance)
    return (now - before) / (time.monotonic() - begun)


@pytest.mark.skipif(not ROOT, reason="only root makes network namespaces")
@pytest.mark.nightly
def test_load_of_a_worker_that_is_killed_goes_over_to_the_other_and_both_sides_count_the_same(
    instance: Instance, machines: dict[str, list[str]], doit: Doit, tmp_path: Path
) -> None:
    """Master and two workers in network namespaces of their own."""
    wanted, said = 40, tmp_path / "said"
    relay = Relay(BRIDGE, instance.url("backend"))
    before = served(instance)
    master = doit(
        "--master", "--master-bind-host", MASTER, "--expect-workers", "2", "--host", relay.url,
        "--rate", f"{wanted}", "--for", "60s", "--csv", str(tmp_path / "total"),
        within=machines[MASTER], said=said,
    )  # fmt: skip
    secret = str(instance.layout.secret("scheduler_password"))
    workers = [doit("--worker", "--master-host", MASTER, "--password-file", secret,
                    within=machines[one]) for one in (NORTH, SOUTH)]  # fmt: skip
    try:
        # Logging in is over when all sources are at work.
        eventually(lambda: served(instance) > before + 4 * wanted, "load", within_s=90)
        while_both = rate(instance)
        killed = psutil.Process(workers[1].pid)
        for one in [*killed.children(), killed]:
            one.kill()
        eventually(lambda: "are at work again" in said.read_text(), "the other to have it all")
        eventually(lambda: rate(instance, 2.0) > 0.8 * while_both, "all of the load", within_s=30)
        alone = rate(instance)
        master.communicate(timeout=120)
    finally:
        relay.close()
    told = said.read_text()
    assert master.returncode == 0, told
    assert workers[0].wait(60) == 0
    assert alone == pytest.approx(while_both, rel=0.1)
    assert while_both >= 0.95 * wanted
    named = re.findall(r"worker \S+ vanished, last heard of at", told)
    assert len(named) == 2, "when it happens and in the end"
    assert re.search(r"some \d+ requests were not offered", told)
    # What the killed worker had not reported yet: that of a second or two.
    unknown = served(instance) - before - counted(tmp_path / "total")
    assert 0 <= unknown <= 2 * wanted


@pytest.mark.nightly
def test_scheduler_that_is_killed_under_load_is_told_and_the_load_has_its_report(
    instance: Instance, doit: Doit, tmp_path: Path
) -> None:
    html = tmp_path / "report.html"
    run = doit(
        "--instance", "machines", "--rate", "10", "--for", "20s", "--html", str(html),
        STACK_STATE=os.environ["STACK_STATE"],
    )  # fmt: skip
    before = served(instance)
    eventually(lambda: served(instance) > before + 20, "load", within_s=90)
    os.kill(instance.pid("backend"), signal.SIGKILL)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 1, out + err
    assert re.search(r"its scheduler died under the load at \d\d:\d\d:\d\d", err)
    assert "doit logs backend --instance machines" in err
    assert "<html" in html.read_text()
    eventually(lambda: httpx.get(f"{instance.url('backend')}/health").is_success, "it to be back")
