"""A model of the week that lies behind an instance: how busy the clinic was at each moment. Pure.

Made of seven of `loadgen.day`'s days, the last of which is today. Times are Unix seconds; an
instance of speed K has lived through a week in a Kth of one.
"""

from dataclasses import dataclass, replace

from loadgen import day as days
from loadgen.day import Day
from scenarios.quiet.hours import GENERATES_AT

DAYS = 7
BEGINS_AT_H = 9.5
"""The hour at which an instance begins its day: the clinic is busiest, whatever the clock says."""


@dataclass(frozen=True, kw_only=True)
class Week:
    seed: int
    now: float
    """The moment at which it is `BEGINS_AT_H` of the last day."""
    speed: float
    days: tuple[Day, ...]
    """The oldest first."""

    @property
    def today(self) -> Day:
        return self.days[-1]

    @property
    def midnight(self) -> float:
        """When today began."""
        return self.now - BEGINS_AT_H * 3600 / self.speed

    @property
    def began(self) -> float:
        """Seven days before now."""
        return self.now - DAYS * days.SECONDS / self.speed

    def hour(self, at: float) -> float:
        """The hour of today: negative before it."""
        return (at - self.midnight) * self.speed / 3600

    def activity(self, at: float) -> float:
        """The share of the staff that is at work, 0 to 1."""
        before, hour = divmod(self.hour(at), days.HOURS)
        return self.days[max(int(before), 1 - len(self.days)) - 1].activity(hour)

    def planned(self, at: float) -> int:
        """How many schedules were made since the week began: at the same hours every day."""

        def until(hour: float) -> int:
            before, of_day = divmod(hour, days.HOURS)
            return int(before) * len(GENERATES_AT) + sum(one <= of_day for one in GENERATES_AT)

        return until(self.hour(at)) - until(self.hour(self.began))


def week(seed: int, now: float, speed: float) -> Week:
    """The week that ends with the day of this seed."""
    today = days.day(seed)
    last = days.WEEKDAYS.index(today.weekday)
    earlier = (
        replace(days.day(seed - ago), weekday=days.WEEKDAYS[(last - ago) % 7])
        for ago in range(DAYS - 1, 0, -1)
    )
    return Week(seed=seed, now=now, speed=speed, days=(*earlier, today))
