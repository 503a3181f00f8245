"""Names that a mistyped one may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """`Did you mean …?` with the nearest names, else the names that there are."""
    names = sorted(known)
    near = get_close_matches(name, names, n=3)
    if near:
        return f"Did you mean {' or '.join(f'`{one}`' for one in near)}?"
    return f"There are {', '.join(f'`{one}`' for one in names) or 'none'}."


def of_test(outcome: str) -> str:
    """After a unit test of a rule that failed: what may be wrong."""
    if "expected no alert" in outcome or "got no alert" in outcome:
        # It came too soon, too late or not at all: for how long it must be bad decides as well.
        return "Fix the expression, its `for`, or the test, whichever is wrong."
    return "Fix the rule, or the test if the rule is right."
