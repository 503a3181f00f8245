"""Groups on instances: who plays what, and what one that goes wrong costs the others."""

import errno
import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scenarios.proof import workers
from scenarios.proof.catalogue import ScenarioFile
from scenarios.proof.evidence import Full
from scenarios.proof.play import Played, Venue
from scenarios.proof.result import Result
from scenarios.proof.scenario import Scenario, Traffic, slack
from scenarios.proof.slots import Slots
from scenarios.proof.verdict import Outcome, Verdict, failed
from scenarios.proof.workers import Workers
from stack.errors import BadInput, HostCannot

Lives = list[tuple[str, float]]

FULL = "no room is left"


def found(alert: str, speedup: float = 1) -> ScenarioFile:
    fault = SimpleNamespace(touches=frozenset({alert}))
    return ScenarioFile(
        scenario=Scenario(
            alert=alert, labels={"severity": "warning"}, fault=fault,
            traffic=Traffic(users=(object,), shape=object), speedup=speedup,
            notifications=(slack("#alerts-platform"),),
        ),
        file=Path("application") / f"{alert}.py",
    )  # fmt: skip


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> Lives:
    """Every instance that came up, with its speed."""
    came_up: Lives = []

    @contextmanager
    def running(name: str, *, speed: float, **_: object) -> Iterator[Any]:
        came_up.append((name, speed))
        record = SimpleNamespace(packages={})
        yield SimpleNamespace(
            name=name, speed=speed, hash="h", record=record, config_dir=Path("none")
        )

    monkeypatch.setattr(workers, "running", running)
    return came_up


def prove(
    groups: Sequence[list[ScenarioFile]],
    play: Callable[[str], Verdict], instances: int = 1, speed: float = 60, routing: Any = None,
) -> Workers:  # fmt: skip
    def played(group: Sequence[ScenarioFile], venue: Venue) -> dict[str, Played]:
        played = {one.scenario.alert: Played(verdict=play(one.scenario.alert)) for one in group}
        if any(one.verdict.reason == FULL for one in played.values()):
            venue.evidence.add(Full(at=1, what=FULL))
        return played

    proof = Workers(speed=speed, keep=False, config_root=Path(), folder=Path(), file=io.StringIO(),
                    tell=lambda progress: None, stop=threading.Event(),
                    routing=routing, play=played)  # fmt: skip
    proof.run(groups, instances, ["routing/a", "routing/b"] if routing else ())
    return proof


def fine(alert: str) -> Verdict:
    return Verdict(alert=alert, outcome=Outcome.PROVEN, reason="")


def outcomes(proof: Workers) -> dict[str, str]:
    return {name: str(one.outcome) for name, one in proof.results.items()}


def test_instance_plays_one_group_after_another(lives: Lives) -> None:
    proof = prove([[found("A"), found("B")], [found("C")]], fine)
    assert outcomes(proof) == dict.fromkeys("ABC", "proven")
    assert lives == [("proof-1", 60)]


def test_each_speed_has_instances_of_its_own(lives: Lives) -> None:
    groups = [[found("A")], [found("B", 12)], [found("C")], [found("D", 12)]]
    proof = prove(groups, fine)
    assert outcomes(proof) == dict.fromkeys("ACBD", "proven")
    assert lives == [("proof-1", 60), ("proof-1", 720)]


def test_one_instance_plays_all_groups_of_a_speed_of_their_own(lives: Lives) -> None:
    both = threading.Barrier(2, timeout=10)

    def play(alert: str) -> Verdict:
        if alert in "AB":
            both.wait()  # the other worker is at work as well, and leaves C alone
        return fine(alert)

    proof = prove([[found("A", 90)], [found("C", 90)], [found("B")]], play, 2)
    assert outcomes(proof) == dict.fromkeys("ABC", "proven")
    assert sorted(speed for _, speed in lives) == [60, 5400]


def test_instance_that_is_no_longer_as_new_is_replaced(lives: Lives) -> None:
    """As when a fault could not be undone."""
    proof = prove([[found("A")], [found("B")]],
                  lambda alert: failed("A", "stuck") if alert == "A" else fine(alert))  # fmt: skip
    assert outcomes(proof) == {"A": "failed", "B": "proven"}
    assert len(lives) == 2


def test_instance_that_a_fault_wears_plays_nothing_after_it(lives: Lives) -> None:
    worn = found("A")
    worn.scenario.fault.wears = True  # type: ignore[attr-defined]
    proof = prove([[worn], [found("B")], [found("C")]], fine)
    assert outcomes(proof) == dict.fromkeys("ABC", "proven")
    assert len(lives) == 2


