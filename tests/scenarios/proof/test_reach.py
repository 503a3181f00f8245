"""How near a rule came, in words, and which of several series is told of."""

from collections.abc import Mapping
from typing import Any

import pytest

from scenarios.proof.reach import Reading, Sample, nearest, now, samples
from stack.check.conditions import conditions


def answering(**answers: list[float]) -> Any:
    """A query's name → the values of its series, labelled by their number."""
    return lambda query: [({"n": str(n)}, value) for n, value in enumerate(answers[query])]


@pytest.mark.parametrize(
    ("rule", "answers", "said", "met"),
    [
        ("a > 20", {"a": [3, 2]}, ["`a` reached 3, wanted more than 20"], [False]),
        ("a > 20", {"a": [30]}, ["`a` reached 30, wanted more than 20"], [True]),
        ("a < 0.2", {"a": [0.5, 0.25]}, ["`a` fell to 0.25, wanted less than 0.2"], [False]),
        ("a == 0", {"a": [5, 1]}, ["`a` was 1, wanted exactly 0"], [False]),
        ("a == 0", {"a": [1, 0]}, ["`a` was 0, wanted exactly 0"], [True]),
        ("a != 2", {"a": [2, 9]}, ["`a` was 9, wanted anything but 2"], [True]),
        ("a > 5", {"a": [float("nan")]}, ["`a` had no value, wanted more than 5"], [False]),
        ("a", {"a": []}, ["`a` had no value, wanted one"], [False]),
        (
            "a > 1 unless b",
            {"a": [2], "b": [7]},
            ["`a` reached 2, wanted more than 1", "`b` was 7, wanted none"],
            [True, False],
        ),
        (
            "a > 5 and b >= 20",
            {"a": [6], "b": [3]},
            ["`a` reached 6, wanted more than 5", "`b` reached 3, wanted at least 20"],
            [True, False],
        ),
        ("a > b", {"a": [3, 2], "b": [9, 4]}, ["`a` reached 2, wanted more than 4 (`b`)"], [False]),
        ("a > b", {"a": [3, 2], "b": []}, ["`a` reached 3, wanted more than `b`"], [False]),
    ],
)
def test_each_condition_says_what_came_nearest(
    rule: str, answers: Mapping[str, list[float]], said: list[str], met: list[bool]
) -> None:
    found = now(conditions(rule), answering(**answers))
    assert [str(one) for one in found] == said
    assert [one.met for one in found] == met


def test_nearest_of_several_looks_is_remembered() -> None:
    [condition] = conditions("a > 20")
    looks = [now([condition], answering(a=[value]))[0] for value in (3, 17, 5)]
    assert nearest(looks, empty=Reading(condition=condition)).value == 17


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"data": {"resultType": "scalar", "result": [1.5, "2"]}}, [({}, 2.0)]),
        (
            {"data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "3"]}]}},
            [({}, 3.0)],
        ),
        ({"data": {"resultType": "vector", "result": []}}, []),
    ],
)  # fmt: skip
def test_samples_of_an_answer(answer: Any, found: list[Sample]) -> None:
    assert samples(answer) == found


@pytest.mark.parametrize("answer", [{}, [], {"data": None}, {"data": {"resultType": "vector"}}])
def test_samples_of_anything_else_are_refused(answer: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        samples(answer)
