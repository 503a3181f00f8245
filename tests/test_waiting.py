"""The helper that all waiting tests rely on."""

import re
from pathlib import Path

import pytest

from tests.waiting import eventually


def test_eventually_gives_what_came_true_at_last() -> None:
    answers = iter([0, 0, 7])
    assert eventually(lambda: next(answers), "a number") == 7


def test_eventually_takes_what_raises_for_not_yet() -> None:
    left = [1, 2]

    def check() -> bool:
        assert not left, f"{left.pop()} is left"
        return True

    assert eventually(check)


@pytest.mark.parametrize(
    ("check", "reason"),
    [(list, r"it gave \[\]"), (lambda: {}["port"], "KeyError: 'port'")],
    ids=["falsy", "raises"],
)
def test_eventually_fails_with_the_last_reason(check: object, reason: str) -> None:
    with pytest.raises(AssertionError, match=f"waited 0 s for the port; at last {reason}"):
        eventually(check, "the port", within_s=0)  # type: ignore[arg-type]


BY_HAND = re.compile(r"^ *(?:while|deadline =) .*time\.monotonic\(\)", re.MULTILINE)
OF_ITS_OWN = {
    # Whoever died while it is waited for would never come.
    "deploy/images/test_docker.py", "deploy/daemon.py", "programs/dblink/test_relay.py",
    "programs/inbox/conftest.py", "programs/logstore/conftest.py",
    # It looks as often as it can, so that it misses no state between two.
    "programs/cadvisor/test_exporter.py",
    # A tool, no test.
    "logql/against.py",
    # They go on for so long, and wait for nothing.
    "exhaustion/cases.py",
    "bench/bench_backup.py",
    "run/test_small_disk.py",
}  # fmt: skip


def test_tests_wait_by_the_helper() -> None:
    here = Path(__file__).parent
    found = {str(path.relative_to(here)) for path in here.rglob("*.py")
             if BY_HAND.search(path.read_text())}  # fmt: skip
    assert found == OF_ITS_OWN