def test_what_raises_is_named_and_the_others_go_on(lives: Lives) -> None:
    def play(alert: str) -> Verdict:
        if alert == "A":
            raise ZeroDivisionError("division by zero")
        return fine(alert)

    proof = prove([[found("A"), found("A2")], [found("B")]], play)
    assert outcomes(proof) == {"A": "failed", "A2": "failed", "B": "proven"}
    reason = "instance `proof-1`: ZeroDivisionError: division by zero"
    assert proof.results["A"].verdict.reason == reason
    assert not proof.errors


def test_what_raises_in_a_later_group_is_named(lives: Lives) -> None:
    def play(alert: str) -> Verdict:
        if alert == "B":
            raise OSError("gone")
        return fine(alert)

    proof = prove([[found("A")], [found("B")], [found("C")]], play)
    assert outcomes(proof) == {"A": "proven", "B": "failed", "C": "proven"}
    assert proof.results["B"].verdict.reason == "instance `proof-1`: OSError: gone"


def test_configuration_that_no_instance_can_use_ends_the_proof(lives: Lives) -> None:
    def play(alert: str) -> Verdict:
        raise BadInput("cannot be scaled")

    proof = prove([[found("A")], [found("B")]], play)
    assert [str(error) for error in proof.errors] == ["cannot be scaled"]
    assert outcomes(proof) == {"A": "failed", "B": "failed"}


def test_host_that_carries_one_instance_only_plays_all_on_it(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = workers.running  # type: ignore[attr-defined]

    @contextmanager
    def running(name: str, **more: Any) -> Iterator[Any]:
        if name != "proof-1":
            raise HostCannot("no memory")
        with single(name, **more) as instance:
            yield instance

    monkeypatch.setattr(workers, "running", running)
    together = threading.Barrier(2, timeout=0.2)

    def play(alert: str) -> Verdict:
        if alert == "A":
            with suppress(threading.BrokenBarrierError):
                together.wait()  # gives the other worker the time to fail
        return fine(alert)

    proof = prove([[found("A")], [replace(found("B"))]], play, instances=2)
    assert outcomes(proof) == {"A": "proven", "B": "proven"}
    assert proof.notes == ["no memory"]


def busy(alert: str) -> Verdict:
    why = "the machine was overloaded"
    return Verdict(alert=alert, outcome=Outcome.FAILED, reason=f"{why}; late", excuse=why)


class Turns:
    """Plays each alert, some of them inconclusively so many times, and knows in which order."""

    def __init__(self, inconclusive: dict[str, int], outcome: Callable[[str], Verdict] = fine):
        self.left = inconclusive
        self.outcome = outcome
        self.turns: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, alert: str) -> Verdict:
        with self.lock:
            self.turns.append(alert)
            if self.left.get(alert, 0):
                self.left[alert] -= 1
                return busy(alert)
        return self.outcome(alert)


def test_inconclusive_is_played_again_by_itself_when_all_else_is_over(lives: Lives) -> None:
    turns = Turns({"A": 1})
    proof = prove([[found("A"), found("B")], [found("C")]], turns)
    assert outcomes(proof) == dict.fromkeys("ABC", "proven")
    assert turns.turns == ["A", "B", "C", "A"]
    assert proof.results["A"].earlier == ("the machine was overloaded; late",)
    assert proof.results["B"].earlier == ()
    assert {speed for _, speed in lives} == {60}


def test_inconclusive_again_is_played_slower_and_no_more_than_that(lives: Lives) -> None:
    turns = Turns({"A": 2, "B": 99})
    proof = prove([[found("A"), found("B")]], turns)
    assert outcomes(proof) == {"A": "proven", "B": "failed"}
    assert turns.turns == ["A", "B"] * 3
    assert lives[-1][1] == 30, "half the speed"
    assert proof.results["B"].verdict.excuse, "as it was the last time"
    assert len(proof.results["B"].earlier) == 2
    said = proof.results["B"].again
    assert said.startswith("played 3 times, the last time by itself and slower: the machine was")


def test_failure_on_a_machine_that_keeps_up_is_final(lives: Lives) -> None:
    turns = Turns({}, outcome=lambda alert: failed(alert, "labels differ"))
    proof = prove([[found("A")]], turns)
    assert outcomes(proof) == {"A": "failed"}
    assert turns.turns == ["A"]


def test_inconclusive_then_really_failed_has_failed(lives: Lives) -> None:
    turns = Turns({"A": 1}, outcome=lambda alert: failed(alert, "labels differ"))
    proof = prove([[found("A")]], turns)
    assert proof.results["A"].verdict.reason == "labels differ"
    assert turns.turns == ["A", "A"]


