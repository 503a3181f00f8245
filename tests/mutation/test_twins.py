"""Expressions that give the same are told from those that do not, by promtool."""

from collections.abc import Mapping
from typing import Any

import pytest

from stack.mutation.twins import Twins
from stack.tasks.check import programs

TESTS: list[Mapping[str, Any]] = [
    {
        "interval": "15s",
        "input_series": [
            {"series": 'up{job="a", instance="x"}', "values": "0x40"},
            {"series": 'up{job="b", instance="y"}', "values": "1x40"},
        ],
        "alert_rule_test": [{"alertname": "A", "eval_time": "5m"}],
    }
]


@pytest.fixture(scope="module")
def twins() -> Twins:
    return Twins(programs())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('up{job="a"} == 0', 'up{job=~"a"} == 0', True),
        ('sum by (job) (up{job="a"}) == 0', 'sum by (job) (up) == 0 and on (job) up{job="a"}',
         True),
        ('up{job="a"} == 0', "up == 0", False),
        ('sum by (job) (up{job="a"}) > 0', 'max by (job) (up{job="a"}) > 0', False),
        ('up{job="a"} == 0', 'up{job="a"} == 1', False),
    ],
)  # fmt: skip
def test_difference_is_found(twins: Twins, one: str, other: str, same: bool) -> None:
    assert twins.same(one, other, TESTS, values=True) is same


def test_value_counts_only_where_it_is_told(twins: Twins) -> None:
    one, other = 'up{job="b"} > 0', '2 * up{job="b"} > 0'
    assert twins.same(one, other, TESTS, values=False)
    assert not twins.same(one, other, TESTS, values=True)


def test_without_tests_nothing_is_the_same(twins: Twins) -> None:
    assert not twins.same("up", "up", [], values=False)
