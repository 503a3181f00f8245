"""The people of one simulated day, as a locustfile.

`QUIET_DAY` in the environment says which: seed, speed, and the Unix time of its midnight. The seed
decides all that is drawn; which of the users draws it depends on who is answered first.
"""

import os
import random
import time
from datetime import timedelta
from typing import Any

from locust import LoadTestShape, events, task

from loadgen import day as days
from loadgen.users import LAST_DAY, Coordinator, Faculty, Resident, any_day
from scenarios.quiet.hours import GENERATES_AT

VARIABLE = "QUIET_DAY"

_SEED, _SPEED, _MIDNIGHT = os.environ.get(VARIABLE, f"1 960 {time.time()}").split()
TODAY = days.day(int(_SEED))

PLANNED = timedelta(days=27)
"""From the first day to the last of four weeks: the rules' own window, which a new roster keeps. In
a shorter range a person may be far above the average that counts."""

random.seed(TODAY.seed)
# By name: a variable of this module that is a kind of user would be one more of them to locust.
Resident.weight = TODAY.weights["Resident"]
Coordinator.weight = TODAY.weights["Coordinator"]
Faculty.weight = TODAY.weights["Faculty"]


def hour_now() -> float:
    """The simulated hour; negative before the day begins."""
    return (time.time() - float(_MIDNIGHT)) * float(_SPEED) / 3600


class OnDuty(Coordinator):
    """The coordinator on duty, who is there at any hour."""

    fixed_count = 1
    generated = 0

    @task(20)
    def generate_when_it_is_time(self) -> None:
        if self.generated == len(GENERATES_AT) or hour_now() < GENERATES_AT[self.generated]:
            self.look_at_the_week()
            return
        self.generated += 1
        first = any_day(LAST_DAY - PLANNED)
        days_to_plan = {"start": first.isoformat(), "end": (first + PLANNED).isoformat()}
        self.write("/api/v1/schedule/generate", days_to_plan)
        self.write("/api/v1/compliance/validate", days_to_plan)


class Shape(LoadTestShape):
    """As many users as the hour wants, until locust is stopped."""

    def tick(self) -> tuple[int, float]:
        hour = min(max(hour_now(), 0.0), days.HOURS - 0.01)
        return TODAY.users(hour), 20.0


@events.init.add_listener  # type: ignore[untyped-decorator]
def _let_people_finish(environment: Any, **_: Any) -> None:
    """Who goes home ends what they are doing: a request that is cut off is a failure."""
    environment.stop_timeout = 5.0
