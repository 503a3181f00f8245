"""What a routing case claims, on messages made by hand."""

import io
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from scenarios.proof.evidence import Evidence, Full, Notification
from scenarios.routing.bench import Bench, Broken, NoRoom
from scenarios.routing.poster import Posted
from stack.check.configuration import read
from stack.paths import CONFIG_ROOT


class Desk:
    """A bench whose Alertmanager takes everything and whose inbox is filled by hand."""

    def __init__(self) -> None:
        self.evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
        poster: Any = SimpleNamespace(
            fire=lambda alert: None, heal=lambda *_: time.time(), trouble=""
        )
        # The watcher is always ahead, so that quiet is seen at once.
        watcher: Any = SimpleNamespace(until=float("inf"))
        self.bench = Bench(
            name="routing/any", instance=SimpleNamespace(name="i"),  # type: ignore[arg-type]
            evidence=self.evidence, watcher=watcher, poster=poster,
            configuration=read(CONFIG_ROOT), stop=threading.Event(), tell=lambda what: None,
        )  # fmt: skip
        self._id = 0

    def arrives(self, alert: Posted, channel: str, where: str, **given: Any) -> None:
        """By default just when the group has waited."""
        self._id += 1
        fields: dict[str, Any] = {"at": alert.at + 30.0, "kind": "firing", "answer": 200} | given
        self.evidence.add(
            Notification(
                id=self._id, channel=channel, destination=where, alerts=(alert.name,),
                subject=f"[FIRING:1] {alert.name} - {alert.mark}", **fields,
            )
        )  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def told(desk: Desk, **given: Any) -> Posted:
    """A warning for the database team, heard on both its channels."""
    alert = desk.bench.fire("Any", "warning", "database")
    desk.arrives(alert, "slack", "#alerts-database", **given)
    desk.arrives(alert, "email", "database@residency.example")
    return alert


def test_bench_is_content_with_each_destination_once(desk: Desk) -> None:
    desk.bench.hears(told(desk))
    desk.bench.quiet()
    assert [link.name for link in desk.bench.links] == ["Any firing", "quiet"]


@pytest.mark.parametrize(
    ("stray", "said"),
    [
        (("slack", "#alerts-database"), "Slack #alerts-database: firing notification"),
        (("pagerduty", "on-call"), "PagerDuty on-call: firing notification"),
    ],
    ids=["twice", "elsewhere"],
)
def test_bench_tells_of_what_nobody_wanted(desk: Desk, stray: tuple[str, str], said: str) -> None:
    alert = told(desk)
    desk.arrives(alert, *stray)
    desk.bench.hears(alert)
    with pytest.raises(Broken, match=said):
        desk.bench.quiet()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"at": time.time() + 9000}, "expected between 30"),
        ({"at": time.time()}, "expected between 30"),
        ({"problems": ("no fallback",)}, "is malformed: no fallback"),
    ],
    ids=["late", "early", "malformed"],
)
def test_bench_names_what_is_wrong_with_a_message(
    desk: Desk, given: dict[str, Any], said: str
) -> None:
    alert = told(desk, **given)
    with pytest.raises(Broken, match=said):
        desk.bench.hears(alert)


def test_bench_wants_every_name(desk: Desk) -> None:
    alert = told(desk, body="host-1 and host-10")
    with pytest.raises(Broken, match="does not name host-2"):
        desk.bench.hears(alert, naming=["host-1", "host-2"])


def test_bench_takes_no_message_that_was_refused(desk: Desk) -> None:
    alert = desk.bench.fire("Any", "info", "database")
    desk.arrives(alert, "slack", "#alerts-database", answer=500)
    with pytest.raises(Broken, match="Slack #alerts-database: 1 firing notification of Any"):
        desk.bench.hears(alert, within_s=-2.0)


def test_configuration_of_the_checkout_is_what_the_bench_derives_from(desk: Desk) -> None:
    route = desk.bench.route(desk.bench.fire("Any", "critical"))
    assert (route.group_wait_s, route.group_interval_s) == (30.0, 300.0)


def test_bench_says_that_the_alerts_no_longer_reach_alertmanager(desk: Desk) -> None:
    desk.bench.poster.trouble = "Alertmanager refused the alerts with 500: oh"
    with pytest.raises(Broken, match="Alertmanager refused the alerts with 500: oh"):
        desk.bench.hears(desk.bench.fire("Any", "info", "database"))


def test_bench_claims_nothing_on_a_full_disk(desk: Desk) -> None:
    desk.evidence.add(Full(at=time.time(), what="no room is left"))
    with pytest.raises(NoRoom, match="no room is left"):
        desk.bench.hears(desk.bench.fire("Any", "info", "database"))


def test_limits_of_a_bench_are_held_against_a_clock_that_nobody_sets(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([False, False, True])
    real, ahead = time.time, iter(range(0, 10**9, 3600))
    clock = SimpleNamespace(time=lambda: real() + next(ahead), monotonic=time.monotonic)
    monkeypatch.setattr("scenarios.routing.bench.time", clock)
    desk.bench.until("three looks", lambda: next(looks), within_s=60)
