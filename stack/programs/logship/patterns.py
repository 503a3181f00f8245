"""Which paths a job means: `__path__` and `__path_exclude__`, with braces and wildcards."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

from stack.errors import BadInput
from stack.programs.logship.settings import Target

_BRACES = re.compile(r"(.*?)\{([^{}]*)\}(.*)")


def of_target(target: Target) -> tuple[list[Path], list[Path]]:
    """Patterns of the files and of excluded files, with braces expanded."""
    found = [Path(each) for each in expanded(target.path)]
    for each in found:
        if re.search(r"[*?\[]", str(each.parent)):
            raise BadInput(
                f"job `{target.job}`: `__path__` is `{target.path}`; the lab's shipper "
                "allows patterns only in the last part.",
                cure="Name a single folder.",
            )
    return found, [Path(each) for each in expanded(target.exclude) if each]


def expanded(pattern: str) -> list[str]:
    """`{a,b}.log` as `a.log` and `b.log`."""
    match = _BRACES.fullmatch(pattern)
    if not match:
        return [pattern]
    return [text for each in match[2].split(",") for text in expanded(match[1] + each + match[3])]


def is_one_of(path: Path, excluded: list[Path]) -> bool:
    return any(
        path.parent == each.parent and fnmatchcase(path.name, each.name) for each in excluded
    )
