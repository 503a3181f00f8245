"""A living system to show: an instance with a week behind it and a clinic day going on.

The people of the day are those of `scenarios.quiet.clinic`, the host is as busy as they are; what
an incident does to it is left alone. Ends with a signal: then the people go home and incidents are
put right, and the instance stays up.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loadgen import day as days
from loadgen.faults.base import update_control
from loadgen.traffic import Locust
from scenarios.demo import history, lines
from scenarios.demo.ledger import Ledger
from scenarios.demo.week import Week, week
from scenarios.quiet.run import CLINIC, VARIABLE
from stack.errors import HostCannot
from stack.run.instance import Instance

HOST_EVERY_S = 1.0
HOST = "simulated-host"


@dataclass(frozen=True, kw_only=True)
class Demo:
    """One instance on show; `say` is told what is being done."""

    instance: Instance
    seed: int
    say: Callable[[str], None]

    def give_past(self, lived: Week) -> None:
        """Let its metrics and logs reach back to the beginning of the week, if they do not yet;
        people must be at work. Raises HostCannot when that cannot be written."""
        if history.has_past(self.instance):
            return
        begun = time.monotonic()
        self.say("watching the instance under traffic, to give it a past …")
        since = history.planned(self.instance)
        series = history.observed(self.instance, since)
        seen = time.monotonic()
        self.say(f"{len(series)} series of the last {len(lived.days)} days …")
        written = lines.write(self.instance, lived, since)
        count = history.write(self.instance, series, lived)
        self.say(
            f"{count:,} samples and {written:,} log lines written in "
            f"{time.monotonic() - seen:.0f} s, after {seen - begun:.0f} s of watching"
        )

    @contextmanager
    def people(self, lived: Week) -> Iterator[Locust]:
        """People work with the scheduler while the block runs, and the host is busy with it."""
        os.environ[VARIABLE] = f"{lived.seed} {lived.speed} {lived.midnight}"
        folder = Ledger(directory=self.instance.directory).folder
        folder.mkdir(exist_ok=True)
        locust, over = Locust(CLINIC, self.instance, folder / "clinic.log"), threading.Event()
        busy = threading.Thread(target=self._keep_busy, args=(lived, over), daemon=True)
        busy.start()
        try:
            yield locust
        finally:
            over.set()
            busy.join()
            locust.end()
            del os.environ[VARIABLE]

    def _keep_busy(self, lived: Week, over: threading.Event) -> None:
        ledger = Ledger(directory=self.instance.directory)
        while not over.wait(HOST_EVERY_S / max(1.0, lived.speed / 60)):
            if any(one.disturbs(HOST) for one in ledger.entries()):
                continue
            hour = min(max(lived.hour(time.time()), 0.0), days.HOURS - 0.01)
            update_control(self.instance.control_file(HOST), put=lived.today.host(hour))

    def live(self, *, past: bool, on_show: Callable[[], None]) -> None:
        """Day after day, until somebody ends it; with `past`, as `give_past`. `on_show` is called
        once there is something to see. Raises HostCannot when the instance is gone."""
        lived, begun = week(self.seed, time.time(), self.instance.speed), False
        while True:
            with self.people(lived) as locust:
                if not begun:
                    if past:
                        self.give_past(lived)
                    on_show()
                    begun = True
                over = self._rest_of_day(lived, locust)
            if over:
                noon_s = lived.now - lived.midnight
                end = lived.midnight + days.SECONDS / lived.speed
                lived = week(lived.seed + 1, end + noon_s, lived.speed)

    def _rest_of_day(self, lived: Week, locust: Locust) -> bool:
        """Until it is over; False if the people are gone before, whatever ended them."""
        end = lived.midnight + days.SECONDS / lived.speed
        while time.time() < end:
            if not self.instance.is_running():
                raise HostCannot(f"instance `{self.instance.name}` was stopped: the demo is over.")
            if locust.exit_code is not None:
                return False
            time.sleep(min(1.0, max(0.05, end - time.time())))
        return True
