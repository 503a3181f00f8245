"""Makes the lock from the distribution's signed metadata.

The suite's InRelease is checked against the distribution's archive keyring, the package index by
the hash in it, each artifact by the hash in the index; then every package is built
for every system, and its tree hash pinned. Whatever fails, the lock stays as it was.
"""

import hashlib
import lzma
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from stack import progress
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import cache_dir
from stack.store import disk, npmlock, tree
from stack.store import lock as locks
from stack.store.artifact import Artifact, Tarball
from stack.store.derivation import SYSTEMS, derive
from stack.store.disk import make_folder, unusable
from stack.store.fetch import Refused, get
from stack.store.guard import in_use
from stack.store.lock import FetchFailed, Lock, Output
from stack.store.mirrors import mirrors
from stack.store.optional import LIMIT_S, remember, unreachable
from stack.store.package import Package
from stack.store.realisation import Store, realise_all

if TYPE_CHECKING:
    from stack.store.packageset import PackageSet

SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

_GPGV_TIMEOUT_S = 30
_HTTP_TIMEOUT_S = 60


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of one artifact or output: `old` is empty for a new one, `new` for a dropped."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what}: {self.old or 'not there'} -> {self.new or 'dropped'}"


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A lock with its outputs, and why those of some optional packages are not pinned:
    `NAME (SYSTEM)` -> reason."""

    lock: Lock
    unpinned: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Repinned(Completed):
    """The lock that was written, and what changed in it."""

    changes: tuple[Change, ...]


def repin(package_set: "PackageSet", keyring: Path = KEYRING) -> Repinned:
    """Write the lock from scratch.

    Raises HostCannot if gpgv, the keyring or a mirror is missing, CheckFailed if a signature or
    hash is wrong, BadInput if the suite lacks a package.
    """
    old = package_set.lock or _previous()
    cache = package_set.cache or cache_dir()
    bases = package_set.mirrors or mirrors(old.snapshot or "99991231T000000Z")
    fresh = pinned(package_set.recipes(), old, bases, keyring)
    made = complete(package_set.recipes(), fresh, bases, cache, package_set.registries)
    new = made.lock
    changes = (*_changes(_artifacts(old), _artifacts(new)), *_changes(_trees(old), _trees(new)))
    if changes or locks.text(old) != locks.text(new):
        write(new)
    return Repinned(lock=new, unpinned=made.unpinned, changes=changes)


def _previous() -> Lock:
    """The lock as it is; an empty one where there is none yet."""
    if locks.LOCK_FILE.exists():
        return locks.load()
    return Lock(suite=SUITE, release="", snapshot="", artifacts=(), outputs={})


def pinned(packages: Iterable[Package], old: Lock, bases: tuple[str, ...], keyring: Path) -> Lock:
    """A lock with artifacts but no outputs. Asks the mirrors one after the other."""
    names = {deb for package in packages for deb in package.debs}
    failures: list[str] = []
    with httpx.Client(timeout=_HTTP_TIMEOUT_S, follow_redirects=True) as client:
        for mirror in bases:
            dists = f"{mirror}/dists/{old.suite}"
            try:
                return _pinned_by(client, dists, names, old, keyring)
            except (httpx.HTTPError, Refused, _Lags) as error:
                failures.append(f"    {dists}: {str(error) or type(error).__name__}")
    raise HostCannot(
        "no mirror has the suite's current metadata:\n" + "\n".join(failures),
        cure="Check the network, or name a Debian mirror in STACK_DEBIAN_MIRROR.",
    )


class _Lags(Exception):
    """A mirror's metadata is well signed but old: it lags, or somebody plays back the past."""


