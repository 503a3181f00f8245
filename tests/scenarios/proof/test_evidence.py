"""Evidence on disk is there as it happens, and can be read back."""

import threading
from pathlib import Path

import pytest

from scenarios.proof.evidence import (
    AlertState,
    Event,
    Evidence,
    FaultStep,
    Notification,
    from_line,
    read,
    to_line,
)

EVENTS = [
    AlertState(at=1.5, instance="i", alert="A", labels={"severity": "x"}, state="pending",
               active_at=1.0),
    Notification(at=2.0, id=1, channel="slack", destination="#a", kind="firing", alerts=("A", "B"),
                 subject="[FIRING:2] A", problems=("too long",)),
    FaultStep(at=3.0, scenario="A", step="injected"),
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_event_survives_a_line(event: Event) -> None:
    assert from_line(to_line(event)) == event


def test_evidence_is_on_disk_before_the_next_event(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    with path.open("w") as file:
        evidence = Evidence(instance="i", file=file, lock=threading.Lock())
        for count, event in enumerate(EVENTS, start=1):
            evidence.add(event)
            assert list(read(path)) == EVENTS[:count]


def test_evidence_cut_short_is_read_up_to_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_text(to_line(EVENTS[0]) + "\n" + to_line(EVENTS[1])[:40])
    assert list(read(path)) == EVENTS[:1]


@pytest.mark.parametrize(
    "line",
    ["{}", "5", "[" * 20_000, '{"kind_of_event": {}}', '{"kind_of_event": "Gate", "at": 1}',
     to_line(EVENTS[2]).replace('"step"', '"steps"'), to_line(EVENTS[0]).replace("1.5", '"1.5"'),
     to_line(EVENTS[1]).replace('"B"', "7")],
)  # fmt: skip
def test_line_that_is_no_event_ends_what_is_read(tmp_path: Path, line: str) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_bytes(f"{to_line(EVENTS[0])}\n{line}\n".encode() + b"\xff\n")
    assert list(read(path)) == EVENTS[:1]
    with pytest.raises(ValueError, match=r"event|levels|is "):
        from_line(line)


def test_evidence_gives_a_scenario_its_own_and_the_instances_events(tmp_path: Path) -> None:
    with (tmp_path / "e").open("w") as file:
        evidence = Evidence(instance="i", file=file, lock=threading.Lock())
        for event in (*EVENTS, FaultStep(at=4, scenario="B", step="injected")):
            evidence.add(event)
    assert evidence.of("A") == tuple(EVENTS)
