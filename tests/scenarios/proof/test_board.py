"""The live picture of a proof: statuses in, lines out, at any size of the terminal."""

import itertools
from collections.abc import Callable, Sequence

import pytest

from scenarios.proof.board import WIDEST, Board
from scenarios.proof.estimate import Turn
from scenarios.proof.play import Stage, Status

NOW = 1_000.0

CPU, DISK, MEMORY = "HighCPUUsage", "DiskSpaceWarning", "CriticalMemoryUsage"
QUIET, TWINS = "routing/silence", "routing/twins"
TURNS = (
    Turn(names=(QUIET, TWINS), about_s=40),
    Turn(names=(CPU, DISK), about_s=30),
    Turn(names=(MEMORY,), about_s=20),
)

Clock = Callable[[float], None]


class Proof:
    """A board, and the time that it goes by."""

    def __init__(self, turns: Sequence[Turn] = TURNS, instances: int = 2) -> None:
        self.now = NOW
        self.board = Board(turns, instances, failed=["Forgotten"], clock=lambda: self.now)

    def at(self, seconds: float) -> "Proof":
        self.now = NOW + seconds
        return self

    def status(self, alert: str, what: str, stage: Stage = Stage.RUNNING, **due: float) -> "Proof":
        self.board.note(Status(alert=alert, instance="proof-1", what=what, stage=stage, **due))
        return self

    def lines(self, width: int = 79, height: int = 23) -> list[str]:
        return [line.plain.rstrip() for line in self.board.lines(width, height)]


def half_way() -> Proof:
    proof = Proof()
    proof.at(1).status(TWINS, "waiting for quiet").status(CPU, "steady")
    proof.at(4).status(QUIET, "waiting for the firing notifications")
    waiting = "waiting for the alert to fire"
    proof.at(5).status(CPU, waiting, zero=NOW + 5, due=NOW + 19.5)
    proof.status(DISK, "proven", Stage.PROVEN)
    return proof.at(9)


def test_what_runs_comes_first_the_slowest_on_top_and_routing_among_it() -> None:
    assert half_way().lines() == [
        "routing/twins    waiting for quiet                                          8 s",
        "routing/silence  waiting for the firing notifications                       5 s",
        "HighCPUUsage     waiting for the alert to fire                    4.0 of 14.5 s",
        "Forgotten        not played",
        "slowest: routing/twins, waiting for quiet for 8 s",
        "1 of 6 proven, 1 failed, 1 waiting, about 50 s left",
    ]


def test_wide_terminal_shows_the_instances() -> None:
    first = half_way().lines(width=120)[0]
    assert first.startswith("routing/twins    waiting for quiet ")
    assert first.endswith("8 s   proof-1")
    assert len(first) == 120
    assert len(half_way().lines(width=240)[0]) == WIDEST


def test_narrow_terminal_says_what_is_waited_for_and_the_total() -> None:
    assert half_way().lines(width=39) == [
        "routing/twins    waiting for quiet",
        "routing/silence  the firing notificati…",
        "HighCPUUsage     the alert to fire",
        "Forgotten        not played",
        "1 of 6 proven, 1 failed, ~50 s left",
    ]


def test_those_that_find_no_room_are_counted() -> None:
    turns = [Turn(names=tuple(f"Alert{n}" for n in range(40)), about_s=30)]
    proof = Proof(turns)
    for n in range(40):
        proof.at(n / 10).status(f"Alert{n}", "waiting for the alert to fire")
    lines = proof.lines(height=10)
    assert len(lines) == 10
    assert lines[0].startswith("Alert0 ")
    assert lines[6] == "… and 34 more run"
    assert lines[-1].startswith("0 of 41 proven, 1 failed")


@pytest.mark.parametrize(
    ("width", "height"), list(itertools.product((1, 2, 10, 20, 40, 80, 200), (1, 2, 3, 5, 24)))
)
def test_picture_fits_into_any_terminal(width: int, height: int) -> None:
    proof = half_way().status(MEMORY, "failed: " + "why " * 99, Stage.FAILED)
    lines = proof.lines(width, height)
    assert 0 < len(lines) <= height
    assert lines[-1].startswith("1 of 6 proven"), "whatever there is no room for"
    assert all(len(line) <= width for line in lines[:-1])


def test_estimate_follows_the_pace_of_what_is_over() -> None:
    proof = Proof([Turn(names=(CPU,), about_s=20), Turn(names=(DISK,), about_s=20)], instances=1)
    assert proof.lines()[-1].endswith("2 waiting, about 45 s left"), "an instance has to start"
    proof.at(0).status(CPU, "starting an instance")
    assert proof.at(6).lines()[-1].endswith("1 waiting, about 40 s left")
    proof.at(39).status(CPU, "proven", Stage.PROVEN)
    assert proof.lines()[-1].endswith("1 waiting, about 35 s left"), "half as slow again"
    proof.status(DISK, "steady")
    assert proof.at(69).lines()[-1].endswith("1 failed, about 10 s left")


def test_nothing_is_said_of_the_time_left_when_nothing_is_known_of_it() -> None:
    unknown = Proof([Turn(names=(CPU,), about_s=0), Turn(names=(DISK,), about_s=20)])
    assert "left" not in unknown.lines()[-1]
    late = Proof([Turn(names=(CPU,), about_s=20)]).at(0).status(CPU, "steady").at(27)
    assert late.lines()[-1] == "0 of 2 proven, 1 failed"
    waits = Proof([Turn(names=(CPU,), about_s=20), Turn(names=(DISK,), about_s=20)], instances=1)
    waits.at(0).status(CPU, "steady")
    assert waits.at(30).lines()[-1].endswith("1 waiting, about 20 s left"), "a little late"
    assert waits.at(40).lines()[-1].endswith("1 waiting"), "far too late"
    half = half_way()
    half.board.ending = "SIGINT: undoing faults, then the report …"
    assert half.lines()[-1] == (
        "1 of 6 proven, 1 failed, 1 waiting, SIGINT: undoing faults, then the report …"
    )


def test_what_is_inconclusive_waits_for_another_turn() -> None:
    proof = Proof([Turn(names=(CPU,), about_s=20)]).status(CPU, "steady").at(20)
    proof.status(CPU, "inconclusive, to be played again: busy", Stage.WAITING)
    assert proof.lines()[-1] == "0 of 2 proven, 1 failed, 1 waiting, about 25 s left"


def test_what_was_seen_to_its_end_is_counted_until_its_group_is_judged() -> None:
    seen = half_way().status(CPU, "seen to its end", Stage.SEEN)
    assert seen.lines()[-1] == "1 of 6 proven, 1 failed, 1 to be judged, 1 waiting, about 50 s left"
    assert not [line for line in seen.lines() if CPU in line]


def test_status_is_new_once() -> None:
    board = Board([], 1)
    status = Status(alert=CPU, instance="proof-1", what="steady")
    assert [board.note(status), board.note(status)] == [True, False]


def test_figure_that_moves_is_shown_but_not_new() -> None:
    proof = Proof([Turn(names=(CPU,), about_s=20)])
    proof.at(0).status(CPU, "not steady yet: 0 of 10 requests")
    status = Status(alert=CPU, instance="proof-1", what="not steady yet: 8 of 10 requests")
    assert proof.at(5).board.note(status) is False
    assert proof.at(9).lines()[0].split() == f"{CPU} {status.what} 9 s".split()
