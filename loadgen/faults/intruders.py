"""Somebody is refused at the door, again and again: at the database, the scheduler, or Loki.

This process makes the attempts, slowly enough to disturb nobody else, and they end with it.
"""

import time
from dataclasses import dataclass

import httpx
import psycopg

from loadgen.faults.base import FaultFailed, Target
from loadgen.faults.postgres import DATABASE, SERVICE
from loadgen.faults.repeated import Attempts
from stack import loopback
from stack.loopback import HOST

LOKI = "loki"

_MONTH_NS = 30 * 86_400 * 10**9

STRANGER = "reporting"
"""A role that the database does not have; it takes as long to refuse as a wrong password."""


@dataclass(frozen=True, kw_only=True)
class DatabaseLogInsRefused(Attempts):
    """A program that the database does not know keeps trying to log in; each time it is FATAL."""

    touches: frozenset[str] = frozenset({f"{SERVICE}.logins"})

    def inject(self, instance: Target) -> None:
        port = instance.layout.port(SERVICE)
        self.begin(lambda: _refused_by_database(port))

    def __str__(self) -> str:
        return f"log-ins of `{STRANGER}` to {SERVICE} refused"


@dataclass(frozen=True, kw_only=True)
class PasswordsGuessed(Attempts):
    """Somebody keeps guessing the password of `username`."""

    username: str
    touches: frozenset[str] = frozenset({"backend.logins"})

    def inject(self, instance: Target) -> None:
        url = instance.layout.url("backend")
        self.begin(lambda: _refused_by_scheduler(url, self.username))

    def __str__(self) -> str:
        return f"passwords of {self.username} guessed"


@dataclass(frozen=True, kw_only=True)
class OldLinesPushed(Attempts):
    """A shipper of somebody's own pushes lines to Loki that are a month old; none is taken."""

    touches: frozenset[str] = frozenset({f"{LOKI}.pushes"})

    def inject(self, instance: Target) -> None:
        url = f"{instance.layout.url(LOKI)}/loki/api/v1/push"
        self.begin(lambda: _refused_by_loki(url))

    def __str__(self) -> str:
        return "lines of last month pushed to Loki"


def _refused_by_loki(url: str) -> None:
    """One push. Raises FaultFailed unless Loki refuses it for its age."""
    at_ns = time.time_ns() - _MONTH_NS
    stream = {"stream": {"service": STRANGER}, "values": [[str(at_ns), "report written"]]}
    try:
        answer = loopback.request("POST", url, json={"streams": [stream]}, timeout_s=5)
    except httpx.HTTPError as error:
        raise FaultFailed(f"POST {url}: {error}") from error
    if answer.status_code != 400:
        raise FaultFailed(f"Loki answers {answer.status_code} to a line that is a month old")


def _refused_by_database(port: int) -> None:
    """One attempt. Raises FaultFailed unless the database refuses it for its password."""
    try:
        psycopg.connect(
            host=HOST, port=port, dbname=DATABASE, user=STRANGER, password="guessed",
            connect_timeout=5, sslmode="disable", gssencmode="disable",
        ).close()  # fmt: skip
    except (psycopg.Error, OSError) as error:
        if "authentication failed" in str(error):
            return
        raise FaultFailed(f"`{SERVICE}` does not answer: {' '.join(str(error).split())}") from error
    raise FaultFailed(f"`{SERVICE}` let `{STRANGER}` log in")


def _refused_by_scheduler(url: str, username: str) -> None:
    """One attempt. Raises FaultFailed unless the scheduler answers 401."""
    guess = {"username": username, "password": "guessed"}
    try:
        answer = loopback.request("POST", f"{url}/api/v1/auth/login", json=guess)
    except httpx.HTTPError as error:
        raise FaultFailed(f"the scheduler does not answer: {error}") from error
    if answer.status_code != 401:
        raise FaultFailed(
            f"a guessed password was answered with {answer.status_code}, expected 401"
        )