def _pinned_by(client: httpx.Client, dists: str, names: set[str], old: Lock, keyring: Path) -> Lock:
    signed = get(client, f"{dists}/InRelease")
    release = verified(signed, keyring)
    snapshot = _snapshot(_field(release, "Date"))
    if snapshot < old.snapshot:
        raise _Lags("older than what the lock pins")
    artifacts = [
        artifact
        for system in SYSTEMS.values()
        for artifact in _from_index(client, dists, release, system, names)
    ]
    return replace(
        old,
        release=_field(release, "Version"),
        snapshot=snapshot,
        # What is for all architectures is in each index. None has upstream's releases, nor npm's.
        artifacts=tuple(
            dict.fromkeys([*artifacts, *(a for a in old.artifacts if a.upstream), *old.tarballs])
        ),
        outputs={},
    )


def verified(signed: bytes, keyring: Path) -> str:
    """The text that a key of the keyring signed, without what stands around it.

    Raises HostCannot if gpgv or the keyring is missing, CheckFailed for a bad signature.
    """
    gpgv = shutil.which("gpgv")
    for there, what, package in (
        (gpgv is not None, "`gpgv`", "gpgv"),
        (keyring.exists(), f"the keyring `{keyring}`", "debian-archive-keyring"),
    ):
        if not there:
            raise HostCannot(
                f"{what} is missing, so the distribution's signature cannot be checked",
                cure=f"Install the package `{package}`; only `doit lock` needs it.",
            )
    with disk.scratch() as folder:
        file, text = folder / "InRelease", folder / "text"
        file.write_bytes(signed)
        command = [gpgv or "gpgv", "--keyring", str(keyring), "--output", str(text), str(file)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_GPGV_TIMEOUT_S)
        if ran.returncode != 0:
            if full := disk.said(ran.stderr, disk.temporary()):
                raise full
            last = (ran.stderr.strip() or "no reason given").splitlines()[-1]
            raise CheckFailed(
                f"InRelease has no good signature by a key in `{keyring}`: {last}",
                cure="Do not trust this mirror, or the network in between; try another one.",
            )
        return text.read_text()


def _field(release: str, name: str) -> str:
    found = re.search(rf"^{name}: (.+)$", release, re.MULTILINE)
    if not found:
        raise CheckFailed(f"the signed InRelease has no field `{name}`")
    return found[1]


def _snapshot(date: str) -> str:
    """A moment at which the archive surely held the release made at `date`: two days later.

    Asked for a moment, the archive answers with its last state before it.
    """
    made = datetime.strptime(date, "%a, %d %b %Y %H:%M:%S %Z").replace(tzinfo=UTC)
    return (made + timedelta(days=2)).strftime("%Y%m%dT000000Z")


def _from_index(
    client: httpx.Client, dists: str, release: str, system: str, names: set[str]
) -> list[Artifact]:
    path = f"main/binary-{system}/Packages.xz"
    hashes = release.partition("\nSHA256:\n")[2]
    pinned = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(path)}$", hashes, re.MULTILINE)
    if not pinned:
        raise CheckFailed(f"the signed InRelease names no `{path}`")
    packed = get(client, f"{dists}/{path}")
    found = hashlib.sha256(packed).hexdigest()
    if found != pinned[1]:
        raise CheckFailed(f"`{path}` has SHA-256 {found}, InRelease expects {pinned[1]}")
    artifacts = list(_artifacts_in(lzma.decompress(packed).decode(), names))
    missing = names - {artifact.name for artifact in artifacts}
    if missing:
        raise BadInput(f"the suite has no {', '.join(sorted(missing))} for {system}")
    return artifacts


def _artifacts_in(index: str, names: set[str]) -> Iterator[Artifact]:
    """The wanted ones of a Packages index. Its fields: deb822(5)."""
    for stanza in index.split("\n\n"):
        first = stanza.partition("\n")[0].removeprefix("Package: ")
        if first in names:
            fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.+)$", stanza, re.MULTILINE))
            yield Artifact(
                name=first,
                version=fields["Version"],
                architecture=fields["Architecture"],
                path=fields["Filename"],
                sha256=fields["SHA256"],
                size=int(fields["Size"]),
            )


