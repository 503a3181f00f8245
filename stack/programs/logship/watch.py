"""Which files exist: scans folders for what is new, renamed, truncated or deleted."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path

from stack.programs.logfmt import say
from stack.programs.logship.patterns import is_one_of, of_target
from stack.programs.logship.positions import Position
from stack.programs.logship.settings import Settings, Target
from stack.programs.logship.trail import Found, Trail, siblings


class Watch:
    """Raises BadInput for a pattern that the lab's shipper does not support."""

    def __init__(self, settings: Settings, known: list[Position]) -> None:
        self.trails: dict[tuple[str, str], Trail] = {}
        self._settings = settings
        self._known = known
        self._patterns = [(target, *of_target(target)) for target in settings.targets]
        self._folders = {path.parent for _, paths, _ in self._patterns for path in paths}
        self._seen: dict[Path, dict[str, int]] = {}
        self._due = 0.0
        self._said: set[str] = set()

    def look(self, now: float) -> None:
        """Find what is new. `now` is in seconds of a monotonic clock."""
        seen = {folder: _names(folder) for folder in self._folders}
        cut = any(tail.has_lost() for trail in self.trails.values() for tail in trail.tails)
        if seen == self._seen and not cut and now < self._due:
            return
        self._seen, self._due = seen, now + self._settings.sync_s
        for target, paths, excluded in self._patterns:
            for path in self._matching(paths, excluded):
                self._update(target, path, now)

    def positions(self) -> list[Position]:
        """Of all files that a later run could open again."""
        trails = (each for trail in self.trails.values() for each in trail.positions())
        return [*trails, *self._known]

    def _matching(self, paths: list[Path], excluded: list[Path]) -> Iterator[Path]:
        """Names that exist, and those that did: their rotated files may still be unread."""
        for path in paths:
            names = set(self._seen[path.parent])
            names |= {Path(p).name for _, p in self.trails if Path(p).parent == path.parent}
            names |= {Path(k.path).name for k in self._known if Path(k.path).parent == path.parent}
            for name in sorted(names):
                found = path.with_name(name)
                if fnmatchcase(name, path.name) and not is_one_of(found, excluded):
                    yield found

    def _update(self, target: Target, path: Path, now: float) -> None:
        key = (target.job, str(path))
        trail = self.trails.get(key)
        if trail is None:
            mine = [each for each in self._known if (each.job, each.path) == key]
            self._known = [each for each in self._known if (each.job, each.path) != key]
            trail = self.trails[key] = Trail(
                target, path, max_line_bytes=self._settings.max_line_bytes, known=mine
            )
        names = siblings(path, list(self._seen[path.parent]))
        with ExitStack() as opened:
            rotated = [f for name in names if (f := self._found(path.with_name(name), opened))]
            trail.find_replaced(rotated)
            trail.update(self._found(path, opened), rotated, now)

    def _found(self, path: Path, opened: ExitStack) -> Found | None:
        """None if there is no file, or it cannot be read."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain(f"{path}: {error.strerror}")
            return None
        opened.callback(os.close, fd)
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            return None
        return Found(
            path=path, fd=fd, inode=info.st_ino, size=info.st_size, changed_ns=info.st_mtime_ns
        )

    def _complain(self, problem: str) -> None:
        if problem not in self._said:
            self._said.add(problem)
            say("error", "promtail", "file cannot be read", problem=problem)


def _names(folder: Path) -> dict[str, int]:
    """Name -> inode of what is in a folder; empty if there is none."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.inode() for entry in entries}
    except OSError:
        return {}
