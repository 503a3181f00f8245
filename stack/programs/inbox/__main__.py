"""`python -m stack.programs.inbox`: runs the inbox until SIGTERM or SIGINT."""

import argparse
import asyncio
import gc
import socket
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from stack.errors import BadInput, HostCannot, LabError
from stack.programs.inbox import smtp
from stack.programs.inbox.control import Control
from stack.programs.inbox.desk import Desk
from stack.programs.inbox.heartbeat import Heartbeats
from stack.programs.inbox.store import Store
from stack.programs.inbox.web import application
from stack.programs.logfmt import say
from stack.programs.serving import Server

_LOOKS = 20
"""How often heartbeats are looked for within the time after which one is missing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the inbox. Returns the exit code: 0 after a stop, else that of the error."""
    options = _options(arguments)
    try:
        services = dict(_service(text) for text in options.pagerduty_service)
        asyncio.run(_serve(options, services))
    except LabError as error:
        print(f"inbox: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stack.programs.inbox", description=__doc__)
    parser.add_argument("--http-port", type=int, required=True, metavar="P")
    parser.add_argument("--smtp-port", type=int, required=True, metavar="P")
    parser.add_argument("--database", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--pagerduty-service",
        action="append",
        default=[],
        metavar="NAME=KEYFILE",
        help="a service and the file that holds its routing key (32 letters and digits)",
    )
    parser.add_argument(
        "--control",
        type=Path,
        metavar="FILE",
        help='JSON that makes a channel fail or tarry: {"slack": {"status": 500, "delay": 2}}',
    )
    parser.add_argument(
        "--heartbeat-timeout",
        type=float,
        default=300.0,
        metavar="S",
        help="seconds after which a heartbeat that does not come is missing",
    )
    return parser.parse_args(arguments)


def _service(text: str) -> tuple[str, str]:
    """Read `NAME=KEYFILE` into (routing key, name). Raises BadInput."""
    name, separator, file = text.partition("=")
    if not (name and separator and file):
        raise BadInput(
            f"--pagerduty-service is `{text}`", cure="Write NAME=KEYFILE, as in on-call=key.txt."
        )
    try:
        key = Path(file).read_text().strip()
    except (OSError, ValueError) as error:
        raise BadInput(
            f"the routing key of PagerDuty service `{name}` cannot be read: {error}",
            cure="Write 32 letters and digits into that file.",
        ) from error
    if len(key) != 32 or not (key.isascii() and key.isalnum()):
        raise BadInput(
            f"`{file}`: the routing key of PagerDuty service `{name}` has {len(key)} characters "
            "or others than letters and digits",
            cure="Write 32 letters and digits into that file.",
        )
    return key, name


async def _serve(options: argparse.Namespace, services: dict[str, str]) -> None:
    """Listen on both ports until told to stop. Raises HostCannot."""
    http_socket = _listening(options.http_port, "--http-port")
    store = Store(options.database)
    heartbeats = Heartbeats(store, options.heartbeat_timeout)
    desk = Desk(store=store, control=Control(options.control), heartbeats=heartbeats)
    watch = asyncio.create_task(_watch(desk, options.heartbeat_timeout / _LOOKS))
    try:
        try:
            mail_server = await smtp.listen(desk, port=options.smtp_port)
        except (OSError, OverflowError) as error:
            raise _taken(options.smtp_port, "--smtp-port", error) from error
        server = Server(
            uvicorn.Config(
                application(desk, services),
                log_level="warning",
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=1,
                # Longer than any client keeps an idle connection (Alertmanager: 5 minutes), so
                # that none is closed just as a notification is sent over it.
                timeout_keep_alive=3600,
            )
        )
        # What was imported stays: no need to look at it in every collection.
        gc.freeze()
        say("info", "inbox", "listening", http=options.http_port, smtp=options.smtp_port)
        await server.serve([http_socket])
        # Not `wait_closed()`: since Python 3.12 that waits for senders who keep their connection.
        mail_server.close()
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        store.close()


async def _watch(desk: Desk, every_s: float) -> None:
    """Look for missing heartbeats until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        try:
            desk.look_for_heartbeats()
        except sqlite3.Error as error:
            say("error", "inbox", f"a missing heartbeat cannot be stored: {error}")


def _listening(port: int, option: str) -> socket.socket:
    """Return a socket that is bound to the port on 127.0.0.1. Raises HostCannot."""
    # Named, so that asyncio sets TCP_NODELAY; without, each answer waits 40 ms for an ACK.
    made = socket.socket(proto=socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen(128)
    except (OSError, OverflowError) as error:
        made.close()
        raise _taken(port, option, error) from error
    return made


def _taken(port: int, option: str, error: Exception) -> HostCannot:
    return HostCannot(
        f"port {port} of 127.0.0.1 cannot be listened on: {error}",
        cure=f"End what holds it, or choose another one with {option}.",
    )


if __name__ == "__main__":
    sys.exit(main())
