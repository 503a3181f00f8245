"""Instances come and go at the rate that was chosen, each in its own time."""

import json
from pathlib import Path

import pytest

from loadgen.fleet.roster import LINGER_S, Plan, Roster
from loadgen.fleet.shape import Shape

HOUR_S = 3600.0


def roster(text: str, **plan: float) -> Roster:
    return Roster(Plan(targets=100, **plan), Shape(text), 0.0)  # type: ignore[arg-type]


def test_without_churn_nobody_ever_leaves(busy: str) -> None:
    fleet = roster(busy)
    before = fleet.names
    assert not fleet.advance(100 * HOUR_S)
    assert fleet.names == before
    assert fleet.told()["targets"] == 100


def test_as_many_are_replaced_in_an_hour_as_was_chosen(busy: str) -> None:
    fleet = roster(busy, churn_instances=0.5)
    before = set(fleet.names)
    changes = sum(fleet.advance(minute * 60.0) for minute in range(1, 61))
    left = before - set(fleet.names)
    assert len(left) == pytest.approx(50, abs=12)
    assert changes > 20, "each in its own time"
    assert len(fleet.names) == 100


def test_replaced_instance_answers_for_a_while_and_then_no_more(busy: str) -> None:
    fleet = roster(busy, churn_instances=1.0)
    before = set(fleet.names)
    at = 0.0
    while not (left := before - set(fleet.names)):
        at += 1.0
        fleet.advance(at)
    (name,) = left
    assert fleet.text(name, at + 1) is not None
    fleet.advance(at + LINGER_S + 1)
    assert fleet.text(name, at + LINGER_S + 1) is None


def test_label_values_are_replaced_as_often_as_was_chosen(busy: str) -> None:
    fleet = roster(busy, churn_labels=0.5)
    groups = len(Shape(busy).groups)
    text = fleet.text(fleet.names[0], HOUR_S) or ""
    renamed = {line.partition('path="')[2].partition('"')[0] for line in text.splitlines()}
    assert len([one for one in renamed if "~1" in one]) == pytest.approx(groups / 2, abs=1)


def test_prometheus_is_told_where_each_is(busy: str, tmp_path: Path) -> None:
    file = tmp_path / "fleet.json"
    roster(busy).tell(file, "127.0.0.1:9")
    said = json.loads(file.read_text())
    assert len(said) == 100
    assert said[0] == {
        "targets": ["127.0.0.1:9"],
        "labels": {"__metrics_path__": "/scheduler-0001/metrics", "instance": "scheduler-0001"},
    }
    assert [*tmp_path.iterdir()] == [file]