def test_inconclusive_keeps_its_own_speed_and_a_faithful_proof_plays_once_more(
    lives: Lives,
) -> None:
    prove([[found("A", 12)]], Turns({"A": 2}))
    assert [speed for _, speed in lives] == [720, 720, 360]
    lives.clear()
    turns = Turns({"B": 99})
    faithful = prove([[found("B")]], turns, speed=1)
    assert turns.turns == ["B", "B"]
    assert outcomes(faithful) == {"B": "failed"}


def test_machine_that_cannot_keep_up_gets_fewer_instances(lives: Lives) -> None:
    both = threading.Barrier(2, timeout=10)
    names: dict[str, str] = {}

    def play(alert: str) -> Verdict:
        if alert in "AB" and alert not in names:
            both.wait()
        first = alert not in names
        names[alert] = threading.current_thread().name
        if alert in "AB" and first:
            both.wait()  # both are inconclusive before anybody takes more
            return busy(alert)
        return fine(alert)

    proof = prove([[found(one)] for one in "ABCDEF"], play, instances=2)
    assert outcomes(proof) == dict.fromkeys("ABCDEF", "proven")
    assert len({names[one] for one in "CDEF"}) == 1


class Routes:
    """Routing cases: the first is inconclusive once."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def prove(self, venue: Venue, only: Sequence[str]) -> list[Result]:
        self.calls.append(list(only))
        first = len(self.calls) == 1
        return [
            Result(verdict=busy(name) if first and name == "routing/a" else fine(name), file="r")
            for name in only
        ]


def test_routing_case_that_is_inconclusive_is_played_again_by_itself(lives: Lives) -> None:
    routes: Any = Routes()
    proof = prove([[found("A")]], fine, routing=routes)
    assert routes.calls == [["routing/a", "routing/b"], ["routing/a"]]
    assert outcomes(proof) == {"routing/a": "proven", "routing/b": "proven", "A": "proven"}
    assert len(proof.results["routing/a"].earlier) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (HostCannot("64 proof instances are running already."), "64 proof instances are running"),
        (RuntimeError("no more locks"), "RuntimeError: no more locks"),
    ],
)
def test_worker_without_a_slot_is_named(
    lives: Lives, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def take(self: object) -> str:
        raise error

    monkeypatch.setattr("scenarios.proof.slots.Slots.take", take)
    proof = prove([[found("A")]], fine)
    assert outcomes(proof) == {"A": "blocked"}
    assert proof.results["A"].verdict.reason.startswith(said)


def test_group_of_a_worker_without_a_slot_is_played_by_another(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, failed_once = Slots.take, threading.Event()

    def sometimes(self: Slots) -> str:
        if not failed_once.is_set():
            failed_once.set()
            raise RuntimeError("no more locks")
        return take(self)

    monkeypatch.setattr("scenarios.proof.slots.Slots.take", sometimes)
    waits = threading.Event()

    def play(alert: str) -> Verdict:
        waits.wait(0.2)  # gives the other worker the time to fail
        return fine(alert)

    proof = prove([[found("A")], [found("B")]], play, instances=2)
    assert outcomes(proof) == dict.fromkeys("AB", "proven")
    assert proof.notes == ["RuntimeError: no more locks"]


def test_worker_that_ends_is_named(lives: Lives, monkeypatch: pytest.MonkeyPatch) -> None:
    give_back, failed_once = Slots.give_back, threading.Event()

    def at_the_second_try(self: Slots, name: str) -> None:
        if not failed_once.is_set():
            failed_once.set()
            raise KeyError(name)
        give_back(self, name)

    monkeypatch.setattr("scenarios.proof.slots.Slots.give_back", at_the_second_try)
    proof = prove([[found("A")]], fine)
    assert proof.troubles == ["a worker of the proof ended: KeyError: 'proof-1'"]


def test_disk_that_is_full_ends_the_proof_without_a_verdict(lives: Lives) -> None:
    def play(alert: str) -> Verdict:
        return Verdict(alert=alert, outcome=Outcome.BLOCKED, reason=FULL)

    proof = prove([[found("A")], [found("B")]], play)
    assert outcomes(proof) == {"A": "blocked", "B": "blocked"}
    assert len(lives) == 1
    assert proof.results["B"].verdict.reason.startswith(FULL)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_folder_that_cannot_be_written_is_no_verdict(lives: Lives, number: int) -> None:
    def play(alert: str) -> Verdict:
        raise OSError(number, os.strerror(number), "/state/x")

    proof = prove([[found("A")], [found("B")]], play)
    assert outcomes(proof) == {"A": "blocked", "B": "blocked"}
    reason = proof.results["A"].verdict.reason
    assert "/state" in reason or "disk of" in reason
    assert "OSError" not in reason
