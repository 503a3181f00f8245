"""The relay as a process, between a client and a small target."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stack.paths import REPO
from stack.programs.dblink import relay as relays

LATENCY_S = 0.2


class Link:
    """A running relay, and what a test needs to use it."""

    def __init__(self, port: int, target: int, control: Path, process: subprocess.Popen[str]):
        self.port, self.target, self.control, self.process = port, target, control, process

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def set(self, text: str) -> None:
        aside = self.control.with_suffix(".new")
        aside.write_text(text)
        aside.replace(self.control)

    def slow(self, latency_s: float) -> None:
        self.set(json.dumps({"latency_s": latency_s}))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def relay(folder: Path, target: int) -> Iterator[Link]:
    port, control = free_port(), folder / "database-link.json"
    command = [sys.executable, "-m", "stack.programs.dblink"]
    command += ["--listen", str(port), "--target", str(target), "--control", str(control)]
    process = subprocess.Popen(command, cwd=REPO, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 20
        while process.poll() is None:
            try:
                # Refused while it starts; with the target down, reset once it listens.
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "relay does not listen"
                time.sleep(0.02)
        yield Link(port, target, control, process)
    finally:
        process.kill()
        process.communicate()


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def total_after_end(connection: socket.socket) -> None:
    """Answer only once the client has ended its stream."""
    size = 0
    while data := connection.recv(65536):
        size += len(data)
    connection.sendall(str(size).encode())


@contextmanager
def target(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with connection:
            try:
                serve(connection)
            except OSError:
                return

    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        # Wakes accept(), which close() alone does not.
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@contextmanager
def silent(folder: Path) -> Iterator[tuple[socket.socket, Link]]:
    """A target that accepts nothing by itself: the test plays its part."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        with relay(folder, server.getsockname()[1]) as link:
            server.accept()[0].close()  # the readiness probe
            yield server, link


@pytest.fixture
def link(tmp_path: Path) -> Iterator[Link]:
    with target(echo) as port, relay(tmp_path, port) as running:
        yield running


def receive(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := client.recv(size - len(data))):
        data += more
    return data


def ask(client: socket.socket, question: bytes) -> float:
    """Seconds until the whole echo is back."""
    start = time.monotonic()
    client.sendall(question)
    assert receive(client, len(question)) == question
    return time.monotonic() - start


def test_relay_is_transparent_without_control_file(link: Link) -> None:
    with link.connect() as client:
        assert min(ask(client, b"select 1") for _ in range(20)) < LATENCY_S


def test_relay_delays_each_direction_on_an_open_connection_until_undone(link: Link) -> None:
    with link.connect() as client:
        ask(client, b"before")
        link.slow(LATENCY_S)
        assert ask(client, b"during") >= 2 * LATENCY_S
        link.set("{}")
        assert min(ask(client, b"after") for _ in range(5)) < LATENCY_S


def test_relay_keeps_order_and_content_while_slow(link: Link) -> None:
    link.slow(LATENCY_S)
    sent = b"".join(n.to_bytes(4, "big") for n in range(500_000))
    with link.connect() as client:
        sender = threading.Thread(target=client.sendall, args=(sent,))
        sender.start()
        assert receive(client, len(sent)) == sent
        sender.join()


@pytest.mark.parametrize("latency_s", [0.0, LATENCY_S], ids=["fast", "slow"])
def test_relay_honours_half_close(tmp_path: Path, latency_s: float) -> None:
    with target(total_after_end) as port, relay(tmp_path, port) as link:
        link.slow(latency_s)
        with link.connect() as client:
            client.sendall(b"x" * 300_000)
            client.shutdown(socket.SHUT_WR)
            assert receive(client, 100) == b"300000"


def test_relay_resets_at_once_when_target_is_down_and_recovers(tmp_path: Path) -> None:
    port = free_port()
    with relay(tmp_path, port) as link:
        # It may be reset before this side knows that it is connected.
        with pytest.raises(ConnectionResetError), link.connect() as client:
            client.recv(1)
        with socket.create_server(("127.0.0.1", port)) as server, link.connect() as client:
            client.sendall(b"hello")
            with server.accept()[0] as accepted:
                assert receive(accepted, 5) == b"hello"


