"""Tell nginx whether it is asked by one of the instance's own users.

`python -m stack.programs.ident --socket PATH`. nginx asks with `auth_request`
(nginx.org, ngx_http_auth_request_module) and says by `X-Client` and `X-Server`, `ADDRESS:PORT`,
which connection it means; the answer is 204 or 403. Where `STACK_USERS` names nobody, anybody may.
"""

import argparse
import asyncio
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path

from stack.programs import peers
from stack.programs.memory import within

_MOST_BYTES = 16_384
"""Of a request, which has no body."""

_ADDRESS = re.compile(rb"\r\nX-(Client|Server): *([0-9.]+):([0-9]+) *(?=\r\n)", re.IGNORECASE)


def answer(head: bytes) -> int:
    """The status for a request with that head: 204 for one of ours, else 403."""
    users = peers.may_come()
    if users is None:
        return 204
    said = {
        name.lower(): (address.decode(), int(port))
        for name, address, port in _ADDRESS.findall(head)
    }
    try:
        ours = peers.is_ours(said[b"client"], said[b"server"], users)
    except (KeyError, OSError):
        return peers.REFUSED
    return 204 if ours else peers.REFUSED


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 %d -\r\nContent-Length: 0\r\n\r\n" % answer(b"\r\n" + head))
                await writer.drain()
    finally:
        writer.close()


async def _run(path: Path) -> None:
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(_serve, path, limit=_MOST_BYTES)
    path.chmod(0o666)  # nginx' workers are another user; what it tells is no secret
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with server:
        await over.wait()


def _main() -> int:
    parser = argparse.ArgumentParser(prog="stack.programs.ident", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where nginx asks")
    options = parser.parse_args()
    asyncio.run(_run(options.socket))
    return 0


if __name__ == "__main__":
    sys.exit(within("ident", _main))
