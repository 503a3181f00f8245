"""Whose addresses count as this machine's: the kernel's table of routes, read without a lookup."""

import ipaddress

import pytest

from loadgen import host, namespaces

ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010010AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth1\t004DD50A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t000010AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth2\t054DD50A\t014DD50A\t0007\t0\t0\t0\tFFFFFFFF\t0\t0\t0
"""


@pytest.mark.parametrize(
    ("address", "interface"), [("10.213.77.1", "eth1"), ("172.16.9.9", "eth0")]
)
def test_what_is_reached_without_a_router_is_reached_by_its_interface(
    address: str, interface: str
) -> None:
    assert namespaces._interface(ROUTES, ipaddress.IPv4Address(address)) == interface


@pytest.mark.parametrize("address", ["8.8.8.8", "10.213.77.5", "10.213.78.1"])
def test_what_is_behind_a_router_is_no_neighbour(address: str) -> None:
    with pytest.raises(ValueError, match="behind a router"):
        namespaces._interface(ROUTES, ipaddress.IPv4Address(address))


@pytest.mark.parametrize("name", ["example.org", "", "::1", "300.1.1.1", "0x7f.1"])
def test_names_are_not_looked_up(name: str) -> None:
    assert not namespaces.is_next(name)


def test_loopback_is_no_neighbour() -> None:
    assert not namespaces.is_next("127.0.0.1")


@pytest.mark.parametrize("name", ["0.0.0.0", "::", "198.51.100.7", "example.org", ""])
def test_only_an_address_that_can_be_listened_on_is_here(name: str) -> None:
    assert not host.is_here(name)


@pytest.mark.parametrize("name", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_loopback_is_here(name: str) -> None:
    assert host.is_here(name)
