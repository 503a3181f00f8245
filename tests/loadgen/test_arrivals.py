"""Arrivals of the open model: even, on time, and as many as the rate says."""

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.arrivals import Books, arrivals, sources
from loadgen.arrivals import places as places_of
from loadgen.profiles import PROFILES, users_at

clocks = st.floats(0, 1e7)
paces = st.floats(1e-3, 60)
places = st.floats(0, 1)


@given(clocks, paces, places)
def test_a_source_is_due_at_its_pace_and_never_before_it_began(
    now: float, pace_s: float, place: float
) -> None:
    due = list(islice(arrivals(now, pace_s, place), 50))
    grain = 1e-8 * max(now, 1)
    assert now < due[0] <= now + pace_s + grain
    assert all(later - one == pytest.approx(pace_s, abs=grain) for one, later in pairwise(due))


@given(st.floats(0.1, 5000), clocks)
def test_sources_together_hold_the_rate_within_one_percent(rate: float, now: float) -> None:
    """Whatever the clock says when they begin."""
    count, pace_s = sources(rate)
    whole = 100 * pace_s
    # Each is due exactly once in each pace, so that any one stands for all.
    one = sum(at <= now + whole for at in islice(arrivals(now, pace_s, 0.3), 103))
    assert one * count / whole == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize(
    ("rate", "count", "pace_s"), [(0.1, 1, 10), (1, 1, 1), (100, 100, 1), (2.5, 3, 1.2)]
)
def test_sources_are_as_few_as_their_pace_allows(rate: float, count: int, pace_s: float) -> None:
    assert sources(rate) == (count, pytest.approx(pace_s))


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_places_of_all_workers_lie_as_far_apart_as_those_of_one(workers: int) -> None:
    each = 30
    found = sorted(one for nth in range(workers) for one in islice(places_of(nth, workers), each))
    gaps = [b - a for a, b in pairwise([*found, found[0] + 1])]
    # Three distances at most, and none above that (Steinhaus' theorem on three gaps).
    assert max(gaps) < 2.62 / (each * workers)
    assert min(gaps) > 0.38 / (each * workers)


def test_worker_that_comes_in_place_of_another_does_not_ask_at_the_same_moments() -> None:
    first, later = ({round(one, 9) for one in islice(places_of(nth, 2), 50)} for nth in (1, 3))
    assert not first & later


def test_books_of_several_workers_add_up() -> None:
    one, other = Books(offered=5, dropped=1, late=2, in_flight=3), Books(offered=2)
    assert one.plus(other) == Books(offered=7, dropped=1, late=2, in_flight=3)


@given(st.sampled_from(sorted(PROFILES)), st.integers(1, 5000), st.floats(-1, 2))
def test_a_profile_never_asks_for_more_than_the_most_nor_for_nobody(
    name: str, most: int, over: float
) -> None:
    assert 1 <= users_at(name, most, over) <= most


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("spike", [20, 20, 100, 20, 20]),
        ("soak", [1, 100, 100, 100, 100]),
        ("steps", [20, 40, 60, 80, 100]),
    ],
)
def test_profiles_go_as_their_names_say(name: str, seen: list[int]) -> None:
    assert [users_at(name, 100, fifth / 5) for fifth in range(5)] == seen


def test_a_clinic_day_is_calm_at_night_and_full_in_the_morning() -> None:
    night, morning = (users_at("clinic-day", 100, hour / 24) for hour in (3, 9.5))
    assert night < 20
    assert morning > 80
