"""`python -m stack.programs.scheduler`: serves the scheduler on one port."""

import argparse
import asyncio
import socket
import sys
from functools import partial

import uvloop

from stack.errors import LabError
from stack.programs.memory import within
from stack.programs.scheduler import logs
from stack.programs.scheduler.app import create_app
from stack.programs.scheduler.processes import Siblings, several
from stack.programs.scheduler.settings import (
    VARIABLES,
    YEAR_END,
    YEAR_START,
    Settings,
    from_environment,
)
from stack.programs.serving import listen, serve

BODY_LIMIT_BYTES = 1 << 20
"""Of a request: the largest, a range of days to plan, has less than a kilobyte."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. Exit 0, 2 for wrong use, 3 if the port is not available."""
    options = _parser().parse_args(arguments)
    try:
        settings = from_environment()
        listening = listen(options.host, options.port, option="--port")
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if settings.processes == 1:
        return _served(settings, listening, None)
    return several(settings.processes, partial(_served, settings, listening))


def _served(settings: Settings, listening: socket.socket, siblings: Siblings | None) -> int:
    app = create_app(settings, siblings)
    logs.install(app.state.services.metrics.log_records)
    served = serve(
        app, listening, who="backend", stop_s=1, most_bytes=BODY_LIMIT_BYTES,
        lifespan="on", http="httptools", log_config=None, log_level=None, timeout_keep_alive=5,
    )  # fmt: skip
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(served)
    return 0


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, VARIABLES))
    table = "\n".join(f"  {name:<{width}}  {what}" for name, what in VARIABLES.items())
    parser = argparse.ArgumentParser(
        prog="python -m stack.programs.scheduler",
        description="The stub Residency Scheduler: rosters for residents under the ACGME duty-hour "
        "rules, over PostgreSQL.\nAn empty database is seeded automatically.",
        epilog=f"environment:\n{table}\n\n"
        f"The data cover {YEAR_START} to {YEAR_END}. Users: coordinator1, coordinator2, faculty01 "
        "to faculty30,\nresident01 to resident60. Endpoints: /docs; /health, /health/ready, "
        "/metrics.\n\nexample:\n  DATABASE_URL=postgresql://app:secret@127.0.0.1/residency \\\n"
        "    python -m stack.programs.scheduler --port 8000\n"
        "  curl -H 'Content-Type: application/json' http://127.0.0.1:8000/api/v1/auth/login \\\n"
        '    -d \'{"username": "resident01", "password": "residency"}\'',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=_port, required=True, help="TCP port to listen on")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"`{text}` is not a port, expected 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(within("backend", main))
