"""Where reports lie: a folder for each run, a link to the last one that is finished, and none that
is older than the last so many."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from stack.errors import BadInput
from stack.paths import REPO

KEPT = 20
"""So many of each kind are kept, unless somebody says otherwise."""

_STAMP = "%Y-%m-%dT%H%M%S.%fZ"
_STAMPED = r"\d{4}-\d\d-\d\dT\d{6}\.\d{6}Z"
_PRUNED = ".pruned-"


def reports_dir() -> Path:
    """Folder of all reports: `reports/` of the checkout, unless STACK_REPORTS says another one."""
    return Path(os.environ.get("STACK_REPORTS") or REPO / "reports").absolute()


def check_kept(keep: int) -> None:
    """Raises BadInput."""
    if keep < 1:
        raise BadInput(f"--keep-reports is {keep}, expected 1 or more: the one that is written.")


def stamped(kind: str = "") -> str:
    """The name of the report of a run that begins now: its kind and the time, in UTC."""
    return kind + datetime.now(UTC).strftime(_STAMP)


@contextmanager
def new_folder(reports: Path, kind: str = "") -> Iterator[Path]:
    """A folder for the report of a run that lasts as long as the block. Raises OSError."""
    folder = reports / stamped(kind)
    folder.mkdir(parents=True)
    with held(folder):
        yield folder


@contextmanager
def held(file: Path) -> Iterator[None]:
    """The block still writes to that file or folder: nobody may prune it. Whatever ends this
    process lets go of it."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def make_latest(folder: Path, name: str = "latest") -> None:
    """A link beside it leads there: from one moment to the next, wherever both are moved."""
    link = folder.with_name(f".{name}-{folder.name}")
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(folder.with_name(name))


def prune(reports: Path, keep: int, kind: str = "") -> None:
    """Remove the runs of a kind before the last `keep`, but none that still runs and not the one
    that `latest` leads to.

    Whoever reads one reads on: what is open stays, and under its name it is whole or gone. What
    may not be removed stays.
    """
    name = re.compile(rf"{re.escape(kind)}{_STAMPED}")
    runs: dict[str, list[Path]] = {}
    for one in reports.iterdir():
        if (match := name.match(one.name)) and not one.is_symlink():
            runs.setdefault(match[0], []).append(one)
    latest = (reports / "latest").resolve()
    for run in sorted(runs)[:-keep]:
        if latest not in runs[run] and all(map(_free, runs[run])):
            for one in runs[run]:
                with suppress(OSError):  # somebody else prunes, too, or we may not
                    one.rename(reports / f"{_PRUNED}{one.name}")
    for one in reports.glob(f"{_PRUNED}*"):  # also what somebody who was killed left
        if one.is_dir():
            shutil.rmtree(one, ignore_errors=True)
        else:
            with suppress(OSError):
                one.unlink()


def _free(file: Path) -> bool:
    """Whether nobody holds it."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
