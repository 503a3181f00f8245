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
