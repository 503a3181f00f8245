"""Real servers of known capacity in the scheduler's place, and as much of an instance as the bench
asks for."""

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stack.store.packageset import realise
from tests.waiting import eventually

ANSWER = b'{"access_token": "t", "items": []}'


@contextmanager
def instance_of(port: int, folder: Path, pid: int) -> Iterator[Any]:
    """An instance whose scheduler is the process `pid`, at that port."""
    secret = folder / "secret"
    secret.write_text("secret")
    made: Any = SimpleNamespace(
        control_file=lambda service: folder / f"{service}.json",
        layout=SimpleNamespace(
            secret=lambda name: secret, backends=1, log=lambda service: folder / "log"
        ),
        url=lambda service: f"http://127.0.0.1:{port}",
        supervisor=SimpleNamespace(states=lambda: {"backend": SimpleNamespace(pid=pid)}),
        pid=lambda service: pid,
    )
    yield made


class Pooled:
    """`connections` requests at once, each for exactly `service_s`; the others wait in turn. Its
    page of metrics says, as the scheduler's does, how many have a connection and how many wait."""

    def __init__(self, connections: int, service_s: float) -> None:
        self.connections, self.service_s = connections, service_s
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def capacity(self) -> float:
        """Requests a second, all that it can do."""
        return self.connections / self.service_s

    def __enter__(self) -> "Pooled":
        self._thread.start()
        self._listening.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        # When each connection is free again, by the clock: an event loop that wakes late serves no
        # less in the long run.
        self._free = [0.0] * self.connections
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=1000)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._ended.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = head.partition("content-length:")[2].split("\r\n")[0].strip()
                await reader.readexactly(int(length or 0))
                body = ANSWER
                if head.startswith("get /metrics"):
                    body = self._metrics()
                else:
                    await self._serve_one()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _serve_one(self) -> None:
        now = time.perf_counter()
        first = min(range(self.connections), key=lambda n: self._free[n])
        self._free[first] = max(now, self._free[first]) + self.service_s
        await asyncio.sleep(self._free[first] - now)

    def _metrics(self) -> bytes:
        now = time.perf_counter()
        waits = sum(max(0.0, at - now - self.service_s) for at in self._free) / self.service_s
        busy = sum(at > now for at in self._free)
        return (
            f'db_pool_connections{{state="in_use"}} {busy}\n'
            f'db_pool_connections{{state="idle"}} {self.connections - busy}\n'
            f"db_pool_requests_waiting {int(waits)}\n"
        ).encode()


@contextmanager
def instant(folder: Path) -> Iterator[tuple[int, int]]:
    """nginx that answers everything at once: its port and process."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
        f"  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"  server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000;\n"
        "    location = /metrics { return 200 'db_pool_requests_waiting 0\n'; }\n"
        "    location / { default_type application/json;\n"
        f"      return 200 '{ANSWER.decode()}'; }} }} }}\n"
    )
    program = realise(["nginx"])["nginx"] / "bin" / "nginx"
    process = subprocess.Popen([program, "-p", folder, "-c", config], cwd=folder,
                               env={**os.environ}, stderr=subprocess.DEVNULL)  # fmt: skip
    try:

        def listens() -> bool:
            with socket.socket() as asked:
                return asked.connect_ex(("127.0.0.1", port)) == 0

        eventually(listens)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)
