"""Data frames judged: data on a healthy day, possible values, and what counts as moved."""

import math

import pytest

from scenarios.dashboards.frames import Frame, Series, frame, joined
from scenarios.dashboards.judging import How, Limits, Movement, healthy, moved, still
from stack.check.bounds import Bound, Side

ANY = Limits(least=0.0, most=math.inf)
SHARE = Limits.of("percentunit", 1.0)
TOO_MUCH = Bound(alert="TooMuch", side=Side.ABOVE, value=0.8, colour="orange")
DOWN = Bound(alert="Down", side=Side.BELOW, value=0.0, colour="red")


def one(*values: float, name: str = "a") -> Frame:
    points = tuple((float(at), value) for at, value in enumerate(values))
    return Frame(series=(Series(labels=(("name", name),), points=points),))


def test_answers_become_frames_without_what_is_no_number() -> None:
    vector = {"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"b": "2", "a": "1"}, "value": [5, "7"]},
        {"metric": {}, "value": [5, "NaN"]}]}}  # fmt: skip
    found = frame(vector)
    assert found.names == {(("a", "1"), ("b", "2"))}
    assert found.values == [7.0]
    lines = {"status": "success", "data": {"resultType": "streams", "result": [
        {"stream": {"service": "x"}, "values": [["1000000000", "hello"]]}]}}  # fmt: skip
    assert frame(lines).series[0].points == ((1.0, 1.0),)
    assert frame(lines).names == {()}, "a panel of lines has no series"
    assert frame({"status": "error", "error": "bad query"}).error == "bad query"


@pytest.mark.parametrize(
    ("answer", "limits", "said"),
    [
        (one(0.0, 3.0), ANY, ""),
        (one(0.4), SHARE, ""),
        (one(1.2), SHARE, "1.2 is above 1"),
        (one(-1.0), ANY, "-1 is below 0"),
        (one(math.inf), ANY, "inf is not finite"),
        (Frame(), ANY, "no data"),
        (Frame(error="boom"), ANY, "the query fails: boom"),
    ],
)
def test_healthy_day(answer: Frame, limits: Limits, said: str) -> None:
    assert healthy(answer, limits, may_be_empty="") == said


def test_panel_may_be_empty_where_that_is_declared_but_not_fail() -> None:
    assert healthy(Frame(), ANY, may_be_empty="nobody complains") == ""
    assert healthy(Frame(error="x"), ANY, may_be_empty="nobody complains")


def words(found: Movement | None) -> str:
    return found.words if found else ""


@pytest.mark.parametrize(
    ("before", "during", "how"),
    [
        (one(5.0, 6.0), one(5.5, 8.0), ""),
        (one(5.0, 6.0), one(9.5), "rose to 9.5, from 6 at most"),
        (one(5.0, 6.0), one(3.0), "fell to 3, from 5 at least"),
        (one(0.0), one(0.0), ""),
        (one(0.0), one(1.0), "rose to 1"),
        (one(1.0), Frame(), "no data where there was some"),
        (Frame(), one(1.0), "data where there was none"),
        (Frame(), Frame(), ""),
        (one(1.0), one(1.0, name="b"), "a series is gone: name a"),
    ],
)
def test_moved_without_a_bound(before: Frame, during: Frame, how: str) -> None:
    said = words(moved([before], [during], []))
    assert how in said
    assert bool(said) == bool(how)


def both(first: Frame, then: Frame) -> Frame:
    return Frame(series=(*first.series, *then.series))


def test_series_that_was_there_now_and_then_is_not_missed() -> None:
    before = both(one(1.0, 1.0, 1.0, 1.0), one(1.0, name="rare"))
    assert moved([before], [one(1.0, 1.0)], []) is None


def test_nothing_is_missed_before_as_much_was_seen_as_before_the_fault() -> None:
    assert moved([one(1.0)], [Frame()], [], missing=False) is None
    assert moved([one(1.0)], [Frame()], [DOWN], missing=False) is None


