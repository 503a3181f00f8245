"""What a report keeps leads to the evidence of each alert, and to no other."""

from dataclasses import replace
from pathlib import Path

from scenarios.proof import sealing
from scenarios.proof.evidence import Event, TrafficSeen, to_line
from scenarios.proof.kept import Entry
from scenarios.proof.result import Proof
from stack import jsontext
from tests.scenarios.proof.sealed import results

PROVEN = results()[0]
PROOF = Proof(started=0, took_s=1, speed=60, results=[PROVEN], packages={}, folder=Path(),
              interrupted=False)  # fmt: skip
OTHERS = TrafficSeen(at=101, instance="proof-2", scenario="Other", users=1, requests=1, failures=0)


def entry(lines: list[str], events: tuple[Event, ...] = ()) -> Entry:
    """What is kept of one alert, of which these events were seen."""
    proof = replace(PROOF, results=[replace(PROVEN, events=events or PROVEN.events)])
    return jsontext.made(Entry, sealing.entries(proof, lines)[0])


def test_events_lie_between_those_of_others() -> None:
    own = [to_line(event) for event in PROVEN.events]
    other = to_line(OTHERS)
    found = entry([other, own[0], other, *own[1:], other]).events
    assert found
    assert (found.instance, found.count) == ("proof-1", len(own))
    assert (found.first, found.last) == (2, len(own) + 2)


def test_second_try_on_the_same_instance_has_its_own_events() -> None:
    own = [to_line(event) for event in PROVEN.events]
    later = tuple(replace(event, at=event.at + 500) for event in PROVEN.events)
    found = entry(own + [to_line(event) for event in later], later).events
    assert found
    assert (found.first, found.last) == (len(own) + 1, 2 * len(own))


def test_evidence_that_is_not_whole_leads_nowhere() -> None:
    """As on a full disk: rather nothing than something else."""
    own = [to_line(event) for event in PROVEN.events]
    assert entry(own[:-1]).events is None
    assert entry([own[0], own[1][:20], *own[2:]]).events is None
    stranger = to_line(replace(OTHERS, instance="proof-1", scenario=""))
    assert entry([*own[:5], stranger, *own[5:]]).events is None
