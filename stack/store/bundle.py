"""An offline bundle: the artifacts of a closure, the part of the lock that pins them, and the
Python wheels, in one archive that is the same on every machine.

Its members are `artifacts/SHA256`, `bundle.json` (system, packages and a digest of the wheels'
names), `lock.toml` (that part of the lock) and `wheels/NAME`.
"""

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from io import BufferedRandom
from pathlib import Path

from stack import progress
from stack.errors import BadInput, HostCannot
from stack.store import archive, requirements
from stack.store import lock as locks
from stack.store.artifacts import artifacts_of, collected
from stack.store.derivation import Derivation
from stack.store.fetch import alone_with
from stack.store.lock import Lock
from stack.store.packageset import PackageSet, closures, obtain

ARTIFACTS = "artifacts/"
LOCK = "lock.toml"


def gathered(
    names: list[str],
    wheels: list[Path],
    report: progress.Progress,
    package_set: PackageSet,
) -> dict[str, Path | bytes]:
    """The members of the bundle of some packages and what they need; what is not in the cache is
    fetched. All available packages but those on demand, if none is named. Raises LabError: see
    `Fetcher.fetch`.
    """
    lock = package_set.pinned()
    derivations = closures(names or _all(package_set, report), package_set.derivations(lock))
    artifacts = collected(artifacts_of(derivations.values()), package_set.store(lock), report)
    return {
        **described(derivations, lock, requirements.digest(wheel.name for wheel in wheels)),
        **{f"{ARTIFACTS}{artifact.sha256}": at for artifact, at in artifacts.items()},
        **{f"{requirements.WHEELS}{wheel.name}": wheel for wheel in wheels},
    }


def write(contents: Mapping[str, Path | bytes], file: Path, report: progress.Progress) -> int:
    """Write a bundle; returns its size in bytes.

    Raises LabError, and then what stood there before still does.
    """
    total = sum(len(c) if isinstance(c, bytes) else c.stat().st_size for c in contents.values())
    report.begin(file.name, total)
    with aside(file, total) as made:
        size = archive.write(made, contents, lambda count: report.advance(file.name, count))
    report.end(file.name)
    return size


def described(derivations: Mapping[str, Derivation], lock: Lock, wheels: str) -> dict[str, bytes]:
    """The members that say what a bundle of these derivations is: label and part of the lock.

    `wheels` is the digest of its wheels' names.
    """
    (system,) = {derivation.system for derivation in derivations.values()}
    label = {"packages": sorted(derivations), "system": system, "wheels": wheels}
    outputs = {
        (system, name): each.output for name, each in derivations.items() if each.output is not None
    }
    part = replace(lock, artifacts=artifacts_of(derivations.values()), outputs=outputs)
    return {
        requirements.LABEL: f"{json.dumps(label, sort_keys=True)}\n".encode(),
        LOCK: locks.text(part).encode(),
    }


def _all(package_set: PackageSet, report: progress.Progress) -> list[str]:
    """All packages but those on demand, and the optional ones that are not available."""
    names = []
    for package in package_set.recipes():
        if package.on_demand:
            continue
        missing = obtain([package.name], package_set, report) if package.optional else None
        if missing is None:
            names.append(package.name)
        else:
            report.say(f"{package.name} left out: {missing}")
    return names


def target(file: Path, name: str) -> Path:
    """Where to write: `file`, or `name` in it if it is a folder. Raises BadInput if something else
    than a bundle is there."""
    if file.is_dir():
        file /= name
    if file.exists() and not (file.is_file() and archive.starts_like_one(file)):
        raise BadInput(
            f"`{file}` exists and is not a bundle; it was left as it is",
            cure="Name another file with `--output`.",
        )
    return file


@contextmanager
def aside(file: Path, size: int = 0) -> Iterator[BufferedRandom]:
    """A file to write to that takes the place of `file` when the block ends well.

    `size`, in bytes, is for messages. Raises LabError if it cannot be written.
    """
    if not file.parent.is_dir():
        raise BadInput(f"there is no folder `{file.parent}`", cure="Make it, or name another one.")
    part = file.with_name(f".{file.name}.part")
    try:
        with alone_with(part) as made:
            try:
                made.truncate(0)
                yield made
                made.flush()
                os.fsync(made.fileno())
                part.chmod(0o644)
                part.replace(file)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        needed = f" ({size} bytes are needed)" if full and size else ""
        raise HostCannot(
            f"`{file}` cannot be written: {error.strerror}{needed}",
            cure="Name a file in another folder with `--output`.",
        ) from error
