"""`doit health` finds what does not get through, and nothing where all does."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.errors import CheckFailed
from stack.progress import Way, choose
from stack.run import backedup, health
from stack.run.backedup import BackedUp
from stack.run.health import Verdict, findings
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.tasks import instance as tasks
from tests.waiting import eventually

NAME = "healthy"


@pytest.fixture(scope="module")
def stack(state_dir: Path) -> Iterator[Instance]:
    with running(NAME, speed=60.0) as instance:
        eventually(lambda: not bad(instance), "a steady instance", within_s=60)
        yield instance


@pytest.fixture
def stopped(stack: Instance) -> Iterator[Callable[[str], None]]:
    """Stops services; afterwards all is well again."""
    gone: list[str] = []

    def stop(service: str) -> None:
        stack.stop_service(service)
        gone.append(service)

    yield stop
    for service in gone:
        stack.start_service(service)
    eventually(lambda: not bad(stack), "a healthy instance", within_s=60)


def bad(stack: Instance) -> dict[str, str]:
    """Part → what is said of it, of those that are not well."""
    return {one.part: one.said for one in findings(stack) if one.verdict is Verdict.BAD}


def test_all_is_well_part_by_part(stack: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    tasks.health(NAME)
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert {part for part, verdict, _ in lines if verdict == "good"} >= {
        "services", "configuration", "targets", "rules", "notifications", "heartbeat", "logs",
        "disk", "backup",
    }  # fmt: skip
    assert "bad" not in {verdict for _, verdict, _ in lines}


def test_programs_are_told_a_part_a_line(
    stack: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    choose(Way.EVENTS)
    try:
        tasks.health(NAME)
    finally:
        choose(Way.AUTO)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["part"]: one["verdict"] for one in told}["targets"] == "good"


def test_service_that_is_gone_is_named_and_so_is_its_target(
    stack: Instance, stopped: Callable[[str], None]
) -> None:
    stopped("node-exporter")
    eventually(lambda: "`node-exporter` is down" in bad(stack).get("targets", ""), "a target down")
    assert "`node-exporter` does not answer" in bad(stack)["services"]
    with pytest.raises(CheckFailed, match="not well: services, targets") as failed:
        tasks.health(NAME)
    assert "`doit status --instance healthy`" in failed.value.cure


@pytest.mark.nightly
def test_messages_that_arrive_nowhere_are_seen(
    stack: Instance, stopped: Callable[[str], None]
) -> None:
    stopped("inbox")  # the heartbeat is sent all the time
    eventually(lambda: "webhook: about" in bad(stack).get("notifications", ""), within_s=60)


@pytest.mark.nightly
def test_lines_that_nobody_collects_are_seen(
    stack: Instance, stopped: Callable[[str], None]
) -> None:
    stopped("promtail")
    eventually(lambda: "logs" in bad(stack), "nobody to say how far it is", within_s=60)


def test_backup_that_failed_and_one_that_is_too_old_are_bad(stack: Instance) -> None:
    def said_after(told: BackedUp, wanted: str) -> None:
        backedup.tell(stack.layout, told)
        eventually(lambda: wanted in bad(stack).get("backup", ""), wanted)

    try:
        said_after(BackedUp(taken=time.time(), successful=False), "the last attempt failed, the")
        # It lives 60 times faster.
        said_after(BackedUp(taken=time.time() - 26.5 * 60), "the newest is 1d2h3")
    finally:
        backedup.tell(stack.layout, BackedUp())
    eventually(lambda: "backup" not in bad(stack), "nobody expects a backup")


@pytest.mark.nightly
def test_what_cannot_be_asked_is_bad(stack: Instance, stopped: Callable[[str], None]) -> None:
    stopped("prometheus")
    found = bad(stack)
    assert {"targets", "rules", "heartbeat"} <= set(found)
    assert "answers 502" in found["targets"]


GROUP = {
    "name": "late", "interval": 15.0, "lastEvaluation": "2026-01-01T00:00:00.123456789+01:00",
    "rules": [
        {"name": "A", "health": "err", "lastError": "many-to-many"},
        {"name": "B", "health": "ok"},
    ],
}  # fmt: skip


def test_rules_that_fail_or_are_late_are_named() -> None:
    assert [*health._failing([GROUP])] == ["`A` fails: many-to-many"]
    (said,) = health._late([GROUP])
    assert said.startswith("group `late` was not evaluated for ")
    never = {**GROUP, "lastEvaluation": "0001-01-01T00:00:00Z"}
    assert [*health._late([never])] == ["group `late` was not evaluated for inf s"]
