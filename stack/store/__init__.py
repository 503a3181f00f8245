"""The store: lock -> fetch -> unpack -> relocate -> store path.

    paths = realise(["prometheus"])          # {"prometheus": Path, "glibc": Path}: its closure
    paths["prometheus"] / "bin" / "promtool" # runs as it is, on any Linux of this CPU
    closure("prometheus")                    # the store paths that must stay together
    digest(["prometheus"])                   # 64 hex digits that name exactly these outputs

`build()` and `update_lock()` are what `doit build` and `doit lock` call. A package is described
by one module in `stack/packages`; nothing gets in whose hash `stack/lock.toml` does not name.
Whatever goes wrong is a `stack.errors.LabError`.

- `lock`, `derivation`: what is wanted; `mirrors`, `fetch`: where it comes from
- `deb`, `builder`, `launcher`, `tree`: how an output is made, and what it is
- `reproduce` with `variations`, `rebuild`, `bytediff`: whether it comes out the same anywhere
- `verify`, `repair`: whether it still is what it was
- `upstream`, `optional`: releases that no mirror has, and what to do where they cannot be had
- `realisation`: how it gets into the store; `repin`: how the lock is made
"""

import contextlib
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stack.errors import BadInput, HostCannot
from stack.paths import cache_dir
from stack.store import progress
from stack.store.derivation import (
    Derivation,
    Package,
    chosen,
    derive,
    host_system,
    known_system,
)
from stack.store.lock import Lock, load
from stack.store.mirrors import mirrors
from stack.store.optional import Unreachable, unreachable
from stack.store.realisation import Store, realise_all

if TYPE_CHECKING:
    from stack.store.repin import Change

__all__ = [
    "Source",
    "available",
    "build",
    "closure",
    "digest",
    "realise",
    "update_lock",
]


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is built and where it goes. Unless given: the checked-in lock and all packages, for
    this machine, into the host's cache."""

    lock: Lock | None = None
    packages: tuple[Package, ...] | None = None
    system: str | None = None
    cache: Path | None = None
    mirrors: tuple[str, ...] | None = None
    """Base URLs of Debian mirrors; unless given, those that the host is configured for."""

    def pinned(self) -> Lock:
        return self.lock or load()

    def derivations(self, lock: Lock) -> dict[str, Derivation]:
        return derive(self.recipes(), lock, self.system or host_system())

    def recipes(self) -> tuple[Package, ...]:
        if self.packages is not None:
            return self.packages
        # Packages import this package for the words that they are written in.
        from stack.packages import PACKAGES

        return PACKAGES

    def store(self, lock: Lock) -> Store:
        cache = self.cache or cache_dir()
        return Store(
            folder=cache / "store",
            artifacts=cache / "artifacts",
            mirrors=mirrors(lock.snapshot) if self.mirrors is None else self.mirrors,
        )


_HOST = Source()


def realise(
    names: Iterable[str] | None = None,
    source: Source = _HOST,
    report: progress.Progress | None = None,
) -> dict[str, Path]:
    """Store paths of packages (if none is named, all but the optional ones) and of what they need,
    built if missing.

    Progress goes to stderr unless `report` is given. Raises LabError: see `realise_all`.
    """
    lock = source.pinned()
    derivations = closures(names, source.derivations(lock))
    store = source.store(lock)
    with contextlib.ExitStack() as shown:
        report = report or shown.enter_context(progress.shown())
        realise_all(derivations.values(), store, report)
    return {name: store.path(derivation) for name, derivation in derivations.items()}


def available(names: Iterable[str], source: Source = _HOST) -> Unreachable | None:
    """None where optional packages can be realised: they are here, or upstream answers.

    Otherwise what keeps them away. Costs three seconds at most, and those once a day.
    """
    lock = source.pinned()
    needed = closures(names, source.derivations(lock))
    return unreachable(needed.values(), source.store(lock))


def closure(name: str, source: Source = _HOST) -> set[Path]:
    """The store paths that a package's programs need, its own among them. Builds nothing."""
    lock = source.pinned()
    store = source.store(lock)
    needed = closures([name], source.derivations(lock))
    return {store.path(derivation) for derivation in needed.values()}


def digest(names: Iterable[str] | None = None, source: Source = _HOST) -> str:
    """SHA-256 over the names of all store paths that these packages need. Builds nothing."""
    needed = closures(names, source.derivations(source.pinned()))
    joined = "\n".join(sorted(derivation.store_name for derivation in needed.values()))
    return hashlib.sha256(joined.encode()).hexdigest()


def build(names: Iterable[str] | None = None, source: Source = _HOST, system: str = "") -> None:
    """Realise packages and print a line for each, then the totals: what `doit build` does.

    Unpacking runs nothing, so `system` need not be this machine's.
    """
    names = list(names or ()) or None
    if system:
        source = replace(source, system=known_system(system))
    began = time.monotonic()
    with progress.shown() as report:
        paths = realise(names, source, report)
        left_out = {} if names else _build_optional(paths, source, report)
    for name, path in paths.items():
        print(f"{name:18} {path}")
    for name, reason in left_out.items():
        print(f"{name:18} left out: {reason}")
    seconds = time.monotonic() - began
    print(f"{len(paths)} packages, {report.downloaded / 1e6:.1f} MB downloaded, {seconds:.2f} s")


def _build_optional(
    paths: dict[str, Path], source: Source, report: progress.Progress
) -> dict[str, str]:
    """Add to `paths` the optional packages that can be had; why each of the others is left out."""
    names = [package.name for package in source.recipes() if package.optional]
    if names:
        available(names, source)  # asks for all at once
    left_out: dict[str, str] = {}
    for name in names:
        if reason := available([name], source):
            left_out[name] = str(reason)
            continue
        try:
            paths |= realise([name], source, report)
        except HostCannot as error:
            left_out[name] = str(error)
    return left_out


def update_lock(source: Source = _HOST) -> "list[Change]":
    """Pin anew from the distribution's signed metadata, print what changed, and return it.

    Raises LabError, and then has changed nothing.
    """
    from stack.store.repin import repin

    return repin(source)


def closures(
    names: Iterable[str] | None, derivations: dict[str, Derivation]
) -> dict[str, Derivation]:
    """Derivations of packages (if none is named, all but the optional ones) and of what they need,
    by name, the needed ones first. Raises BadInput for one that is unknown or not pinned."""
    if names is None:
        names = [name for name, each in derivations.items() if not each.package.optional]
    needed: dict[str, Derivation] = {}
    for name in chosen(names, derivations):
        needed |= derivations[name].closure()
    for name, derivation in needed.items():
        if derivation.output is None and not derivation.package.optional:
            raise BadInput(
                f"the lock names no output hash for `{name}` on {derivation.system}",
                cure="`doit lock` builds it and pins what comes out.",
            )
    return needed
