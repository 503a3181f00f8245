"""Which ports are open, and what others than the instance's own users get from them."""

import json
import os
import socket
from collections.abc import Iterator

import psutil

from stack.deploy.hardening.verdict import Said, Verdict, of
from stack.loopback import HOST
from stack.run import guard
from stack.run.instance import Instance
from stack.run.supervisor import processes

_STRANGER = 65_533
"""A user id that nothing of an instance runs as, and Debian gives to nobody."""

_TIMEOUT_S = 3.0

_TELLS_NOTHING = ("nginx", "proxy")
"""Services that may answer a stranger: that they are there."""

_REQUEST = b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"


def open_ports(instance: Instance) -> Iterator[Said]:
    """The front's is the only port that other machines reach."""
    front = instance.port("proxy")
    reached, own = set(), set()
    for process in processes(instance.directory):
        try:
            sockets = process.net_connections("inet")
        except psutil.Error:
            continue
        for each in sockets:
            if each.status == psutil.CONN_LISTEN:
                own.add(each.laddr.port)
                if not each.laddr.ip.startswith("127.") and each.laddr.ip != "::1":
                    reached.add(each.laddr.port)
    said = f"of {len(own)} ports that its processes listen on, other machines reach"
    ports = ", ".join(map(str, sorted(reached))) or "none"
    if not reached:
        yield of(False, f"{said} none; `doit up --profile production` opens the front's, {front}")
    else:
        yield of(reached == {front}, f"{said} {ports}; the front's is {front}")


def strangers(instance: Instance) -> Iterator[Said]:
    """Other users of the machine get nothing from any port."""
    if os.geteuid() != 0:
        yield Verdict.UNSEEN, "only root can ask as another user"
        return
    ports = {
        (service, host, port): ""
        for service, named in instance.ports.items()
        for port in named.values()
        for host in (HOST, guard.BEHIND)
    }
    got = _asked_as(_STRANGER, [(host, port) for _, host, port in ports])
    served = [
        f"{service} at {host}:{port} ({answer})"
        for (service, host, port), answer in zip(ports, got, strict=True)
        if answer.startswith(("HTTP/1.0 2", "HTTP/1.1 2", "220")) and service not in _TELLS_NOTHING
    ]
    asked = sum(bool(answer) for answer in got)
    said = f"user {_STRANGER} asked {len(got)} addresses, {asked} answered"
    yield of(not served, f"{said}, served: {', '.join(served) or 'none'}")


def _asked_as(user: int, addresses: list[tuple[str, int]]) -> list[str]:
    """The first line that each address answers to that user; "" where nobody listens, or is let
    go without a word."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            os.write(writing, json.dumps([_first_line(one) for one in addresses]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    os.waitpid(child, 0)
    found: list[str] = json.loads(text)
    return found


def _first_line(address: tuple[str, int]) -> str:
    try:
        with socket.socket() as asking:
            asking.settimeout(_TIMEOUT_S)
            asking.connect(address)
            asking.sendall(_REQUEST)
            return asking.recv(200).decode("latin-1").partition("\r\n")[0]
    except OSError:
        return ""


def database(instance: Instance) -> Iterator[Said]:
    """PostgreSQL lets nobody in without a password, and never sees it."""
    import psycopg

    port = instance.port("postgresql")
    refused = 0
    for user, password in (("postgres", ""), ("postgres", "postgres"), ("scheduler", "scheduler")):
        try:
            psycopg.connect(
                host=HOST, port=port, dbname="residency", user=user, password=password,
                connect_timeout=5,
            ).close()  # fmt: skip
        except psycopg.OperationalError:
            refused += 1
        else:
            yield of(False, f"`{user}` comes in with {f'`{password}`' if password else 'none'}")
    rules = (instance.config_dir / "postgresql" / "pg_hba.conf").read_text().splitlines()
    methods = {rule.split()[-1] for rule in rules if rule.strip() and not rule.startswith("#")}
    yield of(
        refused == 3 and methods == {"scram-sha-256"},
        f"{refused} of 3 guesses were refused; methods: {', '.join(sorted(methods))}",
    )
