"""Which routing cases are played, by the names that people give."""

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from scenarios.proof.evidence import Evidence, Full, Late, Said
from scenarios.proof.play import Venue
from scenarios.proof.verdict import Outcome
from scenarios.routing import run as routing
from scenarios.routing.bench import Bench, Broken, NoRoom
from scenarios.routing.run import RoutingCase
from stack.paths import CONFIG_ROOT


def test_names_are_of_their_own() -> None:
    assert len(set(routing.names())) == len(routing.names())


def test_length_is_that_of_the_waits() -> None:
    assert routing.length_s(60) < 40
    assert routing.length_s(1) == 4 * 3600


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venue:
    """Without a watcher, and with posters that post nothing."""

    @contextmanager
    def nobody(*_: object, **__: object) -> Iterator[Any]:
        yield SimpleNamespace(strayed=0.0, fired={})

    monkeypatch.setattr(routing, "Watcher", nobody)
    monkeypatch.setattr(routing, "Poster", nobody)
    layout = SimpleNamespace(config_root=CONFIG_ROOT)
    instance = SimpleNamespace(
        name="i", hash="h", speed=60, url=lambda service: "http://i", layout=layout
    )
    given: Any = {"instance": instance, "configuration": None, "crew": None}
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    return Venue(evidence=evidence, stop=threading.Event(), tell=lambda status: None, **given)


def played(
    monkeypatch: pytest.MonkeyPatch, venue: Venue, error: BaseException | None, *seen: type
) -> routing.Result:
    def play(bench: Bench) -> None:
        for kind in seen:
            given: Any = {
                Late: {"what": "look", "gap_s": 9, "wanted_s": 0.2},
                Said: {"source": "alertmanager", "about": "notify", "of": "slack", "text": "oh"},
                Full: {"what": "no room is left"},
            }[kind]
            bench.evidence.add(kind(at=time.time(), **given))
        if error:
            raise error

    monkeypatch.setattr(routing, "CASES", (RoutingCase(name="routing/a", play=play),))
    (result,) = routing.prove(venue, ["routing/a"])
    return result


def test_case_whose_own_thread_fails_is_named_and_the_others_are_played(
    monkeypatch: pytest.MonkeyPatch, venue: Venue
) -> None:
    """As when a second Alertmanager cannot be written."""

    def bench(self: object, case: RoutingCase, *_: object) -> Any:
        if case.name == "routing/a":
            raise PermissionError(13, "Permission denied", "/state")
        return SimpleNamespace(links=[], zero=1.0, own=list)

    monkeypatch.setattr("scenarios.routing.run._Player._bench", bench)
    cases = [RoutingCase(name=name, play=lambda bench: None) for name in ("routing/a", "routing/b")]
    monkeypatch.setattr(routing, "CASES", tuple(cases))
    found = routing.prove(venue, ["routing/a", "routing/b"])
    assert [str(one.outcome) for one in found] == ["failed", "proven"]
    assert found[0].verdict.reason == "PermissionError: [Errno 13] Permission denied: '/state'"


def test_case_that_fails_on_a_busy_machine_is_inconclusive(
    monkeypatch: pytest.MonkeyPatch, venue: Venue
) -> None:
    busy = played(monkeypatch, venue, Broken("got none"), Late).verdict
    assert busy.excuse.startswith("the machine was overloaded: the watcher's looks came late")
    assert busy.reason == f"{busy.excuse}; got none"


def test_case_that_fails_quotes_alertmanager(monkeypatch: pytest.MonkeyPatch, venue: Venue) -> None:
    verdict = played(monkeypatch, venue, Broken("got none"), Said).verdict
    assert verdict.reason == "got none; Alertmanager says: oh"
    assert not verdict.excuse
    assert played(monkeypatch, venue, None, Said, Late).verdict.reason == ""


def test_case_on_a_full_disk_is_blocked(monkeypatch: pytest.MonkeyPatch, venue: Venue) -> None:
    verdict = played(monkeypatch, venue, NoRoom("no room is left")).verdict
    assert (verdict.outcome, verdict.reason) == (Outcome.BLOCKED, "no room is left")
