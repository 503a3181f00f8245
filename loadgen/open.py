"""Locust's users in the open model: their tasks are begun when they are due and not awaited.

Loaded into locust alone. A user is a source of arrivals (`loadgen.arrivals`), so that Locust's
shapes, its page and its workers decide on the rate as they do on users.
"""

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, cast

import gevent  # type: ignore[import-untyped]
from geventhttpclient.client import HTTPClientPool

from loadgen.arrivals import LATE_S, Books, arrivals, places
from loadgen.away import Away
from loadgen.users import LOOK_EVERY_S, ClinicUser

Task = Callable[[Any], None]

TIMEOUT_S = 30.0
"""A request that takes longer has failed: who asked is gone."""

books = Books()
"""Of this process."""


class FromDue:
    """The event of a request, whose time counts from when the request was due."""

    def __init__(self, event: Any) -> None:
        self._event = event

    def fire(self, **meta: Any) -> None:
        late_s = gevent.getcurrent().__dict__.pop("late_s", None)
        if late_s is None:
            books.offered += 1  # it followed from another one, or is a login
        else:
            meta["response_time"] += 1000 * late_s
            meta["start_time"] -= late_s
        self._event.fire(**meta)


class Open(ClinicUser):
    """A source of arrivals, each the task of somebody like this user."""

    abstract = True
    pace_s: float
    most_in_flight: int
    headers: dict[str, dict[str, str]]
    """User name → what its login gave: logging in costs the server more than all else, and who
    has done so stays logged in."""
    _known_as = ""
    _due = 0.0
    _arrivals: Iterator[float]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.client.request_event = FromDue(self.client.request_event)

    def username(self) -> str:
        """The same one each time: what was drawn with it (`person_id`) goes with the login."""
        self._known_as = self._known_as or super().username()
        return self._known_as

    def on_start(self) -> None:
        self._headers = self.headers.get(self.username())
        if not self._headers:
            self.log_in()
        self._begin()

    def log_in(self) -> None:
        super().log_in()
        if self._headers:
            self.headers[self.username()] = self._headers

    def wait_time(self) -> float:
        """Seconds until the next arrival; none when it has passed, which is made up for."""
        away = Away.of(self.host)
        if away.is_away(type(self).__name__):
            while away.is_away(type(self).__name__):
                time.sleep(LOOK_EVERY_S)
            self._begin()
        else:
            self._due = next(self._arrivals)
        return max(0.0, self._due - time.perf_counter())

    def arrive(self, task: Task) -> None:
        """Begin a task when it is due, to the moment: gevent may wake it a little before."""
        while (left_s := self._due - time.perf_counter()) > 0:
            time.sleep(left_s)
        books.offered += 1
        if books.in_flight >= self.most_in_flight:
            books.dropped += 1
            why = f"dropped: {self.most_in_flight} requests were in flight"
            self.environment.stats.log_error("OPEN", "arrival", why)
            return
        books.in_flight += 1
        gevent.spawn(self._do, task, self._due)

    def _begin(self) -> None:
        # Machines share the time of day, not the time since they were started.
        place = (next(_places) - _MIDNIGHT / self.pace_s) % 1
        self._arrivals = arrivals(time.perf_counter(), self.pace_s, place)
        self._due = next(self._arrivals)

    def _do(self, task: Task, due: float) -> None:
        late_s = max(0.0, time.perf_counter() - due)
        books.late += late_s > LATE_S
        gevent.getcurrent().late_s = late_s
        try:
            task(self)
        except Exception as error:  # as locust does: it is in its report
            self.environment.events.user_error.fire(
                user_instance=self, exception=error, tb=error.__traceback__
            )
        finally:
            books.in_flight -= 1


def opened(user_class: type[ClinicUser], pace_s: float, most_in_flight: int) -> type[Open]:
    """The same people, in the open model; all such classes share their connections."""
    made: Any = type(user_class.__name__, (Open, user_class), {"abstract": False})
    made.pace_s, made.most_in_flight, made.headers = pace_s, most_in_flight, _headers
    made.tasks = [_begun(task) for task in user_class.tasks]
    made.client_pool = _pool(most_in_flight)
    return cast("type[Open]", made)


def _begun(task: Any) -> Task:
    @wraps(task)
    def begin(user: Open) -> None:
        user.arrive(task)

    return begin


_headers: dict[str, dict[str, str]] = {}
_pools: dict[int, HTTPClientPool] = {}


def _pool(size: int) -> HTTPClientPool:
    if size not in _pools:
        _pools[size] = HTTPClientPool(
            concurrency=size, connection_timeout=TIMEOUT_S, network_timeout=TIMEOUT_S
        )
    return _pools[size]


_places = places()
"""Of sources; those of another worker have others."""


def place_as(nth: int, of: int) -> None:
    """Sources that begin from now on are those of the `nth` of `of` workers."""
    global _places
    _places = places(nth, of)


_MIDNIGHT = time.time() - time.perf_counter()
"""What `time.perf_counter` counts from, in Unix seconds; whoever sets the clock does not move
arrivals."""
