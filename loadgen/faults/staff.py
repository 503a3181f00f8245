"""Much of the staff is absent, so planning these days is hard or impossible.

The absences are entered as a coordinator would: through the scheduler's own interface.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import httpx

from loadgen.faults.base import FaultFailed, Target
from stack import loopback

NOTE = "loadgen.faults.staff"
"""The text by which the absences are found again."""

_ABSENCES = "/api/v1/absences"
_PATIENCE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class StaffAbsent:
    """These people are on leave from the first to the last day, both included."""

    people: range
    """Their numbers: residents are 1 to 60, faculty 61 to 90."""
    days: tuple[date, date]
    shows_after_s: float = 0.0
    shows_within_s: float = 2.5
    """Somebody plans once a second, and somebody else validates the plan every two seconds."""
    lingers_s: float = 2.5
    touches: frozenset[str] = frozenset({"backend.roster"})
    lies_in: ClassVar = frozenset({"postgresql", "backend"})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        first, last = self.days
        leave = {"first_day": str(first), "last_day": str(last), "kind": "leave", "note": NOTE}
        with _coordinator(instance) as client:
            for person in self.people:
                client.post(_ABSENCES, json={"person_id": person, **leave}).raise_for_status()

    def undo(self, instance: Target) -> None:
        with _coordinator(instance) as client:
            for number in self._left(client):
                client.delete(f"{_ABSENCES}/{number}").raise_for_status()

    def verify(self, instance: Target) -> str | None:
        with _coordinator(instance) as client:
            left = self._left(client)
        return f"{len(left)} people are still on leave" if left else None

    def _left(self, client: httpx.Client) -> list[int]:
        """The ids of the absences that this fault made."""
        first, last = self.days
        asked = {"start": str(first), "end": str(last), "limit": "500"}
        answer = client.get(_ABSENCES, params=asked).raise_for_status()
        return [one["id"] for one in answer.json()["items"] if one["note"] == NOTE]

    def __str__(self) -> str:
        first, last = self.days
        return f"{len(self.people)} people on leave from {first} to {last}"


@contextmanager
def _coordinator(instance: Target) -> Iterator[httpx.Client]:
    """A logged-in client of the scheduler. Whatever goes wrong with it raises FaultFailed."""
    password = instance.layout.secret("scheduler_password").read_text().strip()
    url = instance.layout.url("backend")
    try:
        with loopback.client(url, timeout_s=_PATIENCE_S) as client:
            who = {"username": "coordinator1", "password": password}
            token = client.post("/api/v1/auth/login", json=who).raise_for_status().json()
            client.headers["Authorization"] = f"Bearer {token['access_token']}"
            yield client
    except httpx.HTTPError as error:
        raise FaultFailed(f"the scheduler at {url} refuses a coordinator: {error}") from error
