"""The law is found again in points that were made with it."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.capacity.usl import Law, fit


@pytest.mark.nightly
@given(
    one=st.floats(1, 1000), contention=st.floats(0, 0.5), coherence=st.floats(0, 0.05),
)  # fmt: skip
def test_what_points_were_made_with_is_found(
    one: float, contention: float, coherence: float
) -> None:
    law = Law(one=one, contention=contention, coherence=coherence)
    found = fit([(n, [law.at(n)]) for n in (1, 2, 3, 4, 8, 16)])
    assert found
    assert found.law.one == pytest.approx(one, rel=1e-3)
    assert found.law.contention == pytest.approx(contention, abs=2e-3)
    assert found.law.coherence == pytest.approx(coherence, abs=2e-4)
    assert found.error < 1e-3


def test_intervals_hold_the_truth_in_noise_and_are_wider_with_more_of_it() -> None:
    law, chance = Law(one=200, contention=0.08, coherence=0.004), random.Random(3)

    def noisy(share: float) -> tuple[float, float]:
        points = [(n, [law.at(n) * chance.gauss(1, share) for _ in range(6)])
                  for n in (1, 2, 4, 8, 16, 32)]  # fmt: skip
        found = fit(points)
        assert found
        return found.contention

    narrow, wide = noisy(0.01), noisy(0.08)
    assert narrow[0] - 0.01 <= 0.08 <= narrow[1] + 0.01
    assert wide[1] - wide[0] > narrow[1] - narrow[0]


def test_more_than_linear_is_no_contention_below_zero() -> None:
    found = fit([(1, [100.0]), (2, [230.0]), (4, [500.0])])
    assert found
    assert found.law.contention == found.law.coherence == 0
    assert found.law.peak == math.inf
    assert "no more at once would be less" in found.words


def test_nobody_knows_far_beyond_what_was_measured() -> None:
    law = Law(one=100, contention=0.1, coherence=0.001)
    found = fit([(n, [law.at(n)]) for n in (1, 2, 4)])
    assert found
    assert found.at(8) == pytest.approx(law.at(8), rel=0.01)
    assert math.isnan(found.at(8.1))
    assert "the peak lies beyond 8, unmeasured" in found.words


def test_too_few_points_are_no_law() -> None:
    assert fit([(1, [100.0]), (2, [190.0])]) is None
    assert fit([(1, [100.0]), (2, []), (4, [0.0]), (8, [1.0])]) is None
