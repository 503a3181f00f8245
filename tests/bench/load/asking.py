"""A locustfile: people who ask for `/` and nothing else, waiting or not, and what each answer took.

`ASKING_PACE` in the environment makes each a source of arrivals that is due so often, in seconds;
`ASKING_TOOK` names a file for a JSON list, of one process: when each request was due, Unix seconds,
and how many seconds it took from then on.
"""

import json
import os
from pathlib import Path
from typing import Any

from locust import FastHttpUser, events, task

from loadgen.open import opened
from loadgen.users import ClinicUser

PACE_S = float(os.environ.get("ASKING_PACE") or 0)
IN_FLIGHT = 5000

took: list[tuple[float, float]] = []


class Waiting(FastHttpUser):
    """Asks again as soon as it has its answer."""

    @task
    def ask(self) -> None:
        self.client.get("/")


class Due(ClinicUser):
    """Who asks when it is due; the open model makes a source of it."""

    def username(self) -> str:
        return "nobody"

    def log_in(self) -> None:
        self._headers = {"Accept": "*/*"}

    @task
    def ask(self) -> None:
        self.client.get("/")


@events.init.add_listener
def _begin(environment: Any, **_: Any) -> None:
    asks = opened(Due, PACE_S, IN_FLIGHT) if PACE_S else Waiting
    environment.user_classes = [asks]


@events.request.add_listener
def _requested(response_time: float, start_time: float, **_: Any) -> None:
    took.append((start_time, response_time / 1000))


@events.quit.add_listener
def _end(**_: Any) -> None:
    if file := os.environ.get("ASKING_TOOK"):
        Path(file).write_text(json.dumps(took))
