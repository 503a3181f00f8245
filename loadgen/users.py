"""The people of a clinic, as Locust users. Pace and weights are those of a busy weekday."""

import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

from locust import FastHttpUser, events, task
from locust.runners import WorkerRunner

from loadgen import whose
from loadgen.away import Away
from loadgen.day import COORDINATORS, FACULTY, RESIDENTS

FIRST_DAY, LAST_DAY = date(2025, 7, 1), date(2026, 6, 30)
"""The academic year of the scheduler's seeded data."""

FIRST_FACULTY_ID = RESIDENTS + 1
FACULTY_IDS = range(FIRST_FACULTY_ID, RESIDENTS + FACULTY + 1)

PLANNED = (date(2026, 3, 2), date(2026, 3, 15))
"""The fortnight that coordinators plan again and again as absences come in."""

PACE_S = 1.0
"""From the start of one task to the start of the next."""

LOOK_EVERY_S = 0.1
"""How often somebody who is away checks whether to come back."""

PASSWORD = "SCHEDULER_PASSWORD"
"""The variable that holds the password of all seeded users; if it is unset, that of the instance
they work against is read."""

REASONS = (
    "A child is ill.",
    "The conference was moved by a week.",
    "We have both said yes to this.",
    "Moving house.",
    "A fellowship interview, far away.",
    "Family is visiting.",
)


def spread(place: float = 0.0) -> Iterator[float]:
    """Endless numbers from 0 to 1; any few in a row are far apart (the golden ratio)."""
    while True:
        place = (place + 0.618034) % 1
        yield place


places = spread()


@cache
def password(host: str) -> str:
    """The seeded users' password at that URL. Raises SystemExit when there is none to be read."""
    if given := os.environ.get(PASSWORD):
        return given
    instance = whose.at(host)
    try:
        if instance:
            return instance.secret.read_text().strip()
        why = f"no instance has its scheduler at {host}"
    except OSError as error:
        why = f"`{error.filename}`: {error.strerror}"
    raise SystemExit(
        f"no password for the scheduler: {why}.\n"
        f"  Start an instance with `doit up`, name its address with --host, or set {PASSWORD}."
    )


@events.init.add_listener  # type: ignore[untyped-decorator]
def _begin_by_hand(environment: Any, **_: Any) -> None:
    """Says whose people these will be when nobody said so, and what of the options does nothing."""
    options = environment.parsed_options
    if isinstance(environment.runner, WorkerRunner):
        return  # its master says so
    if not environment.host:
        instance = whose.usual()
        if instance is None:
            raise SystemExit(
                "no --host, and no instance `default` to work against.\n"
                "  Start one with `doit up`, or name the address of another one with --host."
            )
        environment.host = instance.url
        if options is not None:
            options.host = instance.url  # what locust's page shows
        print(f"no --host: these people work against instance `{instance.name}`,"
              f" {instance.url}", file=sys.stderr, flush=True)  # fmt: skip
    shape = type(environment.shape_class).__name__
    given = {"-u": getattr(options, "num_users", None), "-r": getattr(options, "spawn_rate", None)}
    if environment.shape_class and (idle := [name for name, value in given.items() if value]):
        print(f"{', '.join(idle)}: without effect; the shape `{shape}` decides how many users there"
              " are and how fast they come", file=sys.stderr, flush=True)  # fmt: skip


def any_day(last: date = LAST_DAY) -> date:
    """A random day of the academic year up to `last`."""
    return FIRST_DAY + timedelta(days=random.randint(0, (last - FIRST_DAY).days))


def week() -> dict[str, str]:
    """A random week of the academic year, as the query of a schedule."""
    first = any_day(LAST_DAY - timedelta(days=6))
    return {"start": first.isoformat(), "end": (first + timedelta(days=6)).isoformat()}


def settled_week() -> dict[str, str]:
    """A random week of the academic year outside the planned fortnight.

    Approving a swap does not check hours: after some minutes, swaps in the fortnight that the
    compliance officers validate would be real violations.
    """
    first, last = (day.isoformat() for day in PLANNED)
    while (chosen := week())["end"] >= first and chosen["start"] <= last:
        pass
    return chosen


def planned() -> dict[str, str]:
    """The fortnight that is planned, as the range of a request."""
    first, last = PLANNED
    return {"start": first.isoformat(), "end": last.isoformat()}


