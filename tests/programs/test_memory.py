"""A program of the lab's own that wants more memory than it has: the request is refused, or that
program ends; nothing else on the machine suffers."""

import subprocess
import sys

from stack.paths import REPO
from stack.programs.memory import VARIABLE

MIB = 1 << 20
LIMIT = 100 * MIB

PROGRAM = """
import sys, threading
from stack.programs.memory import within

def main():
    {body}
    return 0

sys.exit(within("probe", main))
"""

ASKED = """
import asyncio
from stack.programs.memory import Bounded

kept = []

async def app(scope, receive, send):
    held = [bytearray(1 << 20) for _ in range(int(scope["query_string"]))]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})

async def hold(scope, receive, send):
    while True:
        kept.append(bytearray(1 << 20))

async def ask(app, size):
    told = []
    async def send(message):
        told.append(message)
    await app({"type": "http", "method": "GET", "path": "/x", "headers": [],
               "query_string": str(size).encode()}, None, send)
    print(told[0]["status"], told[1]["body"].decode().strip())
"""


def run(body: str, limit: int = LIMIT) -> "subprocess.CompletedProcess[str]":
    text = PROGRAM.format(body=body.replace("\n", "\n    "))
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False,
        cwd=REPO, env={VARIABLE: str(limit)},
    )  # fmt: skip


def test_what_fits_is_let_be() -> None:
    assert run(f"bytearray({60 * MIB})").returncode == 0


def test_program_that_wants_more_ends_and_says_so() -> None:
    done = run(f"bytearray({120 * MIB})")
    assert done.returncode == 1
    assert "needs more memory than it has" in done.stdout
    assert f"limit_bytes={LIMIT}" in done.stdout


def test_without_a_limit_there_is_none() -> None:
    assert run(f"bytearray({120 * MIB})", limit=0).returncode == 0


def test_threads_do_not_use_it_up() -> None:
    """Fifty stacks of 8 MiB would be four times as much."""
    body = """stop = threading.Event()
threads = [threading.Thread(target=stop.wait) for _ in range(50)]
[one.start() for one in threads]
stop.set()
[one.join() for one in threads]"""
    assert run(body).returncode == 0


def test_request_that_wants_more_is_refused_and_the_next_is_answered() -> None:
    done = run(ASKED + "bounded = Bounded(app, 'probe')\n"
               "asyncio.run(ask(bounded, 150))\nasyncio.run(ask(bounded, 1))")  # fmt: skip
    assert done.returncode == 0, done.stderr
    refused, fine = done.stdout.splitlines()[-2:]
    assert refused == f"503 this needs more memory than {LIMIT} bytes"
    assert fine == "200 fine"
    assert "path=/x" in done.stdout


def test_program_that_has_none_left_after_a_request_ends() -> None:
    done = run(ASKED + "asyncio.run(ask(Bounded(hold, 'probe'), 1))\nprint('still here')")
    assert done.returncode == 1
    assert "there is no memory left" in done.stdout
    assert "still here" not in done.stdout
