"""Loaded into locust beside a scenario file: prints its figures, and ends when nobody listens.

Every half second one JSON line goes to standard output; SIGUSR1 resets the figures. When the
process that started locust is gone, for whatever reason, locust ends too:
`python -m locust -f SCENARIO.py,loadgen/leash.py --headless`.
"""

import json
import os
import signal
import sys
import threading
import time
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import events

EVERY_S = 0.5
ERRORS_SHOWN = 3


def figures(environment: Any, now: float) -> dict[str, Any]:
    """Locust's figures. Times are in milliseconds; `at` and `since` (their start) in Unix s."""
    total = environment.stats.total
    errors = sorted(environment.stats.errors.values(), key=lambda error: -error.occurrences)
    return {
        "at": now,
        "since": total.start_time,
        "users": environment.runner.user_count,
        "requests": total.num_requests,
        "failures": total.num_failures,
        "median_ms": total.median_response_time or 0,
        "p95_ms": total.get_response_time_percentile(0.95) or 0,
        "errors": [_described(error) for error in errors[:ERRORS_SHOWN]],
    }


def _described(error: Any) -> str:
    return f"{error.occurrences}x {error.method} {error.name}: {error.error}"


def _report(environment: Any, parent: int) -> None:
    """Runs until the process ends."""
    while os.getppid() == parent:
        try:
            print(json.dumps(figures(environment, time.time())), flush=True)
        except BrokenPipeError:
            break
        time.sleep(EVERY_S)
    sys.stderr.write("the process that started locust is gone; locust ends too\n")
    os._exit(1)


def _on_init(environment: Any, **_: Any) -> None:
    gevent.signal_handler(signal.SIGUSR1, environment.stats.reset_all)
    # Locust has patched threading: this thread is a greenlet beside the users.
    threading.Thread(target=_report, args=(environment, os.getppid()), daemon=True).start()


events.init.add_listener(_on_init)  # type: ignore[no-untyped-call]