def test_what_moved_most_is_told_and_new_series_last() -> None:
    before, during = both(one(5.0), one(5.0, name="b")), both(one(9.0), one(50.0, name="b"))
    found = moved([before], [during], [])
    assert found
    assert (found.labels, found.is_plain) == ((("name", "b"),), True)
    found = moved([one(5.0)], [both(one(9.0), one(1.0, name="new"))], [])
    assert found
    assert (found.how, found.is_plain) == (How.ROSE, False)
    found = moved([one(5.0)], [both(one(5.0), one(1.0, name="new"))], [])
    assert found
    assert (found.how, found.is_plain) == (How.NEW, False)


@pytest.mark.parametrize(
    ("bound", "before", "during", "is_moved"),
    [
        (TOO_MUCH, one(0.3), one(0.9), True),
        (TOO_MUCH, one(0.3), one(0.7), False),
        (TOO_MUCH, one(0.9), one(0.95), False),
        (DOWN, one(1.0), one(1.0, 0.0), True),
        (DOWN, one(1.0), one(1.0), False),
        (DOWN, one(1.0), Frame(), True),
    ],
)
def test_panel_with_a_bound_moves_from_within_it_to_beyond(
    bound: Bound, before: Frame, during: Frame, is_moved: bool
) -> None:
    assert bool(moved([before], [during], [bound])) is is_moved


@pytest.mark.parametrize(
    ("before", "during", "after", "said"),
    [
        (one(5.0, 6.0), one(20.0), one(4.0, 8.0), ""),
        (one(5.0, 6.0), one(20.0), one(5.0, 10.0), ""),
        (one(5.0, 6.0), one(20.0), one(5.0, 19.0), "rose to 19"),
        (one(5.0, 6.0), one(11.0), one(5.0, 10.0), "rose to 10"),
        (one(5.0, 6.0), one(1.0), one(4.0), ""),
        (one(5.0, 6.0), one(1.0), one(2.0, 5.0), ""),
        (one(5.0, 6.0), one(1.0), one(1.5, 5.0), "fell to 1.5"),
        (one(5.0, 6.0), one(1.0), one(50.0), ""),
        (one(5.0), one(20.0), Frame(), "a series is gone: name a"),
        (one(5.0), Frame(), Frame(), "no data where there was some"),
        (one(5.0), Frame(), one(9.0), ""),
        (one(5.0), one(5.0, name="b"), one(5.0, name="b"), "a series is gone: name a, still"),
        (one(5.0), one(5.0, name="b"), one(5.0), ""),
        (Frame(), one(3.0), Frame(), ""),
        (Frame(), one(3.0), one(0.0), ""),
        (Frame(), one(3.0), one(1.0), "there is still data"),
        (one(5.0), both(one(5.0), one(1.0, name="b")), one(5.0), ""),
        (one(5.0), both(one(5.0), one(1.0, name="b")), both(one(5.0), one(2.0, name="b")),
         "a series is new: name b, still"),
    ],
)  # fmt: skip
def test_panel_is_as_before_when_what_moved_is(
    before: Frame, during: Frame, after: Frame, said: str
) -> None:
    movement = moved([before], [during], [])
    assert movement
    found = still(movement, [before], [after], [])
    assert said in found
    assert bool(found) == bool(said)


def test_others_may_do_meanwhile_what_they_like() -> None:
    before = both(one(5.0), one(1.0, name="b"))
    movement = moved([before], [both(one(50.0), one(1.0, name="b"))], [])
    assert movement
    assert still(movement, [before], [both(one(5.0), one(9.0, name="b"))], []) == ""


def test_panel_with_a_bound_is_back_within_it() -> None:
    movement = moved([one(0.3)], [one(0.9)], [TOO_MUCH])
    assert movement
    assert still(movement, [one(0.3)], [one(0.7)], [TOO_MUCH]) == ""
    assert "still beyond the bound of TooMuch" in still(
        movement, [one(0.3)], [one(0.9)], [TOO_MUCH]
    )


def test_two_answers_are_joined_series_by_series() -> None:
    found = joined(one(1.0, 2.0), Frame(series=(*one(3.0).series, *one(4.0, name="b").series)))
    assert [each.values for each in found.series] == [[1.0, 2.0, 3.0], [4.0]]
    assert joined(one(1.0), Frame(error="away")).error == "away"
