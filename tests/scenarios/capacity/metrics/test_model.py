"""A line is as exact as books have it, and its interval holds what it says it holds."""

import math
from random import Random

import pytest

from scenarios.capacity.metrics.model import line, student


@pytest.mark.parametrize(
    ("degrees", "value"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (5, 2.5706), (10, 2.2281), (30, 2.0423)],
)
def test_student_is_as_in_the_tables(degrees: int, value: float) -> None:
    assert student(degrees) == pytest.approx(value, abs=1e-4)


def test_line_through_exact_points_is_exact() -> None:
    found = line([(1.0, 5.0), (2.0, 7.0), (3.0, 9.0)])
    assert found is not None
    assert (found.at_nought, found.slope) == (pytest.approx(3), pytest.approx(2))
    assert found.half(10) == pytest.approx(0, abs=1e-6)
    assert found.reaches(23) == pytest.approx(10)


def test_interval_holds_a_further_measurement_in_95_of_100_cases() -> None:
    random, inside, tries = Random(3), 0, 2000
    for _ in range(tries):
        found = line([(x, 3 + 2 * x + random.gauss(0, 1)) for x in (1.0, 2.0, 3.0) * 2])
        assert found is not None
        inside += abs(found.at(10) - (23 + random.gauss(0, 1))) <= found.half(10)
    assert inside / tries == pytest.approx(0.95, abs=0.015)


def test_two_points_make_a_line_whose_error_nobody_knows() -> None:
    found = line([(1.0, 5.0), (2.0, 7.0)])
    assert found is not None
    assert math.isnan(found.half(3))


@pytest.mark.parametrize("points", [[], [(1.0, 2.0)], [(1.0, 2.0), (1.0, 3.0)]])
def test_one_size_makes_no_line(points: list[tuple[float, float]]) -> None:
    assert line(points) is None


def test_line_that_falls_never_reaches_what_is_above_it() -> None:
    found = line([(1.0, 2.0), (2.0, 1.0)])
    assert found is not None
    assert found.reaches(10) == math.inf
