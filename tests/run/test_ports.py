"""Ports: shifted, free, and who holds one that is taken."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.errors import BadInput, HostCannot
from stack.paths import REPO
from stack.run import ports as own
from stack.run.ports import check_free, free, shifted
from stack.run.services import SERVICES
from stack.run.supervisor import MARK

DEFAULTS = {port for service in SERVICES.values() for port in service.ports.values()}

LISTENS = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


def test_ports_are_the_defaults_without_an_offset() -> None:
    assert shifted(SERVICES.values(), 0)["prometheus"] == {"http": 9090}


def test_ports_are_all_shifted_by_the_offset() -> None:
    ports = shifted(SERVICES.values(), 1000)
    assert ports["inbox"] == {"http": 9025, "smtp": 2025}


@pytest.mark.parametrize("offset", [-2000, 60_000])
def test_ports_refuse_an_offset_that_leaves_the_range(offset: int) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        shifted(SERVICES.values(), offset)


def test_free_ports_differ_and_can_be_bound() -> None:
    ports = free(SERVICES.values())
    every = [port for named in ports.values() for port in named.values()]
    assert len(set(every)) == len(every) == sum(len(s.ports) for s in SERVICES.values())
    check_free(ports)


def test_check_free_names_every_holder_and_the_way_out() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = {"a": {"http": one.getsockname()[1]}, "b": {"http": two.getsockname()[1]}}
        with pytest.raises(HostCannot) as caught:
            check_free(ports)
    for service, named in ports.items():
        assert f"`{service}` needs port {named['http']}" in caught.value.what
    assert f"(PID {os.getpid()})" in caught.value.what
    assert "--port-offset" in caught.value.cure


def test_free_ports_are_never_given_twice_by_one_process() -> None:
    given = [port for _ in range(40) for named in free(SERVICES.values()).values()
             for port in named.values()]  # fmt: skip
    assert len(set(given)) == len(given)


@pytest.mark.parametrize("file", ["README.md", "dodo.py"])
def test_second_stack_that_is_an_example_keeps_apart_from_the_first(file: str) -> None:
    offsets = re.findall(r"--port-offset (\d+)", (REPO / file).read_text())
    assert offsets
    for offset in map(int, offsets):
        assert not {port + offset for port in DEFAULTS} & DEFAULTS


@pytest.fixture
def listening() -> Iterator[Callable[..., int]]:
    """Starts a process with this environment beside its own; the port on which it listens."""
    begun: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", LISTENS], env=os.environ | environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        begun.append(process)
        assert process.stdout
        return int(process.stdout.readline())

    yield start
    for process in begun:
        process.communicate()


def test_holder_that_is_a_service_of_the_lab_is_named_as_one(
    listening: Callable[..., int], tmp_path: Path
) -> None:
    folder = tmp_path / "instances" / "fast"
    port = listening(**{MARK: str(folder), "SUPERVISOR_PROCESS_NAME": "promtail"})
    with pytest.raises(HostCannot) as caught:
        check_free({"cadvisor": {"http": port}})
    assert caught.value.what == (
        f"`cadvisor` needs port {port}, but `promtail` of instance `fast` is using it."
    )


def test_stack_on_the_same_ports_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = shifted(SERVICES.values(), 0)
    names = {port: service for service, named in wanted.items() for port in named.values()}
    monkeypatch.setattr(own, "_is_taken", lambda port: port in names)
    monkeypatch.setattr(own, "_holder", lambda port, ours: "`nginx` of instance `fast`")
    with pytest.raises(HostCannot) as caught:
        check_free(wanted)
    (low, first), *_, (high, last) = names.items()
    assert caught.value.what == (
        f"instance `fast` is using {len(names)} of the ports, from that of `{first}` ({low}) to"
        f" that of `{last}` ({high})."
    )


def test_holder_that_somebody_runs_in_the_shell_of_an_instance_is_no_service_of_it(
    listening: Callable[..., int],
) -> None:
    port = listening(**{MARK: "default", "SUPERVISOR_PROCESS_NAME": "x"})
    with pytest.raises(HostCannot, match=r"\(PID \d+\)"):
        check_free({"cadvisor": {"http": port}})


def test_offset_that_is_proposed_is_one_at_which_all_ports_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Everything below 20000 is taken, but what a stack at 5000 needs.
    room = {port + 5000 for port in DEFAULTS}
    monkeypatch.setattr(own, "_is_taken", lambda port: port not in room)
    monkeypatch.setattr(own, "_holder", lambda port, ours: "`x` (PID 1)")
    with pytest.raises(HostCannot) as caught:
        check_free(shifted(SERVICES.values(), 0))
    assert caught.value.cure == (
        "Stop what uses it, or choose other ports: with `--port-offset 5000` all of them are free."
    )
    monkeypatch.setattr(own, "_is_taken", lambda port: True)
    with pytest.raises(HostCannot, match="choose other ports with `--port-offset`"):
        check_free(shifted(SERVICES.values(), 0))
