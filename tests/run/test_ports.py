"""Ports: shifted, free, and who holds one that is taken."""

import os
import socket

import pytest

from stack.errors import BadInput, HostCannot
from stack.run.ports import check_free, free, shifted
from stack.run.services import SERVICES


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
