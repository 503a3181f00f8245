"""Burning CPU against a clock that the test turns, and holding real memory."""

import mmap

import pytest

from stack.programs.worker.strain import Ballast, Burner, resident_bytes


class Machine:
    """A core that this process has to itself: each look at the clock takes a millisecond."""

    def __init__(self, share: float = 1.0) -> None:
        self.now = self.spent = 0.0
        self.share = share

    def clock(self) -> float:
        return self.now

    def cpu(self) -> float:
        self.now += 0.001
        self.spent += 0.001 * self.share
        return self.spent


def burnt(machine: Machine, cores: float, seconds: float) -> float:
    burner = Burner(machine.clock, machine.cpu)
    before, end = machine.spent, machine.now + seconds
    while machine.now < end:
        round_ends = machine.now + 0.05
        burner.burn(cores, at_most_s=0.05)
        machine.now = max(machine.now, round_ends)
    return machine.spent - before


@pytest.mark.parametrize("cores", [0.0, 0.1, 0.23, 0.5])
def test_burner_uses_the_share_that_is_wished(cores: float) -> None:
    assert burnt(Machine(), cores, 10) == pytest.approx(cores * 10, abs=0.45)


def test_burner_never_uses_more_than_there_is() -> None:
    assert burnt(Machine(share=0.3), 1.0, 10) == pytest.approx(3, abs=0.2)


def test_burner_does_not_make_up_for_all_that_a_busy_machine_kept_from_it() -> None:
    machine = Machine()
    burner = Burner(machine.clock, machine.cpu)
    machine.now += 100
    for _ in range(100):
        burner.burn(0.2, at_most_s=0.05)
    assert machine.spent < 0.5 + 0.2 * 5 + 0.2


def test_ballast_grows_and_gives_back() -> None:
    before = resident_bytes()
    wanted = before + 32 * 1024 * 1024
    ballast = Ballast()
    ballast.grow_to(wanted)
    assert resident_bytes() == pytest.approx(wanted, abs=200 * mmap.PAGESIZE)
    ballast.grow_to(wanted)
    assert resident_bytes() == pytest.approx(wanted, abs=200 * mmap.PAGESIZE)
    ballast.grow_to(0)
    assert resident_bytes() < before + 8 * 1024 * 1024


def test_ballast_that_is_smaller_than_the_process_is_none() -> None:
    before = resident_bytes()
    Ballast().grow_to(4096)
    assert resident_bytes() == pytest.approx(before, abs=100 * mmap.PAGESIZE)
