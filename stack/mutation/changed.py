"""Which lines of a configuration differ from what the branch began with, by git."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.errors import BadInput, HostCannot
from stack.mutation.mutant import Mutant

_MAIN = ("origin/HEAD", "origin/main", "main", "origin/master", "master")
_FILE = re.compile(r"^\+\+\+ b/(.+)$")
_PART = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_TIMEOUT_S = 60


@dataclass(frozen=True, kw_only=True)
class Changed:
    """By file, from the configuration's root, the lines that are new."""

    since: str
    """The commit, as people call it."""
    lines: Mapping[Path, frozenset[int]]

    def has(self, mutant: Mutant) -> bool:
        """Whether what it is made to has changed."""
        first, last = mutant.of or (mutant.line, mutant.line)
        return any(first <= one <= last for one in self.lines.get(mutant.path, ()))


def changed(root: Path) -> Changed:
    """Since the branch left the main one; on that, since the last commit.

    Raises BadInput where there is no git repository, HostCannot where there is no git.
    """
    main = next((one for one in _MAIN if _git(root, "rev-parse", "-q", "--verify", one)), "HEAD")
    base = _git(root, "merge-base", "HEAD", main).strip() or "HEAD"
    if not _git(root, "rev-parse", "-q", "--verify", "HEAD"):
        raise BadInput(f"`{root}` is in no git repository, so nothing says what has changed.",
                       cure="Leave out --changed.")  # fmt: skip
    said = _git(root, "diff", "--unified=0", "--relative", "--no-ext-diff", base, "--", ".")
    lines: dict[Path, set[int]] = {}
    at: set[int] = set()
    for row in said.splitlines():
        if match := _FILE.match(row):
            at = lines.setdefault(Path(match[1]), set())
        elif match := _PART.match(row):
            first, count = int(match[1]), int(match[2] or 1)
            # Where lines are gone, what was around them has changed.
            at.update(range(first, first + count) if count else (first, first + 1))
    for path in _git(root, "ls-files", "--others", "--exclude-standard").splitlines():
        lines[Path(path)] = set(range(1, len((root / path).read_bytes().splitlines()) + 1))
    since = "the last commit" if base == _git(root, "rev-parse", "HEAD").strip() else base[:12]
    return Changed(since=since, lines={path: frozenset(found) for path, found in lines.items()})


def _git(root: Path, *arguments: str) -> str:
    """What it says; "" when it fails."""
    try:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True,
                              timeout=_TIMEOUT_S, check=False)  # fmt: skip
    except FileNotFoundError:
        raise HostCannot("git is not installed, and only it can say what has changed.",
                         cure="Install it, or leave out --changed.") from None  # fmt: skip
    return done.stdout if done.returncode == 0 else ""
