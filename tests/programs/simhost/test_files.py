"""The texts of /proc, read back as the alert rules read them through node_exporter."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.errors import BadInput
from stack.programs.simhost.files import proc_files, sys_files
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
PERCENTS = st.none() | st.floats(0, 100)
RATES = st.none() | st.floats(0, 1e9)
STEPS = st.lists(
    st.tuples(
        st.floats(0, 5),
        st.builds(
            Targets,
            cpu_percent=PERCENTS,
            memory_percent=PERCENTS,
            load=st.none() | st.floats(0, 100),
            network_receive_bytes_per_second=RATES,
            disk_write_bytes_per_second=RATES,
        ),
    ),
    max_size=20,
)


def counters(files: dict[str, str]) -> list[int]:
    """Every number that must never fall, in a fixed order."""
    stat = [line for line in files["stat"].splitlines() if not line.startswith("procs_")]
    disks = [line.split()[3:] for line in files["diskstats"].splitlines()]
    texts = [*stat, *(" ".join(disk) for disk in disks), files["net/dev"].split("\n", 2)[2]]
    return [int(number) for text in texts for number in re.findall(r"(?<![a-z])\d+", text)]


def cpu_columns(stat: str) -> list[int]:
    return [int(column) for column in stat.splitlines()[0].split()[1:]]


def cpu_percent(before: str, after: str) -> float:
    """HighCPUUsage's: 100 less the share that was idle."""
    moved = [b - a for a, b in zip(cpu_columns(before), cpu_columns(after), strict=True)]
    return 100 * (1 - moved[3] / sum(moved))


def memory_percent(meminfo: str) -> float:
    """HighMemoryUsage's: the share that is not available."""
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in meminfo.splitlines()}
    return 100 * (1 - kilobytes["MemAvailable"] / kilobytes["MemTotal"])


def after(state: State, wanted: Targets, elapsed_s: float) -> State:
    return advance(state, levels_at(state.uptime_s, 1, wanted), elapsed_s)


@given(STEPS)
def test_proc_counters_never_fall(steps: list[tuple[float, Targets]]) -> None:
    state = first_state(NOW_S, 1)
    before = counters(proc_files(state, levels_at(0, 1, Targets())))
    for elapsed_s, wanted in steps:
        levels = levels_at(state.uptime_s, 1, wanted)
        state = advance(state, levels, elapsed_s)
        now = counters(proc_files(state, levels))
        assert all(a <= b for a, b in zip(before, now, strict=True))
        before = now


@given(st.floats(0, 100), st.floats(0, 100))
def test_proc_shows_the_percentages_asked_for(cpu: float, memory: float) -> None:
    wanted = Targets(cpu_percent=cpu, memory_percent=memory)
    state = first_state(NOW_S, 1)
    levels = levels_at(state.uptime_s, 1, wanted)
    before = proc_files(state, levels)
    now = proc_files(advance(state, levels, 5.0), levels)
    assert abs(cpu_percent(before["stat"], now["stat"]) - cpu) < 1.5  # jiffies are whole
    assert abs(memory_percent(now["meminfo"]) - memory) < 0.01


def test_proc_healthy_percentages_are_those_of_a_clinic_day() -> None:
    state = first_state(NOW_S, 1)
    before = proc_files(state, levels_at(state.uptime_s, 1, Targets()))
    now = proc_files(after(state, Targets(), 60.0), levels_at(state.uptime_s, 1, Targets()))
    assert 15 <= cpu_percent(before["stat"], now["stat"]) <= 35
    assert 45 <= memory_percent(now["meminfo"]) <= 55


def test_proc_net_dev_moves_at_the_rate_asked_for() -> None:
    wanted = Targets(network_receive_bytes_per_second=150e6)
    state = first_state(NOW_S, 1)
    levels = levels_at(0, 1, wanted)

    def received(at: State) -> int:
        line = proc_files(at, levels)["net/dev"].splitlines()[3]
        assert line.split()[0] == "eth0:"
        return int(line.split()[1])

    assert abs(received(after(state, wanted, 2.0)) - received(state) - 300e6) <= 1


def test_proc_loadavg_follows_the_target_at_once_and_its_long_averages_later() -> None:
    wanted = Targets(load=12)
    state = after(first_state(NOW_S, 1), wanted, 60.0)
    one, five, fifteen, *_ = proc_files(state, levels_at(0, 1, wanted))["loadavg"].split()
    assert float(one) == 12
    assert 12 > float(five) > float(fifteen) > 1


def test_sys_has_what_keeps_the_cpu_collector_alive() -> None:
    for index in range(CPUS):
        cpu = f"devices/system/cpu/cpu{index}"
        for name in ("online", "topology/physical_package_id", "topology/core_id"):
            assert f"{cpu}/{name}" in sys_files()


def test_interfaces_that_were_left_behind_are_there_and_idle() -> None:
    state = first_state(NOW_S, 1)

    def devices(wanted: Targets) -> dict[str, str]:
        files = proc_files(state, levels_at(state.uptime_s, 1, wanted))
        lines = files["net/dev"].splitlines()[2:]
        return {line.split(":")[0].strip(): line.split(":")[1] for line in lines}

    healthy, crowded = devices(Targets()), devices(targets({"leftover_interfaces": 300}))
    assert set(healthy) == {"lo", "eth0"}
    assert {name: crowded.pop(name) for name in healthy} == healthy
    assert len(crowded) == 300
    assert all(name.startswith("veth") for name in crowded)
    assert {field for line in crowded.values() for field in line.split()} == {"0"}


def test_more_interfaces_than_any_host_has_are_refused() -> None:
    with pytest.raises(BadInput, match="leftover_interfaces"):
        targets({"leftover_interfaces": 1e6})
