"""Given to locust beside a scenario file: tells its figures, and ends when nobody listens.

Every half second one JSON line goes to standard output. When the process that started locust is
gone, however it went, so is locust: `python -m locust -f SCENARIO.py,loadgen/leash.py --headless`.
"""

import json
import os
import sys
import time
from typing import Any

import gevent
from locust import events

EVERY_S = 0.5
ERRORS_SHOWN = 3


def figures(environment: Any, now: float) -> dict[str, Any]:
    """Locust's figures since the start; times in milliseconds, `at` in Unix seconds."""
    total = environment.stats.total
    errors = sorted(environment.stats.errors.values(), key=lambda error: -error.occurrences)
    return {
        "at": now,
        "users": environment.runner.user_count,
        "requests": total.num_requests,
        "failures": total.num_failures,
        "median_ms": total.median_response_time or 0,
        "p95_ms": total.get_response_time_percentile(0.95) or 0,
        "errors": [f"{e.occurrences} × {e.method} {e.name}: {e.error}" for e in errors[:ERRORS_SHOWN]],
    }  # fmt: skip


def _report(environment: Any, parent: int) -> None:
    """Runs until the process ends."""
    while os.getppid() == parent:
        try:
            print(json.dumps(figures(environment, time.time())), flush=True)
        except BrokenPipeError:
            break
        gevent.sleep(EVERY_S)
    sys.stderr.write("the process that started locust is gone; so is locust\n")
    os._exit(1)


@events.init.add_listener
def _on_init(environment: Any, **_: Any) -> None:
    gevent.spawn(_report, environment, os.getppid())
