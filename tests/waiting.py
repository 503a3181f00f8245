"""Waiting for something to come true, in one way for all tests."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

WITHIN_S = 30.0
"""Enough on a machine that is busy with other tests; who waits in vain waits that long."""

EVERY_S = 0.01


def eventually(
    check: Callable[[], Value],
    what: str = "it to come true",
    *,
    within_s: float = WITHIN_S,
    every_s: float = EVERY_S,
) -> Value:
    """What `check` gives as soon as that is true. Until then it may also raise: an assert that does
    not hold yet, a file that is not there. Fails with `what` and the last reason."""
    give_up = time.monotonic() + within_s
    while True:
        try:
            if found := check():
                return found
            reason = f"it gave {found!r}"
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        if time.monotonic() > give_up:
            raise AssertionError(f"waited {within_s:g} s for {what}; at last {reason}")
        time.sleep(every_s)
