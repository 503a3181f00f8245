"""What one group of scenarios leaves behind for the next one on the same instance."""

import time
from types import SimpleNamespace
from typing import Any

from scenarios.proof.catalogue import find
from scenarios.proof.play import RESOLVED_KEPT_S, group_mates
from stack.check.configuration import read
from stack.paths import CONFIG_ROOT

SCENARIOS = {one.scenario.alert: one.scenario for one in find()}
SCENARIO, WATCHDOG = SCENARIOS["ContainerDown"], SCENARIOS["Watchdog"]
INBOX = (
    "ContainerDown",
    (("name", "inbox"), ("severity", "critical"), ("team", "infrastructure")),
)
OTHER = ("TargetDown", INBOX[1])


def venue(**fired: Any) -> Any:
    return SimpleNamespace(configuration=read(CONFIG_ROOT), **fired)


def test_alert_that_fired_before_keeps_the_notification_group_alive() -> None:
    now = time.time()
    assert group_mates(SCENARIO, venue(fired={INBOX: now, OTHER: now})) == [INBOX]


def test_group_ends_once_prometheus_no_longer_sends_what_has_ended() -> None:
    assert group_mates(SCENARIO, venue(fired={INBOX: time.time() - RESOLVED_KEPT_S})) == []


def test_alert_that_always_fires_joins_nothing() -> None:
    key = (WATCHDOG.alert, tuple(WATCHDOG.labels.items()))
    assert group_mates(WATCHDOG, venue(fired={key: time.time()})) == []
