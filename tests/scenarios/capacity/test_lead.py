"""Who is told, and how early, while the load grows: on a bench that does as it is told."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from scenarios.capacity import lead as module
from scenarios.capacity.lead import Lead, grow
from scenarios.capacity.window import Window
from tests.scenarios.capacity.made import OBJECTIVE, window

KNEE = 100.0
MOST = 110.0
"""Arrivals a second beyond which all are slow, and at which the machine is full."""


class Bench:
    """Of a server that is quick until it is not."""

    def __init__(self) -> None:
        self.rate = 0.0

    def settle(self, rate: float, seconds: float) -> None:
        self.rate = rate

    def measure(self, seconds: float) -> Window:
        slow = 300 if self.rate > MOST else 0
        return replace(window(slow=slow, usage={"machine": self.rate / MOST}), seconds=seconds)


def grown(limit: float) -> tuple[Lead, list[float]]:
    """What is seen where an alert fires as soon as the host is busier than that, and what the host
    was told."""
    told: list[float] = []
    lead = Lead()

    def firing() -> Mapping[str, str]:
        hot = bool(told) and told[-1] > limit
        return {"Watchdog": "none", **({"HighCPUUsage": "warning"} if hot else {})}

    grow(Bench(), firing, told.append, OBJECTIVE, KNEE, lead)  # type: ignore[arg-type]
    return lead, told


def test_host_is_as_busy_as_the_machine() -> None:
    _, told = grown(2.0)
    assert told[0] == pytest.approx(module.FROM * KNEE / MOST)
    assert told == sorted(told)
    assert told[-1] > 1


def test_alert_before_the_breach_has_warned() -> None:
    lead, _ = grown(0.8)
    (row,) = lead.rows()
    assert row["alert"] == "HighCPUUsage"
    assert 0.75 < row["share"] < 0.85
    assert row["early_s"] > 0
    assert not lead.is_unannounced


def test_alert_after_the_breach_has_not() -> None:
    lead, _ = grown(1.05)
    assert lead.is_unannounced
    assert lead.broke_rate == pytest.approx(MOST, rel=0.05)


def test_what_fired_before_the_load_grew_is_no_warning() -> None:
    lead, _ = grown(2.0)
    assert lead.rows() == []
