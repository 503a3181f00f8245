"""`python -m stack.programs.inbox`: runs the inbox until SIGTERM or SIGINT."""

import argparse
import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from stack.errors import BadInput, LabError
from stack.loopback import HOST
from stack.programs.inbox import smtp
from stack.programs.inbox.control import Control
from stack.programs.inbox.desk import Desk
from stack.programs.inbox.heartbeat import Heartbeats
from stack.programs.inbox.store import MessageStore
from stack.programs.inbox.web import application
from stack.programs.logfmt import say
from stack.programs.memory import within
from stack.programs.serving import listen, serve

_LOOKS = 20
"""How often missing heartbeats are looked for within the time after which one is missing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the inbox. Returns the exit code: 0 after a stop, otherwise that of the error."""
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
    parser.add_argument(
        "--listen", default=HOST, metavar="ADDRESS", help="for both ports (default: %(default)s)"
    )
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
        help="JSON that makes a channel fail or delay its answers: "
        '{"slack": {"status": 500, "delay": 2}}',
    )
    parser.add_argument(
        "--heartbeat-timeout",
        type=float,
        default=300.0,
        metavar="S",
        help="seconds without a beat after which a heartbeat is missing",
    )
    parser.add_argument(
        "--runbooks", type=Path, metavar="FOLDER", help="ALERT.md for each alert, shown as pages"
    )
    return parser.parse_args(arguments)


def _service(text: str) -> tuple[str, str]:
    """Read `NAME=KEYFILE` into (routing key, name). Raises BadInput."""
    name, separator, file = text.partition("=")
    if not (name and separator and file):
        raise BadInput(
            f"--pagerduty-service is `{text}`", cure="Write NAME=KEYFILE, such as on-call=key.txt."
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
            f"`{file}`: the routing key of PagerDuty service `{name}` is not 32 letters and digits "
            f"(it has {len(key)} characters)",
            cure="Write 32 letters and digits into that file.",
        )
    return key, name


async def _serve(options: argparse.Namespace, services: dict[str, str]) -> None:
    """Listen on both ports until told to stop. Raises HostCannot."""
    http_socket = listen(options.listen, options.http_port, option="--http-port")
    smtp_socket = listen(options.listen, options.smtp_port, option="--smtp-port")
    store = MessageStore(options.database)
    heartbeats = Heartbeats(store, options.heartbeat_timeout)
    desk = Desk(store=store, control=Control(options.control), heartbeats=heartbeats)
    watch = asyncio.create_task(_watch(desk, options.heartbeat_timeout / _LOOKS))
    try:
        mail_server = await smtp.serve(desk, smtp_socket)
        say("info", "inbox", "listening", http=options.http_port, smtp=options.smtp_port)
        await serve(
            application(desk, services, options.runbooks), http_socket, who="inbox", stop_s=1
        )
        # Not `wait_closed()`: since Python 3.12 that waits for senders that keep their connection.
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


if __name__ == "__main__":
    sys.exit(within("inbox", main))
