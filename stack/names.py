"""Names that people type: what they mean, by name, group or pattern, and what comes nearest."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from stack.errors import BadInput

_ALIKE = 0.6
_MOST = 3
_LISTED = 20


def near(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of the known names, the nearest first: those that hold it, then those alike."""
    by_lower = {one.lower(): one for one in known}
    lower = name.lower()
    holding = sorted((one for one in by_lower if lower and lower in one), key=len)
    alike = get_close_matches(lower, by_lower, n=_MOST, cutoff=_ALIKE)
    return [by_lower[one] for one in dict.fromkeys([*holding, *alike])][:_MOST]


def meant(name: str, known: Iterable[str]) -> str:
    """`Did you mean …?` with the nearest names; empty when none comes near."""
    return _mean(near(name, known))


def choose(
    given: Sequence[str],
    known: Collection[str],
    *,
    what: str,
    groups: Mapping[str, Collection[str]] | None = None,
    see: str = "",
) -> list[str]:
    """The known names that are given: by name in any case, as a group of names, or as a pattern
    such as `Disk*`. In the order in which they are given, each once.

    `what` is what one of them is called, `see` where they can be seen. Raises BadInput with the
    nearest names when one is none of these.
    """
    groups = groups or {}
    by_lower = {one.lower(): [one] for one in known}
    by_lower = {one.lower(): list(names) for one, names in groups.items()} | by_lower
    found: list[str] = []
    unknown: list[str] = []
    for name in given:
        lower = name.lower()
        if re.search(r"[*?\[]", name):
            these = [one for one in known if fnmatchcase(one.lower(), lower)]
        else:
            these = by_lower.get(lower, [])
        found += these
        unknown += [] if these else [name]
    if unknown:
        raise _unknown(unknown, [*known, *groups], what, see)
    return list(dict.fromkeys(found))


def _unknown(names: Sequence[str], known: Collection[str], what: str, see: str) -> BadInput:
    said = ", nor ".join(f"`{name}`" for name in names)
    known = list(dict.fromkeys(known))
    nearest = dict.fromkeys(one for name in names for one in near(name.strip("*?"), known))
    cures = [_mean(list(nearest)), see]
    if not any(cures):
        more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
        cures = [f"There are {', '.join(known[:_LISTED]) or 'none'}{more}."]
    return BadInput(f"there is no {what} {said}.", cure=" ".join(filter(None, cures)))


def _mean(names: Sequence[str]) -> str:
    *most, last = names or [""]
    return f"Did you mean {', '.join(most)}{' or ' if most else ''}{last}?" if names else ""