def test_relay_closes_the_client_when_the_target_goes_away(tmp_path: Path) -> None:
    with silent(tmp_path) as (server, link), link.connect() as client:
        server.accept()[0].close()
        assert client.recv(1) == b""


def test_relay_passes_a_reset_of_the_target_on(tmp_path: Path) -> None:
    with silent(tmp_path) as (server, link), link.connect() as client:
        accepted = server.accept()[0]
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_relay_holds_back_a_client_whose_target_does_not_read(tmp_path: Path) -> None:
    """Bounded buffers: far fewer bytes are taken than are offered."""
    with silent(tmp_path) as (_, link), link.connect() as client:
        client.settimeout(1)
        taken = 0
        with contextlib.suppress(TimeoutError):
            while taken < 200e6:
                taken += client.send(b"x" * 262_144)
        assert taken < 50e6


def test_relay_keeps_last_good_latency_when_the_control_file_is_bad(link: Link) -> None:
    link.slow(LATENCY_S)
    with link.connect() as client:
        ask(client, b"one")
        for bad in ("", "[]", '{"latency_s": -1}', '{"latency_s": true}', '{"lag": 1}'):
            link.set(bad)
            assert ask(client, b"two") >= 2 * LATENCY_S
    link.process.terminate()
    lines = link.process.stderr.read().splitlines()  # type: ignore[union-attr]
    assert len(lines) == 5, lines
    assert "not JSON" in lines[0]
    assert "`latency_s` is -1, expected a number from 0 to 3600" in lines[2]
    assert "unknown: `lag`; known: `latency_s`" in lines[4]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_relay_stops_on_signal_with_open_connections(link: Link, number: int) -> None:
    link.slow(3000)
    with link.connect() as client:
        client.sendall(b"x")
        os.kill(link.process.pid, number)
        assert link.process.wait(10) == 0
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_relay_names_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, "-m", "stack.programs.dblink", "--listen", str(port)]
        command += ["--target", "1", "--control", str(tmp_path / "c")]
        done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=30)
    assert done.returncode == 3
    assert f"port `127.0.0.1:{port}` cannot be listened on" in done.stderr
    assert "Traceback" not in done.stderr


def test_relay_answers_clients_that_send_at_once(link: Link) -> None:
    for _ in range(20):
        with link.connect() as client:
            client.sendall(b"at once")
            assert receive(client, 7) == b"at once"


async def admitted(
    address: tuple[str, int],
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection for which there is room, as soon as there is."""
    while True:
        reader, writer = await asyncio.open_connection(*address)
        try:
            writer.write(b"new")
            assert await reader.readexactly(3) == b"new"
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()
            await asyncio.sleep(0.01)
        else:
            return reader, writer


def test_relay_has_room_for_so_many_and_resets_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "MOST_CONNECTIONS", 3)

    async def crowd(target: int) -> list[bytes]:
        until, listening = asyncio.Event(), socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(
            relays.serve(listening, ("127.0.0.1", target), lambda: 0.0, until)
        )
        address = listening.getsockname()
        kept = [await asyncio.open_connection(*address) for _ in range(3)]
        for reader, writer in kept:
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
        reader, writer = await asyncio.open_connection(*address)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        kept[0][1].close()
        kept[0] = await admitted(address)
        for _, writer in kept:  # those that were there notice nothing
            writer.write(b"two")
        answers = [await reader.readexactly(3) for reader, _ in kept]
        for _, writer in kept:
            writer.close()
        until.set()
        await serving
        return answers

    with target(echo) as port:
        assert asyncio.run(crowd(port)) == [b"two"] * 3


@pytest.mark.parametrize("latency_s", [0.0, 0.02])
def test_relay_keeps_what_arrives_before_the_target_does(
    monkeypatch: pytest.MonkeyPatch, latency_s: float
) -> None:
    """Bytes may come with the connection itself, as Python 3.11.2 hands them over."""

    class Early(relays.Accepted):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.data_received(b"first ")

    async def talk(target: int) -> bytes:
        until, listening = asyncio.Event(), socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(
            relays.serve(listening, ("127.0.0.1", target), lambda: latency_s, until)
        )
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"then")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        until.set()
        await serving
        return answer

    monkeypatch.setattr(relays, "Accepted", Early)
    with target(echo) as port:
        assert asyncio.run(talk(port)) == b"first then"
