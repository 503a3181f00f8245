"""A real scheduler under the clinic's traffic: what its metrics look like, and rules read."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from loadgen.traffic import PASSWORD
from stack import loopback
from stack.errors import HostCannot
from stack.paths import REPO
from stack.run.instance import Instance

SCHEDULER = "backend"
SOURCES, PACE_S = 10, 0.5
"""Ten people make a request every half second each, whatever becomes of it."""

ENOUGH = 300
"""Requests after which the proportions between what is counted are those of the clinic."""

_WITHIN_S = 120.0
_STOP_S = 10.0

_COUNTED = re.compile(r"^http_requests_total\{[^}]*\} (\d+)", re.MULTILINE)


@contextmanager
def traffic(instance: Instance, log: Path) -> Iterator[None]:
    """Under Locust while the block lasts."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")}
    environment[PASSWORD] = instance.layout.secret("scheduler_password").read_text().strip()
    with log.open("w") as said:
        locust = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", "loadgen/clinic.py", "--headless",
             "--only-summary", "--loglevel", "WARNING", "--host", instance.url(SCHEDULER),
             "--users", f"{SOURCES}", "--spawn-rate", f"{SOURCES}", "--open-pace", f"{PACE_S}",
             "--tell", str(instance.control_file("load"))],
            cwd=REPO, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            process_group=0,
        )  # fmt: skip
    try:
        yield
    finally:
        locust.terminate()
        try:
            locust.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            locust.kill()
            locust.wait()


def shape(instance: Instance) -> str:
    """What its scheduler answers at `/metrics` once it was asked often enough. Raises
    HostCannot."""
    give_up = time.monotonic() + _WITHIN_S
    with loopback.client(instance.url(SCHEDULER)) as http:
        while time.monotonic() < give_up:
            try:
                text = http.get("/metrics").text
            except httpx.HTTPError:
                text = ""
            if sum(map(int, _COUNTED.findall(text))) >= ENOUGH:
                return text
            time.sleep(0.5)
    raise HostCannot(
        f"the scheduler of instance `{instance.name}` answered fewer than {ENOUGH} requests within"
        f" {_WITHIN_S:g} s, so that nobody knows what its metrics look like.",
        cure="Locust's log is in the report's folder.",
    )
