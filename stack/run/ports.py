"""Which ports an instance gets, and who holds one that is taken."""

import random
import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import psutil

from stack.errors import BadInput, HostCannot
from stack.loopback import HOST
from stack.run.service import Service
from stack.run.services import SERVICES
from stack.run.supervisor import owner

FREE = range(20_000, 32_000)
"""Below Linux' default ephemeral range (32768 up), so that no outgoing connection takes one."""

OFFSETS = (10_000, 5_000, 3_000, 2_000, 11_000, 4_000, 6_000, 12_000)
"""Offsets that are proposed, the first that is free; below `FREE`, where proofs are at home."""


class PortsTaken(HostCannot):
    """Somebody else holds a port of the instance."""


_OF = " of instance "

_FEW = 3
"""Of more ports that another instance has, they are not told one by one."""

Ports = dict[str, dict[str, int]]


def shifted(services: Iterable[Service], offset: int) -> Ports:
    """Every service at its default port plus `offset`."""
    ports = {s.name: {k: p + offset for k, p in s.ports.items()} for s in services}
    wrong = [p for named in ports.values() for p in named.values() if not 1 <= p <= 65535]
    if wrong:
        raise BadInput(
            f"--port-offset {offset} gives port {wrong[0]}, which does not exist.",
            cure="Choose an offset that keeps every port within 1 to 65535.",
        )
    return ports


_given: set[int] = set()
"""Ports that this process chose for an instance, which may not listen on them yet."""

_choosing = threading.Lock()


def free(services: Iterable[Service]) -> Ports:
    """Ports that nobody listens on now, chosen at random so that two choosers rarely meet; in one
    process they never do."""
    chooser = random.SystemRandom()

    def choose() -> int:
        for _ in range(1000):
            port = chooser.choice(FREE)
            if port not in _given and not _is_taken(port):
                _given.add(port)
                return port
        raise HostCannot(f"there is no free port in {FREE.start}-{FREE.stop - 1} on {HOST}.")

    with _choosing:
        return {s.name: {name: choose() for name in s.ports} for s in services}


def check_free(
    ports: Mapping[str, Mapping[str, int]], mine: Callable[[], Collection[int]] = tuple
) -> None:
    """Raise HostCannot that says which ports are taken, and who holds them.

    What processes hold whose PIDs are `mine`, asked only where a port is taken, counts as free.
    """
    taken = [(name, port) for name, of in ports.items() for port in of.values() if _is_taken(port)]
    ours = mine() if taken else ()
    held = [(service, port, holder) for service, port in taken if (holder := _holder(port, ours))]
    if held:
        raise PortsTaken(
            "; ".join(_in_words(held)) + ".",
            cure=f"Stop what uses it, or choose other ports{_others()}.",
        )


def _in_words(held: Sequence[tuple[str, int, str]]) -> Iterator[str]:
    """Service, port and holder of each; of another instance that holds many, the first and last."""
    of: dict[str, list[tuple[str, int, str]]] = {}
    for one in held:
        of.setdefault(one[2].partition(_OF)[2] or str(one), []).append(one)
    for instance, ports in of.items():
        if len(ports) > _FEW:
            (first, low, _), (last, high, _) = ports[0], ports[-1]
            yield (
                f"instance {instance} is using {len(ports)} of the ports, from that of `{first}`"
                f" ({low}) to that of `{last}` ({high})"
            )
        else:
            yield from (f"`{one}` needs port {port}, but {holder} is using it"
                        for one, port, holder in ports)  # fmt: skip


def _others() -> str:
    """An offset at which no port is taken now, and none is one of a stack without an offset."""
    default = {port for service in SERVICES.values() for port in service.ports.values()}
    for offset in OFFSETS:
        moved = {port + offset for port in default}
        if not moved & default and not any(map(_is_taken, moved)):
            return f": with `--port-offset {offset}` all of them are free"
    return " with `--port-offset`"


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _holder(port: int, ours: Collection[int]) -> str:
    """Who it is, for people; empty for one of ours."""
    for connection in psutil.net_connections("tcp"):
        # psutil gives the address of an unbound socket as an empty tuple.
        address = tuple(connection.laddr)
        if connection.status != psutil.CONN_LISTEN or port not in address:
            continue
        if connection.pid is None:
            return "a process of another user"
        if connection.pid in ours:
            return ""
        if found := owner(connection.pid):
            service, instance = found
            return f"`{service}`{_OF}`{instance}`"
        return f"`{psutil.Process(connection.pid).name()}` (PID {connection.pid})"
    return "a process that does not listen (or belongs to another user)"
