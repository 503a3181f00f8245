"""Prints what it costs that nginx, or a door of the lab's own, stands before a program.

    python -m tests.bench.bench_guard [--requests N]

Through nginx and past it in turns, over one connection each; the median of the differences counts.
"""

import argparse
import asyncio
import re
import statistics
import time

import httpx
from starlette.types import Message, Receive, Scope, Send

from stack.loopback import BEHIND
from stack.programs.door import Door
from stack.run.guard import passing
from stack.run.instance import Instance
from stack.run.lifecycle import running

PATHS = {"prometheus": "/-/healthy", "alertmanager": "/api/v2/status", "node-exporter": "/"}


def timed_ms(client: httpx.Client, url: str) -> float:
    began = time.perf_counter()
    client.get(url).raise_for_status()
    return (time.perf_counter() - began) * 1000


def through_nginx(instance: Instance, requests: int) -> None:
    said = re.findall(r'"(.*)"', passing(instance.layout).read_text())[0]
    with (
        httpx.Client(trust_env=False) as front,
        httpx.Client(trust_env=False, headers={"Authorization": said}) as behind,
    ):
        for name, path in PATHS.items():
            pairs = [
                (
                    timed_ms(front, instance.layout.url(name) + path),
                    timed_ms(behind, f"http://{BEHIND}:{instance.port(name)}{path}"),
                )
                for _ in range(requests)
            ]
            added = statistics.median(one - other for one, other in pairs)
            plain = statistics.median(other for _, other in pairs)
            print(f"nginx before {name:<14} adds {added:.3f} ms to {plain:.3f} ms")


def through_door(requests: int) -> None:
    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        """Nobody reads it."""

    headers = [(b"host", b"127.0.0.1:8025"), (b"origin", b"http://127.0.0.1:8025")]
    headers += [(b"accept-encoding", b"gzip"), (b"user-agent", b"bench")]
    door = Door(program, ("127.0.0.1", "localhost"), most_bytes=1 << 20)

    async def many(app: Door) -> float:
        began = time.perf_counter()
        for _ in range(requests):
            scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
            await app(scope, receive, send)
        return (time.perf_counter() - began) / requests * 1000

    took = statistics.median(asyncio.run(many(door)) for _ in range(5))
    print(f"a door of the lab's own     adds {took:.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    requests = parser.parse_args().requests
    through_door(requests)
    with running("guarded", speed=1.0) as instance:
        through_nginx(instance, requests)


if __name__ == "__main__":
    main()
