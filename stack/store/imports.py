"""Imports what was carried here by hand: an offline bundle, or one downloaded artifact.

Trust comes from the checkout's lock alone. All of a file is checked before anything of it is kept.
"""

import hashlib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from stack import progress
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.store import requirements
from stack.store.archive import Archive
from stack.store.artifact import Artifact
from stack.store.artifacts import artifacts_of
from stack.store.bundle import ARTIFACTS, LOCK, described
from stack.store.derivation import Derivation, host_system
from stack.store.disk import make_folder, unusable
from stack.store.fetch import alone_with, is_good
from stack.store.lock import Lock
from stack.store.packageset import PackageSet, closures, realise

_CHUNK_BYTES = 1 << 20
_LOCK_BYTES = 1 << 22


def import_bundle(
    file: Path, report: progress.Progress, package_set: PackageSet
) -> tuple[dict[str, Path], int]:
    """Check a bundle against the lock, keep its artifacts, and realise its packages without any
    network. Returns their store paths and how many of the artifacts were not here before.

    Raises BadInput for a bundle that is damaged, hostile or made from another lock, HostCannot for
    one for another system or if the cache cannot be written; then nothing of it was kept.
    """
    lock = package_set.pinned()
    with file.open("rb") as opened:
        archive = Archive(opened, file.name)
        derivations = _derivations(archive, lock, package_set)
        pinned = {f"{ARTIFACTS}{a.sha256}": a for a in artifacts_of(derivations.values())}
        report.begin(file.name, sum(artifact.size for artifact in pinned.values()))
        _check(archive, pinned, report)
        new = sum(
            keep(artifact, archive.chunks(archive.members[name]), package_set.store(lock).artifacts)
            for name, artifact in pinned.items()
        )
        report.end(file.name)
    return realise(derivations, replace(package_set, mirrors=(), registries=()), report), new


def import_artifact(file: Path, package_set: PackageSet) -> tuple[Artifact, bool]:
    """Keep one downloaded file that the lock knows by its hash; which artifact it is, and whether
    it was not here before.

    Raises BadInput for any other file and names what the lock knows by such a name.
    """
    lock = package_set.pinned()
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    known = next((each for each in lock.artifacts if each.sha256 == sha256), None)
    if known is None:
        raise _unknown(file, sha256, lock)
    return known, keep(known, _chunks(file), package_set.store(lock).artifacts)


def keep(artifact: Artifact, content: Iterable[bytes], folder: Path) -> bool:
    """Put an artifact's content into the cache under its hash; false if it was there already.

    Safe beside other users of the cache. Raises CheckFailed for another content than the lock
    wants, HostCannot if the cache cannot be written.
    """
    final = folder / artifact.sha256
    part = folder / f"{artifact.sha256}.part"
    try:
        if is_good(final, artifact):
            return False
        make_folder(folder)
        with alone_with(part) as file:
            try:
                file.truncate(0)
                digest = hashlib.sha256()
                for chunk in content:
                    digest.update(chunk)
                    file.write(chunk)
                if digest.hexdigest() != artifact.sha256:
                    raise CheckFailed(
                        f"`{artifact}` changed while it was read", cure="Repeat the command."
                    )
                file.flush()
                os.fsync(file.fileno())
                part.chmod(0o644)
                part.replace(final)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise unusable(error, folder, artifact.size) from error
    return True


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            yield chunk


def _derivations(archive: Archive, lock: Lock, package_set: PackageSet) -> dict[str, Derivation]:
    """What the bundle is for, by the checkout's recipes and lock. Raises unless both agree."""
    said = requirements.label(archive)
    packages, system = _label(archive, said)
    here = package_set.system or host_system()
    if system != here:
        raise HostCannot(
            f"`{archive.name}` is for {system}, this machine is {here}",
            cure="Make the bundle on a machine of this kind.",
        )
    known = package_set.derivations(lock)
    if strange := sorted(packages - set(known)):
        raise archive.refused([f"the checkout has no package `{name}`" for name in strange])
    derivations = closures(sorted(packages), known)
    for name, wanted in described(derivations, lock, str(said.get("wheels"))).items():
        found = _small(archive, name)
        if found != wanted:
            damaged = [f"its `{name}` is damaged"]
            raise archive.refused(_differences(wanted, found) if name == LOCK else damaged)
    return derivations


def _small(archive: Archive, name: str) -> bytes:
    """The content of a member other than an artifact. Raises BadInput if absent or too large."""
    member = archive.members.get(name)
    if member is None:
        raise archive.refused([f"it contains no `{name}`"])
    if member.size > _LOCK_BYTES:
        raise archive.refused([f"its `{name}` is larger than {_LOCK_BYTES} bytes"])
    return b"".join(archive.chunks(member))


def _label(archive: Archive, said: Mapping[str, object]) -> tuple[set[str], str]:
    packages, system = said.get("packages"), said.get("system")
    if isinstance(packages, list) and packages and isinstance(system, str):
        return set(map(str, packages)), system
    raise archive.refused([f"its `{requirements.LABEL}` is damaged"])


def _differences(wanted: bytes, found: bytes) -> list[str]:
    """How the lock in a bundle differs from the checkout's, in the artifacts if they do."""
    try:
        theirs, ours = _versions(found), _versions(wanted)
    except (ValueError, KeyError, TypeError, RecursionError):
        return [f"its `{LOCK}` is damaged"]
    said = [
        f"{name}: {theirs.get(name, 'missing')}, the checkout's lock expects "
        f"{ours.get(name, 'none of it')}"
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    ]
    return [*said, "it was made from a lock other than the checkout's, or its lock is damaged"]


def _versions(lock: bytes) -> dict[str, str]:
    return {
        f"{artifact['name']} ({artifact['architecture']})": f"{artifact['version']} "
        f"{artifact['sha256'][:12]}"
        for artifact in tomllib.loads(lock.decode())["artifact"]
    }


def _check(archive: Archive, pinned: Mapping[str, Artifact], report: progress.Progress) -> None:
    """Every member must be pinned, and every pinned artifact be there and as it is pinned."""
    problems = [
        f"`{name}` does not belong in a bundle of these packages"
        for name in archive.members
        if name not in pinned
        and name not in (requirements.LABEL, LOCK)
        and not name.startswith(requirements.WHEELS)
    ]
    for name, artifact in pinned.items():
        member = archive.members.get(name)
        if member is None:
            problems.append(f"`{artifact}` is missing")
        elif artifact.size and member.size != artifact.size:
            problems.append(f"`{artifact}` has {member.size} bytes instead of {artifact.size}")
        elif (found := archive.sha256(member)) != artifact.sha256:
            problems.append(f"`{artifact}` has SHA-256 {found}, the lock expects {artifact.sha256}")
        else:
            report.advance(archive.name, member.size)
    if problems:
        raise archive.refused(problems)
    requirements.check_wheels(archive)


def _unknown(file: Path, sha256: str, lock: Lock) -> BadInput:
    size = file.stat().st_size
    alike = [
        f"\n    {each}: {each.sha256}" + (f", {each.size} bytes" if each.size else "")
        for each in lock.artifacts
        if PurePosixPath(each.path).name == file.name or file.name.startswith(each.name)
    ]
    of_that_name = "".join(alike) or " nothing"
    return BadInput(
        f"`{file.name}` ({size} bytes) has SHA-256 {sha256}, which is not in "
        f"`{lock.file.name}`. Under such a name it has:{of_that_name}",
        cure="Nothing was kept. Download it again; it must be the version that the lock pins.",
    )
