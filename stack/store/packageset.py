"""A set of packages with the lock that pins them, and their store paths.

paths = realise(["prometheus"])          # {"prometheus": Path, "glibc": Path}: its closure
paths["prometheus"] / "bin" / "promtool" # runs as it is, on any Linux of this CPU
closure("prometheus")                    # the store paths that must stay together
digest(["prometheus"])                   # 64 hex digits that name exactly these outputs
"""

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stack import progress
from stack.errors import BadInput
from stack.paths import cache_dir
from stack.store.derivation import Derivation, chosen, derive, host_system
from stack.store.disk import check_runs
from stack.store.lock import FetchFailed, Lock, load
from stack.store.mirrors import mirrors
from stack.store.optional import LIMIT_S, Unreachable, absent, remember, unreachable
from stack.store.package import Package
from stack.store.packages import PACKAGES
from stack.store.realisation import Store, realise_all


@dataclass(frozen=True, kw_only=True)
class PackageSet:
    """What is built and where it goes. Unless given: the checked-in lock and all packages, for
    this machine, into the host's cache."""

    lock: Lock | None = None
    packages: tuple[Package, ...] | None = None
    system: str | None = None
    cache: Path | None = None
    mirrors: tuple[str, ...] | None = None
    """Base URLs of Debian mirrors; unless given, those that the host is configured for."""
    registries: tuple[str, ...] | None = None
    """The same for npm's packages."""

    def pinned(self) -> Lock:
        return self.lock or load()

    def derivations(self, lock: Lock) -> dict[str, Derivation]:
        return derive(self.recipes(), lock, self.system or host_system())

    def recipes(self) -> tuple[Package, ...]:
        if self.packages is not None:
            return self.packages
        return PACKAGES

    def store(self, lock: Lock) -> Store:
        cache = self.cache or cache_dir()
        return Store(
            folder=cache / "store",
            artifacts=cache / "artifacts",
            mirrors=mirrors(lock.snapshot) if self.mirrors is None else self.mirrors,
            registries=self.registries,
        )


_HOST = PackageSet()


def realise(
    names: Iterable[str] | None = None,
    package_set: PackageSet = _HOST,
    report: progress.Progress | None = None,
    within_s: float | None = None,
) -> dict[str, Path]:
    """Store paths of packages (if none is named, all but optional ones and those on demand) and of
    what they need, built if missing.

    Progress goes to stderr unless `report` is given. `within_s`, if given, is the time for all
    downloads. Raises LabError: see `realise_all`.
    """
    lock = package_set.pinned()
    derivations = closures(names, package_set.derivations(lock))
    store = package_set.store(lock)
    if (package_set.system or host_system()) == host_system():
        check_runs(store.folder)
    with contextlib.ExitStack() as shown:
        report = report or shown.enter_context(progress.shown())
        realise_all(derivations.values(), store, report, within_s=within_s)
    return {name: store.path(derivation) for name, derivation in derivations.items()}


def available(names: Iterable[str], package_set: PackageSet = _HOST) -> Unreachable | None:
    """None where optional packages can be realised: they are here, or upstream answers.

    Otherwise what keeps them away. Costs three seconds at most, and those once a day.
    """
    lock = package_set.pinned()
    needed = closures(names, package_set.derivations(lock))
    return unreachable(needed.values(), package_set.store(lock))


def obtain(
    names: Iterable[str],
    package_set: PackageSet = _HOST,
    report: progress.Progress | None = None,
) -> Unreachable | None:
    """Realise optional packages, if they are to be had within LIMIT_S; None is good news.

    What keeps them away, also where upstream gives something else, is remembered for a day.
    Raises LabError for what is not upstream's fault, such as a full disk.
    """
    names = list(names)
    if missing := available(names, package_set):
        return missing
    lock = package_set.pinned()
    store = package_set.store(lock)
    coming = absent(closures(names, package_set.derivations(lock)).values(), store)
    with contextlib.ExitStack() as shown:
        report = report or shown.enter_context(progress.shown())
        if coming:
            what = " and ".join(f"{each.name} {each.version}" for each in coming)
            report.say(f"fetching {what} from upstream, for {LIMIT_S:g} s at most")
        try:
            realise(names, package_set, report, LIMIT_S)
        except FetchFailed as error:
            if not error.artifact.upstream:
                raise
            return remember(error.artifact, error.reason, store)
    return None


def closure(name: str, package_set: PackageSet = _HOST) -> set[Path]:
    """The store paths that a package's programs need, its own among them. Builds nothing."""
    lock = package_set.pinned()
    store = package_set.store(lock)
    needed = closures([name], package_set.derivations(lock))
    return {store.path(derivation) for derivation in needed.values()}


def digest(names: Iterable[str] | None = None, package_set: PackageSet = _HOST) -> str:
    """SHA-256 over the names of all store paths that these packages need. Builds nothing."""
    needed = closures(names, package_set.derivations(package_set.pinned()))
    joined = "\n".join(sorted(derivation.store_name for derivation in needed.values()))
    return hashlib.sha256(joined.encode()).hexdigest()


def closures(
    names: Iterable[str] | None, derivations: dict[str, Derivation]
) -> dict[str, Derivation]:
    """Derivations of packages (if none is named, all but optional ones and those on demand) and of
    what they need, by name, the needed ones first. Raises BadInput for one that is unknown or not
    pinned."""
    if names is None:
        names = [name for name, each in derivations.items() if each.package.by_default]
    needed: dict[str, Derivation] = {}
    for name in chosen(names, derivations):
        needed |= derivations[name].closure()
    for name, derivation in needed.items():
        if derivation.output is None and not derivation.package.optional:
            raise BadInput(
                f"the lock has no output hash for `{name}` on {derivation.system}",
                cure="`doit lock` builds it and pins what comes out.",
            )
    return needed
