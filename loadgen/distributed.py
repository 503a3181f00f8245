"""What locust's own master and workers lack for load from several machines: plain words, an end.

Loaded into locust alone. A master says which worker vanished and gives up when none comes or none
is left; a worker looks whether it may load what the master wants, and ends when its master is gone.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import runners
from locust.runners import MasterRunner, WorkerRunner

from loadgen import exposed
from loadgen import host as hosts
from loadgen.ended import Ended
from loadgen.roster import Roster, name
from loadgen.users import password
from stack.errors import BadInput

LOOK_EVERY_S = 0.25

WORKERS_WITHIN_S = 300.0
"""A master waits so long for its workers: people start them by hand."""

MASTER_SILENT_S = 10.0
"""A worker that hears nothing for so long is alone: its master answers every second."""

NUDGE_EVERY_S = 3.0
"""From one attempt to spread the users of a lost worker to the next one."""

# Locust's own: five minutes of attempts to reach a master, a report every three seconds.
runners.CONNECT_RETRY_COUNT = 1
runners.WORKER_REPORT_INTERVAL = 1.0

_AT_WORK = (runners.STATE_SPAWNING, runners.STATE_RUNNING)


def begin(environment: Any, *, even_foreign: bool) -> None:
    """Watch over the other processes, in the background. Does nothing for one that is alone."""
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        _Master(environment, runner).begin()
    elif isinstance(runner, WorkerRunner):
        _say(f"this is worker {name(runner.client_id)} of {runner.master_host}:"
             f"{runner.master_port}")  # fmt: skip
        target = _Target(environment, runner, even_foreign=even_foreign)
        environment.events.test_start.add_listener(lambda **_: target.look())
        # Locust's page can change it while users are at work.
        _forever(target.look)
        environment.events.quitting.add_listener(lambda **_: _hand_over(runner))
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            # Raised in whatever greenlet has its turn, it would be that one's failure.
            signal.signal(signal.SIGINT, lambda *_: gevent.spawn(runner.quit))
        _forever(lambda: _look_for_master(environment, runner))


class _Master:
    """Looks at its workers four times a second."""

    def __init__(self, environment: Any, runner: Any) -> None:
        self._environment, self._runner = environment, runner
        self._roster = Roster()
        self._begun = time.monotonic()
        self._started = self._over = False
        self._nudged = 0.0

    def begin(self) -> None:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)
        events = self._environment.events
        events.test_start.add_listener(lambda **_: self._start())
        events.heartbeat_sent.add_listener(self._heard)
        # Locust stops when the last worker is gone: what is looked at then is all there is.
        events.test_stopping.add_listener(lambda **_: self._end())
        events.quit.add_listener(lambda **_: self._sum_up())
        _forever(self._look)

    def _heard(self, client_id: str, timestamp: float, **_: Any) -> None:
        self._roster.heard[client_id] = timestamp

    def _look(self) -> None:
        if not self._started:
            self._give_up()
        elif self._runner.state in _AT_WORK and not self._over:
            self._see()
            self._nudge()

    def _start(self) -> None:
        self._started, self._over = True, False
        if signal.getsignal(signal.SIGINT) == self._interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _see(self) -> int:
        """How many workers there are."""
        clients = [*self._runner.clients.values()]
        missing = frozenset(one.id for one in clients if one.state == runners.STATE_MISSING)
        here = {one.id: one.user_count for one in clients if one.id not in missing}
        before = len(self._roster.gone)
        for words in self._roster.look(time.time(), here, missing, self._runner.target_user_count):
            _say(words)
        for one in self._roster.gone[before:]:
            exposed.lost(one.worker)
        return len(here)

    def _nudge(self) -> None:
        """Locust leaves the users of a worker that goes while others are being started."""
        runner, now = self._runner, time.monotonic()
        if (self._roster.is_short and runner.state == runners.STATE_RUNNING
                and runner.spawning_completed and now > self._nudged + NUDGE_EVERY_S):  # fmt: skip
            if self._nudged:
                runner.start(runner.target_user_count, runner.spawn_rate)
            self._nudged = now
        if not self._roster.is_short:
            self._nudged = 0.0

    def _give_up(self) -> None:
        """Ends a locust whose workers do not come."""
        options = self._environment.parsed_options
        come, wanted = len(self._runner.clients.ready), options.expect_workers
        if come < wanted and time.monotonic() > self._begun + WORKERS_WITHIN_S:
            _say(f"{come} of {wanted} workers came within {WORKERS_WITHIN_S:.0f} s")
            self._dismiss(Ended.NOT_ENOUGH_WORKERS)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Locust takes Ctrl-C for an error of its own as long as it waits for workers."""
        gevent.spawn(self._dismiss, Ended.NOT_ENOUGH_WORKERS)

    def _dismiss(self, ended: Ended) -> None:
        self._runner.quit()
        sys.stderr.flush()
        os._exit(ended)

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        if self._see():
            return
        _say("no worker is left: the load ended before its time")
        self._environment.process_exit_code = int(Ended.WORKERS_GONE)
        if self._environment.parsed_options.headless:
            gevent.spawn_later(LOOK_EVERY_S, self._runner.quit)

    def _sum_up(self) -> None:
        for words in self._roster.summary(self._environment.parsed_options.open_pace):
            _say(words)


class _Target:
    """Whom a worker is to load, as its master says."""

    def __init__(self, environment: Any, runner: Any, *, even_foreign: bool) -> None:
        self._environment, self._runner, self._even_foreign = environment, runner, even_foreign
        self._checked = ""  # it has said nothing yet

    def look(self) -> None:
        """Ends a worker that may not load it, before anything is sent."""
        target = self._environment.host or ""
        if target == self._checked:
            return
        self._checked = target
        try:
            hosts.checked(target, even_foreign=self._even_foreign)
            if hosts.is_loopback_url(target) and not hosts.is_here(self._runner.master_host):
                raise BadInput(
                    f"the master wants {target} loaded, which is another machine here than there.",
                    cure="Give the master --host with an address that its workers reach.",
                )
            password(target)
        except (BadInput, SystemExit) as error:
            _say(f"what the master wants: {error}")
            _leave(self._environment, Ended.REFUSED)


def _hand_over(runner: Any) -> None:
    """A worker that is interrupted says goodbye before it has told of its last requests."""
    runner.stop()
    runner._send_stats()


def _look_for_master(environment: Any, runner: Any) -> None:
    heard = runner.last_heartbeat_timestamp
    if heard and time.time() > heard + MASTER_SILENT_S:
        _say(f"the master at {runner.master_host}:{runner.master_port} is gone, silent for"
             f" {MASTER_SILENT_S:.0f} s; this worker ends too")  # fmt: skip
        _leave(environment, Ended.MASTER_GONE)


def _leave(environment: Any, ended: Ended) -> None:
    """The master is told, if it is there; users have no time to send more."""
    environment.events.quitting.fire(environment=environment, reverse=True)
    gevent.sleep(LOOK_EVERY_S)  # until the message has gone out
    sys.stderr.flush()
    os._exit(ended)


def _forever(look: Callable[[], None]) -> None:
    def watch() -> None:
        while True:
            look()
            gevent.sleep(LOOK_EVERY_S)

    gevent.spawn(watch)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
