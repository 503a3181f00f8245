"""What the simulated host does: levels at one moment, and the counters that they drive.

Pure: time, seed and targets are arguments. Healthy levels are sums of sines and so stay within
fixed bounds, far from every alert's threshold; a target replaces one level instantly. Counters only
ever grow, because no step adds anything negative.
"""

import functools
import math
import random
from dataclasses import dataclass, fields, replace

from stack.programs.control import number, only_known

CPUS = 4
MEMORY_BYTES = 16 * 1024**3
_UPTIME_AT_FIRST_START_S = 9 * 86400.0
# Seconds. Short ones make a sped-up instance live, long ones a faithful one. Not multiples of
# each other, so that the sum does not repeat within a demo.
_PERIODS_S = (11.0, 37.0, 173.0, 1201.0)


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What the control file asks for; None leaves the level healthy."""

    cpu_percent: float | None = None
    """Share of all CPUs that is not idle, 0-100."""
    memory_percent: float | None = None
    """Share of memory that is not available, 0-100."""
    load: float | None = None
    """Load average over one minute."""
    network_receive_bytes_per_second: float | None = None
    network_transmit_bytes_per_second: float | None = None
    disk_read_bytes_per_second: float | None = None
    disk_write_bytes_per_second: float | None = None
    leftover_interfaces: float | None = None
    """Network interfaces that containers have left behind; nothing passes through them."""


def targets(document: dict[str, object]) -> Targets:
    """Targets from the control file's JSON object. Raises BadInput."""
    names = [field.name for field in fields(Targets)]
    only_known(document, names)
    found = {name: number(document, name, maximum=_most(name)) for name in names}
    return Targets(**found)


def _most(name: str) -> float:
    if name == "leftover_interfaces":
        return 1000
    return 100 if name.endswith("_percent") else 1e12


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The host at one moment."""

    busy: tuple[float, ...]
    """Per CPU, the share that is not idle, 0-1."""
    memory_used: float
    """Share of memory that is not available, 0-1."""
    load: float
    receive_bytes_per_s: float
    transmit_bytes_per_s: float
    read_bytes_per_s: float
    write_bytes_per_s: float
    leftover_interfaces: int = 0


def levels_at(uptime_s: float, seed: int, wanted: Targets) -> Levels:
    """The levels `uptime_s` seconds after boot: those wanted, else those of `seed`'s clinic day."""

    def level(target: float | None, name: str, mean: float, swing: float) -> float:
        return mean + swing * _wave(uptime_s, seed, name) if target is None else target

    cpu = level(wanted.cpu_percent, "cpu", 25, 9) / 100
    # CPUs differ by offsets that cancel out, so that their mean is exactly `cpu`.
    spread = min(0.05, cpu, 1 - cpu)
    busy = tuple(
        cpu + spread * math.sin(uptime_s / 7 + 2 * math.pi * index / CPUS) for index in range(CPUS)
    )
    load = wanted.load if wanted.load is not None else 0.1 + 1.1 * cpu * CPUS
    return Levels(
        busy=busy,
        memory_used=level(wanted.memory_percent, "memory", 50, 4) / 100,
        load=load,
        receive_bytes_per_s=level(wanted.network_receive_bytes_per_second, "rx", 4e6, 2.5e6),
        transmit_bytes_per_s=level(wanted.network_transmit_bytes_per_second, "tx", 7e6, 4e6),
        read_bytes_per_s=level(wanted.disk_read_bytes_per_second, "read", 3e6, 2.5e6),
        write_bytes_per_s=level(wanted.disk_write_bytes_per_second, "write", 5e6, 3e6),
        leftover_interfaces=int(wanted.leftover_interfaces or 0),
    )


def _wave(time_s: float, seed: int, name: str) -> float:
    """A smooth value from -1 to 1 that depends on its arguments alone."""
    waves = (
        math.sin(2 * math.pi * (time_s / period_s + phase))
        for period_s, phase in zip(_PERIODS_S, _phases(seed, name), strict=True)
    )
    return sum(waves) / len(_PERIODS_S)


@functools.cache  # needed at every step
def _phases(seed: int, name: str) -> tuple[float, ...]:
    chance = random.Random(f"{seed} {name}")
    return tuple(chance.random() for _ in _PERIODS_S)


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that must survive a restart of the process. Seconds and bytes since boot."""

    boot_time_s: int
    """Unix time."""
    saved_at_s: float
    """Unix time at which the state was reached."""
    uptime_s: float = 0.0
    busy_s: tuple[float, ...] = (0.0,) * CPUS
    # Kept apart from busy_s: `uptime - busy` could fall by a rounding error.
    idle_s: tuple[float, ...] = (0.0,) * CPUS
    received_bytes: float = 0.0
    transmitted_bytes: float = 0.0
    read_bytes: float = 0.0
    written_bytes: float = 0.0
    disk_busy_s: float = 0.0
    load5: float = 1.0
    load15: float = 1.0


def first_state(now_s: float, seed: int) -> State:
    """A host that at Unix time `now_s` has been up for some days."""
    boot = int(now_s - _UPTIME_AT_FIRST_START_S)
    state = State(boot_time_s=boot, saved_at_s=boot)
    return advance(state, levels_at(0.0, seed, Targets()), now_s - boot)


def advance(state: State, levels: Levels, elapsed_s: float) -> State:
    """The state `elapsed_s` seconds later. A negative time (clock set back) counts as 0."""
    elapsed_s = max(0.0, elapsed_s)
    moved = levels.read_bytes_per_s + levels.write_bytes_per_s
    return replace(
        state,
        saved_at_s=state.saved_at_s + elapsed_s,
        uptime_s=state.uptime_s + elapsed_s,
        busy_s=_added(state.busy_s, levels.busy, elapsed_s),
        idle_s=_added(state.idle_s, tuple(1 - busy for busy in levels.busy), elapsed_s),
        received_bytes=state.received_bytes + levels.receive_bytes_per_s * elapsed_s,
        transmitted_bytes=state.transmitted_bytes + levels.transmit_bytes_per_s * elapsed_s,
        read_bytes=state.read_bytes + levels.read_bytes_per_s * elapsed_s,
        written_bytes=state.written_bytes + levels.write_bytes_per_s * elapsed_s,
        # A disk that is saturated at 200 MB/s.
        disk_busy_s=state.disk_busy_s + min(1.0, moved / 200e6) * elapsed_s,
        load5=_toward(state.load5, levels.load, elapsed_s / 300),
        load15=_toward(state.load15, levels.load, elapsed_s / 900),
    )


def _added(
    totals: tuple[float, ...], rates: tuple[float, ...], elapsed_s: float
) -> tuple[float, ...]:
    return tuple(
        total + max(0.0, rate) * elapsed_s for total, rate in zip(totals, rates, strict=True)
    )


def _toward(value: float, goal: float, periods: float) -> float:
    """One step of the kernel's exponentially damped load average."""
    return goal + (value - goal) * math.exp(-periods)
