"""Levels and counters, with an invented clock."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.errors import BadInput
from stack.programs.simhost.model import (
    CPUS,
    State,
    Targets,
    advance,
    first_state,
    levels_at,
    targets,
)

NOW_S = 1_800_000_000.0
SEEDS = st.integers(0, 10_000)
UPTIMES_S = st.floats(0, 1e8)


@given(SEEDS, UPTIMES_S)
def test_levels_stay_far_from_every_threshold_while_healthy(seed: int, uptime_s: float) -> None:
    levels = levels_at(uptime_s, seed, Targets())
    assert 0.15 <= sum(levels.busy) / CPUS <= 0.35
    assert all(0.10 <= busy <= 0.40 for busy in levels.busy)
    assert 0.45 <= levels.memory_used <= 0.55
    assert 1e6 < levels.receive_bytes_per_s < 20e6
    assert 1e6 < levels.transmit_bytes_per_s < 20e6
    assert levels.read_bytes_per_s > 0
    assert levels.write_bytes_per_s > 0
    assert 0 < levels.load < CPUS


def test_levels_depend_on_time_and_seed_alone() -> None:
    assert levels_at(5.0, 1, Targets()) == levels_at(5.0, 1, Targets())
    assert levels_at(5.0, 1, Targets()) != levels_at(5.0, 2, Targets())


def test_levels_move_smoothly() -> None:
    points = [levels_at(n * 0.2, 1, Targets()).memory_used for n in range(3000)]
    assert max(points) - min(points) > 0.02
    assert max(abs(b - a) for a, b in itertools.pairwise(points)) < 0.005


@given(UPTIMES_S, st.floats(0, 100), st.floats(0, 100))
def test_levels_reach_the_targets_exactly(uptime_s: float, cpu: float, memory: float) -> None:
    wanted = Targets(
        cpu_percent=cpu, memory_percent=memory, load=12, network_receive_bytes_per_second=150e6
    )
    levels = levels_at(uptime_s, 1, wanted)
    assert math.isclose(100 * sum(levels.busy) / CPUS, cpu, abs_tol=1e-9)
    assert all(-1e-9 <= busy <= 1 + 1e-9 for busy in levels.busy)
    assert math.isclose(levels.memory_used * 100, memory, abs_tol=1e-9)
    assert levels.load == 12
    assert levels.receive_bytes_per_s == 150e6


def test_levels_of_a_busy_cpu_bring_load() -> None:
    assert levels_at(1.0, 1, Targets(cpu_percent=97)).load > CPUS


def test_advance_does_nothing_when_the_clock_is_set_back() -> None:
    state = first_state(NOW_S, 1)
    assert advance(state, levels_at(0, 1, Targets()), -30.0) == state


@given(st.floats(0, 1e6), st.floats(0, 100))
def test_advance_shares_out_exactly_the_time_that_passed(elapsed_s: float, cpu: float) -> None:
    zero = State(boot_time_s=0, saved_at_s=0)
    state = advance(zero, levels_at(0, 1, Targets(cpu_percent=cpu)), elapsed_s)
    assert state.uptime_s == state.saved_at_s == elapsed_s
    for busy_s, idle_s in zip(state.busy_s, state.idle_s, strict=True):
        assert math.isclose(busy_s + idle_s, elapsed_s, abs_tol=1e-6)
    assert state.disk_busy_s <= elapsed_s


def test_first_state_has_been_up_for_days() -> None:
    state = first_state(NOW_S, 1)
    assert state.boot_time_s == NOW_S - 9 * 86400
    assert state.saved_at_s == NOW_S
    assert min(state.idle_s) > 86400


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({}, Targets(), id="quiet: healthy"),
        pytest.param({"cpu_percent": 97}, Targets(cpu_percent=97.0), id="one"),
        pytest.param({"load": None}, Targets(), id="null is healthy"),
        pytest.param({"cpu_percent": 0}, Targets(cpu_percent=0.0), id="zero is a target"),
    ],
)
def test_targets_are_read(document: dict[str, object], expected: Targets) -> None:
    assert targets(document) == expected


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"cpu": 97}, "unknown: `cpu`; known: `cpu_percent`, `memory_percent`"),
        ({"cpu_percent": 101}, "`cpu_percent` is 101, expected a number from 0 to 100"),
        ({"memory_percent": "96"}, '`memory_percent` is "96", expected a number'),
        ({"load": math.nan}, "`load` is NaN, expected a number"),
        ({"load": True}, "`load` is true, expected a number"),
        ({"network_receive_bytes_per_second": -1}, "is -1, expected a number from 0"),
    ],
)
def test_targets_that_make_no_sense_are_named(document: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput) as raised:
        targets(document)
    assert message in str(raised.value)
