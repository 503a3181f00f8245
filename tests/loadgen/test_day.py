"""The simulated day: its seed decides it, and it stays within what the lab can bear."""

import pytest

from loadgen.day import FEWEST_USERS, MOST_USERS, WEEKDAYS, clock, day
from stack.programs.simhost.model import targets

SEEDS = range(60)
QUARTERS = [quarter / 4 for quarter in range(96)]


def test_day_is_the_same_for_the_same_seed() -> None:
    assert day(4711) == day(4711)
    assert day(4711) != day(4712)


def test_days_of_many_seeds_are_all_days_of_the_week() -> None:
    assert {day(seed).weekday for seed in SEEDS} == set(WEEKDAYS)


@pytest.mark.parametrize("seed", SEEDS)
def test_day_keeps_within_bounds(seed: int) -> None:
    today = day(seed)
    users = [today.users(hour) for hour in QUARTERS]
    assert FEWEST_USERS <= min(users) <= max(users) <= MOST_USERS
    for hour in QUARTERS:
        levels = today.host(hour)
        targets(dict(levels))  # raises for what the simulated host refuses
        assert 5 < levels["cpu_percent"] < 70  # well below the limits of the alerts
        assert 40 < levels["memory_percent"] < 70
        assert 0 < levels["network_receive_bytes_per_second"] < 70e6


@pytest.mark.parametrize("seed", SEEDS)
def test_day_has_a_quiet_night_and_busy_hours(seed: int) -> None:
    today = day(seed)
    assert today.users(3) == FEWEST_USERS
    assert all(today.users(hour) > today.users(3) for hour in today.busy_hours)
    assert today.users(22.9) < today.users(10)


def test_weekend_has_no_clinic() -> None:
    days = [day(seed) for seed in SEEDS]
    afternoons = {
        weekend: [one.activity(15) for one in days if one.weekend is weekend]
        for weekend in (False, True)
    }
    assert max(afternoons[True]) < min(afternoons[False])


@pytest.mark.parametrize("hour", [-1.0, 24.0, 30.0])
def test_day_is_defined_a_little_beyond_its_ends(hour: float) -> None:
    assert day(1).users(hour) >= FEWEST_USERS


@pytest.mark.parametrize(("hour", "text"), [(0, "00:00"), (9.5, "09:30"), (23.999, "23:59")])
def test_clock_shows_the_hour(hour: float, text: str) -> None:
    assert clock(hour) == text
