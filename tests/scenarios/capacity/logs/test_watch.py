"""How long lines were on their way, from what a store answers to who asks again and again."""

import threading

import pytest

from scenarios.capacity.logs.watch import TICK_S, Look, Watch, behind, waits
from tests.waiting import eventually


def looks(*points: tuple[float, float]) -> list[Look]:
    return [Look(at=at, newest=newest, took_s=0.0) for at, newest in points]


def test_lines_waited_from_when_they_were_due_until_they_were_seen() -> None:
    """All lines of a second arrive at once, half a second after the last of them."""
    found = waits(looks((10.0, 9.5), (10.5, 9.5), (11.0, 10.5)))
    assert len(found) == pytest.approx(1 / TICK_S)
    assert found[0] == pytest.approx(0.5)
    assert found[-1] == pytest.approx(1.5, abs=2 * TICK_S)
    assert found == sorted(found)


def test_query_that_takes_long_makes_lines_no_faster() -> None:
    fast = waits([Look(at=10.0, newest=9.9, took_s=0), Look(at=10.1, newest=10.0, took_s=0)])
    slow = waits([Look(at=10.0, newest=9.9, took_s=0), Look(at=10.1, newest=10.0, took_s=0.3)])
    assert slow[0] == pytest.approx(fast[0] + 0.3)


@pytest.mark.parametrize("seen", [looks(), looks((1.0, 0.9)), looks((1.0, 0.9), (2.0, 0.9))])
def test_nothing_new_tells_nothing_of_lines(seen: list[Look]) -> None:
    assert waits(seen) == []


def test_store_is_behind_by_the_least_in_a_second() -> None:
    """Between two shipments all grows older."""
    seen = looks((9.0, 5.0), (10.1, 9.9), (10.5, 9.9), (11.0, 9.9))
    assert behind(seen, 11.0) == round(0.2 / TICK_S)
    assert behind(seen, 9.5) == round(4.0 / TICK_S)
    assert behind([], 9.5) == 0


def test_watch_asks_from_the_newest_that_it_knows_and_outlives_a_store_that_is_away() -> None:
    asked: list[float] = []
    answers = iter([5e9, ConnectionError("away"), 6e9, 0.0])
    over = threading.Event()

    def newest(since: float) -> float:
        asked.append(since)
        answer = next(answers, None)
        if answer is None:
            over.set()
            return 0.0
        if isinstance(answer, OSError):
            raise answer
        return answer

    with Watch(newest) as watch:
        assert over.wait(30)
        eventually(lambda: len(watch.between(0, 1e12)) > 3, "its looks")
    assert asked[1:4] == [5e9, 5e9, 6e9]
    assert [one.newest for one in watch.between(0, 1e12)][:3] == [5e9, 6e9, 6e9]
