"""Relay PostgreSQL, as slowly as the control file says.

`python -m stack.programs.dblink --listen PORT --target PORT --control FILE`; `{"latency_s": 1.25}`
in the control file delays every chunk that arrives from then on by 1.25 s in each direction, also
on connections that are already open. The lab's own, after Toxiproxy's latency toxic.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from stack.errors import LabError
from stack.loopback import HOST
from stack.programs.control import ControlFile, number, only_known
from stack.programs.dblink.relay import serve
from stack.programs.logfmt import say
from stack.programs.memory import within
from stack.programs.serving import listen

_LATENCY_AT_MOST_S = 3600.0


def latency(document: dict[str, object]) -> float:
    """Seconds of delay from the control file's JSON object. Raises BadInput."""
    only_known(document, ["latency_s"])
    return number(document, "latency_s", maximum=_LATENCY_AT_MOST_S) or 0.0


async def _run(host: str, port: int, target: int, control: Path) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    delay = ControlFile(control, latency, who="database-link")
    listening = listen(host, port, option="--listen")
    say("info", "database-link", "relaying", listen=port, target=target)
    await serve(listening, (host, target), delay.value, stop)


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="stack.programs.dblink", description=__doc__)
    parser.add_argument("--listen", type=int, required=True, help="port for the scheduler")
    parser.add_argument("--target", type=int, required=True, help="port of PostgreSQL")
    parser.add_argument("--host", default=HOST, help="address of both (default: %(default)s)")
    parser.add_argument("--control", type=Path, required=True, help="JSON file with `latency_s`")
    options = parser.parse_args()
    try:
        asyncio.run(_run(options.host, options.listen, options.target, options.control))
    except LabError as error:
        print(f"database-link: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(within("database-link", main))
