"""A locustfile beside `loadgen/clinic.py`: the load is that of a file, and each request is told.

`CAPACITY_RATE` in the environment names the file: arrivals a second or, without `--open-pace`,
people who wait. Four times a second one JSON line goes to standard output: the books of arrivals,
and what the requests since the last line took, by name.
"""

import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from locust import LoadTestShape, events

from loadgen.exposed import total

VARIABLE = "CAPACITY_RATE"

PACE_S = 4.0
"""Of a source: rates are multiples of a quarter."""

EVERY_S = 0.25
SPAWN_PER_S = 1000.0

_took: dict[str, list[float]] = {}
_failed = 0


class Told(LoadTestShape):
    """As many sources as the rate wants, or people, until locust is stopped; one at least."""

    def tick(self) -> tuple[int, float]:
        options = self.runner.environment.parsed_options if self.runner else None
        each = PACE_S if options and options.open_pace else 1.0
        try:
            rate = float(Path(os.environ[VARIABLE]).read_text())
        except ValueError:  # it is being written
            return max(1, self.get_current_user_count()), SPAWN_PER_S  # type: ignore[no-untyped-call]
        return max(1, round(rate * each)), SPAWN_PER_S


def _requested(
    request_type: str, name: str, response_time: float, exception: Any, **_: Any
) -> None:
    global _failed
    _took.setdefault(f"{request_type} {name}", []).append(round(response_time / 1000, 5))
    _failed += exception is not None


def _report() -> None:
    global _failed
    while True:
        time.sleep(EVERY_S)
        line = {"at": time.perf_counter(), "books": asdict(total()), "took": dict(_took),
                "failed": _failed}  # fmt: skip
        _took.clear()
        _failed = 0
        try:
            print(json.dumps(line), flush=True)
        except BrokenPipeError:
            sys.stderr.write("nobody listens any more; locust ends\n")
            os._exit(1)


def _begin(**_: Any) -> None:
    threading.Thread(target=_report, daemon=True).start()


events.request.add_listener(_requested)  # type: ignore[no-untyped-call]
events.init.add_listener(_begin)  # type: ignore[no-untyped-call]
