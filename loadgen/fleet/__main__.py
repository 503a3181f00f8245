"""`python -m loadgen.fleet --shape FILE --tell FILE --targets N`: serves a fleet until it is ended.

FILE of `--shape` has what a real scheduler answers at `/metrics`; that of `--tell` is written for
Prometheus' `file_sd_configs`, and is gone again when the fleet is.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from loadgen.fleet.roster import Plan, Roster
from loadgen.fleet.serve import serve
from loadgen.fleet.shape import Shape
from stack.errors import LabError
from stack.loopback import HOST

_TICK_S = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=Path, required=True)
    parser.add_argument("--tell", type=Path, required=True)
    parser.add_argument("--targets", type=int, required=True)
    parser.add_argument("--rate", type=float, default=Plan.rate)
    parser.add_argument("--churn-instances", type=float, default=Plan.churn_instances)
    parser.add_argument("--churn-labels", type=float, default=Plan.churn_labels)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    said = parser.parse_args()
    plan = Plan(
        targets=said.targets, rate=said.rate, churn_instances=said.churn_instances,
        churn_labels=said.churn_labels, seed=said.seed,
    )  # fmt: skip
    try:
        shape = Shape(said.shape.read_text())
        asyncio.run(_run(plan, shape, said.tell))
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"`{error.filename or said.shape}`: {error.strerror}", file=sys.stderr)
        return 3
    return 0


async def _run(plan: Plan, shape: Shape, file: Path) -> None:
    roster = Roster(plan, shape, time.time())
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def answer(path: str) -> str | None:
        name, _, rest = path.lstrip("/").partition("/")
        return roster.text(name, time.time()) if rest == "metrics" else None

    server = await serve(answer)
    address = f"{HOST}:{server.sockets[0].getsockname()[1]}"
    parent = os.getppid()
    try:
        roster.tell(file, address)
        while not ended.is_set() and os.getppid() == parent:  # nobody else would end it
            try:
                await asyncio.wait_for(ended.wait(), _TICK_S)
            except TimeoutError:
                if roster.advance(time.time()):
                    roster.tell(file, address)
    finally:
        file.unlink(missing_ok=True)
        server.close()


if __name__ == "__main__":
    sys.exit(main())