def complete(
    packages: Iterable[Package],
    fresh: Lock,
    bases: tuple[str, ...],
    cache: Path,
    registries: tuple[str, ...] | None = None,
) -> Completed:
    """Build everything for every system in a store of its own, and pin what comes out.

    Unpacking runs nothing, so that a machine can build for another CPU.
    """
    make_folder(cache)
    unpinned: dict[str, str] = {}
    with in_use(cache / "store"):  # what it builds beside it is nobody's garbage
        scratch = Path(tempfile.mkdtemp(prefix="lock-", dir=cache))
        store = Store(
            folder=scratch, artifacts=cache / "artifacts", mirrors=bases, registries=registries
        )
        try:
            for system in SYSTEMS.values():
                made = _with_outputs(fresh, tuple(packages), system, store)
                fresh, unpinned = made.lock, {**unpinned, **made.unpinned}
        finally:
            tree.remove(scratch)
    return Completed(lock=fresh, unpinned=unpinned)


def _with_outputs(
    lock: Lock, packages: tuple[Package, ...], system: str, store: Store
) -> Completed:
    """Build what needs nothing unpinned, pin it, and so on: a name depends on the needed trees.

    An optional package whose artifacts are not available stays unpinned.
    """
    left_out: dict[str, str] = {}
    while True:
        ready = [
            derivation
            for derivation in derive(packages, lock, system).values()
            if derivation.output is None and all(need.output for need in derivation.needs)
            and derivation.name not in left_out
        ]  # fmt: skip
        for each in [each for each in ready if each.package.optional]:
            try:
                reason = unreachable([each], store)
                if not reason:
                    realise_all([each], store, progress.Lines(), within_s=LIMIT_S)
            except FetchFailed as error:
                if not error.artifact.upstream:
                    raise
                reason = remember(error.artifact, error.reason, store)
            if reason:
                left_out[each.name] = str(reason)
                ready.remove(each)
        if not ready:
            return Completed(
                lock=replace(lock, artifacts=tuple(_sized(a, store) for a in lock.artifacts)),
                unpinned={f"{name} ({system})": reason for name, reason in left_out.items()},
            )
        realise_all(ready, store, progress.Lines())
        made = {(system, each.name): tree.manifest(store.path(each)) for each in ready}
        pinned = {key: Output(sha256=found.sha256, size=found.size) for key, found in made.items()}
        lock = replace(lock, outputs={**lock.outputs, **pinned})


def _sized(artifact: Artifact, store: Store) -> Artifact:
    """The artifact with its size, where that became known."""
    file = store.artifacts / artifact.sha256
    return artifact if artifact.size or not file.exists() else replace(
        artifact, size=file.stat().st_size
    )  # fmt: skip


def _artifacts(lock: Lock) -> dict[str, str]:
    """Of npm's packages, several versions of one name can stand side by side."""
    found = {
        f"{a.name} ({a.architecture})": f"{a.version} {a.sha256[:12]}"
        for a in lock.artifacts
        if not isinstance(a, Tarball)
    }
    for each in lock.tarballs:
        key = f"{each.name} (npm)"
        found[key] = ", ".join(filter(None, [found.get(key, ""), each.version]))
    return found


def _trees(lock: Lock) -> dict[str, str]:
    return {f"output {name} ({of})": o.sha256[:12] for (of, name), o in lock.outputs.items()}


def _changes(old: dict[str, str], new: dict[str, str]) -> list[Change]:
    return [
        Change(what=key, old=old.get(key, ""), new=new.get(key, ""))
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]


def write(lock: Lock) -> None:
    """Write the lock, and the one of npm's tarballs beside it if there are any."""
    if lock.tarballs:
        _write(lock.npm_file, npmlock.text(lock.tarballs))
    _write(lock.file, locks.text(lock))


def _write(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.new")
    try:
        temporary.write_text(text)
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise unusable(error, file.parent) from error
