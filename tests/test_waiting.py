"""The helper that all waiting tests rely on."""

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
