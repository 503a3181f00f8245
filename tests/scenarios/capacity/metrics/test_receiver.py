"""Samples are compared one by one; answers as near as two engines can be."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from scenarios.capacity.metrics import receiver
from scenarios.capacity.metrics.receiver import compared, difference
from stack.errors import HostCannot

HERE = {"up{}": {1.0: 1.0, 2.0: 1.0, 3.0: 0.0}, "a{}": {1.5: 0.1 + 0.2}}


def test_everything_there_is_nothing_lost() -> None:
    there = {"up{}": {1.0: 1.0, 2.0: 1.0, 3.0: 0.0}, "a{}": {1.5: 0.3}}
    kept = compared(HERE, there, seconds=10, away_s=3)
    assert (kept.lost, dict(kept.extra), kept.changed) == (0, {}, 0)
    assert (kept.series, kept.samples) == (2, 4)


@pytest.mark.parametrize(
    ("there", "missing", "extra", "changed"),
    [
        ({"up{}": HERE["up{}"]}, {"a{}": 1}, {}, 0),
        ({}, {"up{}": 3, "a{}": 1}, {}, 0),
        ({**HERE, "up{}": {1.0: 1.0, 3.0: 0.0}}, {"up{}": 1}, {}, 0),
        ({**HERE, "b{}": {1.0: 1.0}}, {}, {"b{}": 1}, 0),
        ({**HERE, "up{}": {1.0: 1.0, 2.0: 0.0, 3.0: 0.0}}, {}, {}, 1),
        ({**HERE, "a{}": {1.501: 0.3}}, {"a{}": 1}, {"a{}": 1}, 0),
    ],
    ids=["a-series", "everything", "a-sample", "one-more", "another-value", "another-time"],
)
def test_what_is_missing_is_counted_by_series(
    there: dict[str, dict[float, float]],
    missing: dict[str, int],
    extra: dict[str, int],
    changed: int,
) -> None:
    kept = compared(HERE, there, seconds=10, away_s=3)
    assert (dict(kept.missing), dict(kept.extra), kept.changed) == (missing, extra, changed)
    assert kept.lost == sum(missing.values())


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ({}, {}, 0.0),
        ({"a": 1.0}, {"a": 1.0}, 0.0),
        ({"a": math.nan}, {"a": math.nan}, 0.0),
        ({"a": 1.0}, {"a": 0.9}, 0.1),
        ({"a": 0.0}, {"a": 0.9}, 1.0),
        ({"a": 1.0}, {}, math.inf),
        ({"a": 1.0}, {"b": 1.0}, math.inf),
        ({"a": math.inf}, {"a": 1.0}, math.inf),
    ],
    ids=["none", "same", "nan", "near", "nought", "fewer", "other", "infinite"],
)
def test_answers_differ_by_their_farthest_value(
    one: dict[str, float], other: dict[str, float], apart: float
) -> None:
    assert difference(one, other) == pytest.approx(apart)
    assert difference(other, one) == pytest.approx(apart)


def test_receiver_that_never_comes_back_is_said_and_ends_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start_service(name: str) -> None:
        raise HostCannot(f"`{name}` stopped while starting (FATAL).")

    stopped: list[str] = []
    instance: Any = SimpleNamespace(
        pid=lambda name: 1, stop_service=stopped.append, start_service=start_service
    )
    monkeypatch.setattr(receiver, "AWAY_S", 0.0)
    gone, back, trouble = receiver._outage(instance, lambda words: None)
    assert stopped == ["victoria"]
    assert gone <= back
    assert trouble.startswith("the receiver did not come back: `victoria` stopped while starting")


def test_prometheus_that_dies_meanwhile_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pids = iter([1, 2])
    instance: Any = SimpleNamespace(pid=lambda name: next(pids))
    with pytest.raises(HostCannot, match="Prometheus died meanwhile"):
        receiver._pass(instance, 0.01)
