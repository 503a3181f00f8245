"""Groups on instances: who plays what, and what one that goes wrong costs the others."""

import io
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
from scenarios.proof.play import Played, Venue
from scenarios.proof.scenario import Scenario, Traffic, slack
from scenarios.proof.verdict import Outcome, Verdict, failed
from scenarios.proof.workers import Workers
from stack.errors import BadInput, HostCannot

Lives = list[tuple[str, float]]


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
    monkeypatch: pytest.MonkeyPatch, groups: Sequence[list[ScenarioFile]],
    play: Callable[[str], Verdict], instances: int = 1,
) -> Workers:  # fmt: skip
    def played(group: Sequence[ScenarioFile], venue: Venue) -> dict[str, Played]:
        return {one.scenario.alert: Played(verdict=play(one.scenario.alert)) for one in group}

    monkeypatch.setattr(workers, "play", played)
    proof = Workers(speed=60, keep=False, config_root=Path(), folder=Path(), file=io.StringIO(),
                    tell=lambda progress: None, stop=threading.Event())  # fmt: skip
    proof.run(groups, instances)
    return proof


def fine(alert: str) -> Verdict:
    return Verdict(alert=alert, outcome=Outcome.PROVEN, reason="")


def outcomes(proof: Workers) -> dict[str, str]:
    return {name: str(one.outcome) for name, one in proof.results.items()}


def test_instance_plays_one_group_after_another(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = prove(monkeypatch, [[found("A"), found("B")], [found("C")]], fine)
    assert outcomes(proof) == dict.fromkeys("ABC", "proven")
    assert lives == [("proof-1", 60)]


def test_each_speed_has_instances_of_its_own(lives: Lives, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [[found("A")], [found("B", 12)], [found("C")], [found("D", 12)]]
    proof = prove(monkeypatch, groups, fine)
    assert outcomes(proof) == dict.fromkeys("ACBD", "proven")
    assert lives == [("proof-1", 60), ("proof-1", 720)]


def test_one_instance_plays_all_groups_of_a_speed_of_their_own(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=10)

    def play(alert: str) -> Verdict:
        if alert in "AB":
            both.wait()  # the other worker is at work as well, and leaves C alone
        return fine(alert)

    proof = prove(monkeypatch, [[found("A", 90)], [found("C", 90)], [found("B")]], play, 2)
    assert outcomes(proof) == dict.fromkeys("ABC", "proven")
    assert sorted(speed for _, speed in lives) == [60, 5400]


def test_instance_that_is_no_longer_as_new_is_replaced(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a fault could not be undone."""
    proof = prove(monkeypatch, [[found("A")], [found("B")]],
                  lambda alert: failed("A", "stuck") if alert == "A" else fine(alert))  # fmt: skip
    assert outcomes(proof) == {"A": "failed", "B": "proven"}
    assert len(lives) == 2


def test_what_raises_is_named_and_the_others_go_on(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(alert: str) -> Verdict:
        if alert == "A":
            raise ZeroDivisionError("division by zero")
        return fine(alert)

    proof = prove(monkeypatch, [[found("A"), found("A2")], [found("B")]], play)
    assert outcomes(proof) == {"A": "failed", "A2": "failed", "B": "proven"}
    reason = "instance `proof-1`: ZeroDivisionError: division by zero"
    assert proof.results["A"].verdict.reason == reason
    assert not proof.errors


def test_what_raises_in_a_later_group_is_named(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(alert: str) -> Verdict:
        if alert == "B":
            raise OSError("gone")
        return fine(alert)

    proof = prove(monkeypatch, [[found("A")], [found("B")], [found("C")]], play)
    assert outcomes(proof) == {"A": "proven", "B": "failed", "C": "proven"}
    assert proof.results["B"].verdict.reason == "instance `proof-1`: OSError: gone"


def test_configuration_that_no_instance_can_use_ends_the_proof(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(alert: str) -> Verdict:
        raise BadInput("cannot be scaled")

    proof = prove(monkeypatch, [[found("A")], [found("B")]], play)
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

    proof = prove(monkeypatch, [[found("A")], [replace(found("B"))]], play, instances=2)
    assert outcomes(proof) == {"A": "proven", "B": "proven"}
    assert proof.notes == ["no memory"]