class ClinicUser(FastHttpUser):
    """Somebody who logs in once and then works at a steady pace, unless told to be away."""

    abstract = True
    host = ""  # whoever starts locust says so, or `_begin_by_hand`
    concurrency = 1
    pace_s: float = PACE_S
    """0: the next task at once."""
    person_id: int = 0
    _headers: dict[str, str] | None = None
    """None until it is logged in."""
    _due = 0.0
    """When the running task was due, by `time.perf_counter`."""

    def wait_time(self) -> float:
        """Seconds until the next task. A user who is away waits here until called back."""
        away = Away.of(self.host)
        while away.is_away(type(self).__name__):
            time.sleep(LOOK_EVERY_S)
        now = time.perf_counter()
        self._due = max(now, self._due + self.pace_s)
        return self._due - now

    def username(self) -> str:
        raise NotImplementedError

    def on_start(self) -> None:
        """Logs in. A scheduler without its database answers 503; then the user tries again when the
        first task is refused.

        Users who start together are spread out: in step, their requests would come in bursts.
        """
        self.log_in()
        pause_s = next(places) * self.pace_s
        self._due = time.perf_counter() + pause_s
        time.sleep(pause_s)

    def log_in(self) -> None:
        with self.client.post(
            "/api/v1/auth/login",
            json={"username": self.username(), "password": password(self.host)},
            catch_response=True,
        ) as answer:
            if answer.status_code != 200:
                answer.failure(f"log in: {answer.status_code}")
                return
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def read(self, path: str, *, name: str = "", **query: Any) -> Any:
        """GET; the parsed answer, or None if it failed or the user is not logged in."""
        if not self._headers:
            self.log_in()
        return _content(
            self.client.get(path, params=query, name=name or path, headers=self._headers)
        )

    def listed(self, path: str, **query: Any) -> list[Any]:
        """The items of a list; empty if the request failed."""
        answer = self.read(path, **query)
        return list(answer["items"]) if answer else []

    def write(
        self, path: str, body: dict[str, Any], *, name: str = "", fine: tuple[int, ...] = ()
    ) -> Any:
        """POST; `fine` are refusals that are part of a normal day, such as 409."""
        with self.client.post(
            path, json=body, name=name or path, headers=self._headers, catch_response=True
        ) as answer:
            if answer.status_code in fine:
                answer.success()
        return _content(answer)


def _content(answer: Any) -> Any:
    """The parsed content of an answer; None if it failed or there was none (status 0)."""
    return answer.json() if 200 <= answer.status_code < 400 else None


class Resident(ClinicUser):
    """Looks at their own schedule most of the time; now and then asks for a swap."""

    weight = 6

    def username(self) -> str:
        self.person_id = random.randint(1, RESIDENTS)
        return f"resident{self.person_id:02}"

    @task(8)
    def look_at_own_week(self) -> None:
        self.read("/api/v1/schedule", person_id=self.person_id, **week())

    @task(2)
    def look_at_everybodys_day(self) -> None:
        chosen = any_day().isoformat()
        self.read("/api/v1/schedule", start=chosen, end=chosen)

    @task(2)
    def look_up_a_colleague(self) -> None:
        colleague = random.randint(1, RESIDENTS + FACULTY)
        self.read(f"/api/v1/people/{colleague}", name="/api/v1/people/[id]")

    @task(1)
    def ask_for_a_swap(self) -> None:
        own = self.listed("/api/v1/schedule", person_id=self.person_id, **settled_week())
        if own:
            wish = {"assignment_id": random.choice(own)["id"], "reason": random.choice(REASONS),
                    "target_id": random.randint(1, RESIDENTS)}  # fmt: skip
            # It may have been planned again meanwhile.
            self.write("/api/v1/swaps", wish, fine=(404, 409, 422))


class Coordinator(ClinicUser):
    """Keeps the roster: who is absent, who works where, which swaps are open."""

    weight = 2

    def username(self) -> str:
        return f"coordinator{random.randint(1, COORDINATORS)}"

    @task(4)
    def look_at_the_week(self) -> None:
        self.read("/api/v1/schedule", **week())

    @task(2)
    def look_at_absences(self) -> None:
        self.read("/api/v1/absences", **week())

    @task(2)
    def note_an_absence(self) -> None:
        days = week()
        absence = {
            "person_id": random.randint(1, RESIDENTS),
            "first_day": days["start"],
            "last_day": days["end"],
            "kind": random.choice(["sick", "vacation", "conference"]),
            "note": random.choice(REASONS),
        }
        self.write("/api/v1/absences", absence, fine=(409, 422))

    @task(1)
    def look_at_open_swaps(self) -> None:
        self.read("/api/v1/swaps", status="pending", limit=20)


class Faculty(ClinicUser):
    """Looks at the clinic and decides on swaps."""

    weight = 2

    def username(self) -> str:
        number = random.randint(1, FACULTY)
        self.person_id = RESIDENTS + number
        return f"faculty{number:02}"

    @task(4)
    def look_at_own_week(self) -> None:
        self.read("/api/v1/schedule", person_id=self.person_id, **week())

    @task(2)
    def look_at_violations(self) -> None:
        self.read("/api/v1/compliance/violations", limit=20)

    @task(1)
    def decide_on_a_swap(self) -> None:
        waiting = self.listed("/api/v1/swaps", status="pending", limit=20)
        if waiting:
            verb = random.choice(["approve", "approve", "reject"])
            path = f"/api/v1/swaps/{random.choice(waiting)['id']}/{verb}"
            self.write(path, {}, name=f"/api/v1/swaps/[id]/{verb}", fine=(409,))


class Planner(ClinicUser):
    """One of the two coordinators who generate the schedule of the coming fortnight."""

    fixed_count = COORDINATORS

    def username(self) -> str:
        return f"coordinator{random.randint(1, COORDINATORS)}"

    @task
    def plan(self) -> None:
        # Refused when nobody is available: the absences have to be sorted out first.
        self.write("/api/v1/schedule/generate", planned(), fine=(409,))


class ComplianceOfficer(ClinicUser):
    """Validates the plan and reads the violations found, in turns."""

    weight = 1
    _validates = False

    def username(self) -> str:
        return f"coordinator{random.randint(1, COORDINATORS)}"

    @task
    def watch(self) -> None:
        self._validates = not self._validates
        if self._validates:
            self.write("/api/v1/compliance/validate", planned())
        else:
            self.read("/api/v1/compliance/violations", limit=20)
