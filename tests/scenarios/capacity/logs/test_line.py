"""A straight line through points, and how sure it is."""

import random

import pytest

from scenarios.capacity.logs.line import student, through


@pytest.mark.parametrize("points", [[], [(1.0, 1.0)], [(1.0, 1.0), (2.0, 2.0)], [(1.0, 1.0)] * 5])
def test_there_is_no_line_through_too_little(points: list[tuple[float, float]]) -> None:
    assert through(points) is None


def test_points_on_a_line_give_it_without_a_doubt() -> None:
    found = through([(float(x), 3 + 2 * x) for x in range(5)])
    assert found is not None
    assert (found.base, found.slope) == pytest.approx((3, 2))
    assert found.slope_half == pytest.approx(0, abs=1e-9)
    assert found.at(10) == pytest.approx(23)


def test_interval_holds_the_truth_in_95_of_100_cases() -> None:
    chance = random.Random(4)
    held = 0
    for _ in range(1000):
        found = through([(float(x), 1 + 0.5 * x + chance.gauss(0, 2)) for x in range(8)])
        assert found is not None
        held += abs(found.slope - 0.5) <= found.slope_half
    assert 930 <= held <= 970


@pytest.mark.parametrize(
    ("free", "value"), [(1, 12.71), (2, 4.30), (3, 3.18), (5, 2.57), (10, 2.228), (30, 2.042)]
)
def test_students_values(free: int, value: float) -> None:
    assert student(free) == pytest.approx(value, rel=0.01)
