"""What `doit lock` and `doit outdated` do: see what is behind, and move the lock forward whole.

An update is tried out before it is written down: the new packages are built for every system, put
into the store, and the configuration is checked with them. Until then the lock stays as it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import httpx

from stack.check import host_setup
from stack.check import run as check
from stack.errors import BadInput
from stack.paths import cache_dir
from stack.store import repin
from stack.store.derivation import chosen
from stack.store.lock import Lock
from stack.store.mirrors import mirrors
from stack.store.outdated import Behind, behind, latest, merged
from stack.store.package import Package
from stack.store.packageset import PackageSet, realise
from stack.store.repin import repin as update_lock


def lock(update: bool, packages: list[str]) -> None:
    """Pin everything anew; with `update`, only versions move on, and only once they are checked."""
    if update:
        update_packages(packages)
    elif packages:
        raise BadInput("`doit lock` pins all packages.", cure="`doit lock --update PACKAGE…`")
    else:
        update_lock(PackageSet())


def update_packages(
    names: Iterable[str] = (),
    package_set: PackageSet | None = None,
    check: Callable[[PackageSet], None] = lambda package_set: check(host_setup(package_set)),
) -> None:
    """Move packages (all, if none is named) on to the versions that the suite has now.

    Prints what changes. Raises whatever resolving, building or `check` raises; the lock and what
    runs are then as they were.
    """
    package_set = package_set or PackageSet()
    old = package_set.pinned()
    wanted = _chosen(package_set, names)
    new = merged(wanted, old, _available(package_set, old))
    changes = behind(package_set.recipes(), old, new)
    if not changes:
        print("nothing to update: these packages are what the suite has")
        return
    _tell(changes, wanted)
    complete = repin.complete(
        package_set.recipes(), new, _mirrors(package_set, new), package_set.cache or cache_dir()
    )
    candidate = replace(package_set, lock=complete)
    realise(None, candidate)
    check(candidate)
    repin.write(complete)
    print(f"{complete.file} is written: Debian {complete.release} ({complete.suite})")


def outdated() -> None:
    """Print what is behind, by package, and what cannot be known from here."""
    show_outdated(PackageSet())


def show_outdated(package_set: PackageSet) -> None:
    old = package_set.pinned()
    changes = behind(package_set.recipes(), old, _available(package_set, old))
    _tell(changes, package_set.recipes())
    unknown = _tell_upstream(package_set, old)
    if not changes:
        print("what comes from Debian is what the suite has")
    if unknown:
        print(f"not known: {', '.join(unknown)} (their upstream project cannot be asked from here)")


def _chosen(package_set: PackageSet, names: Iterable[str]) -> tuple[Package, ...]:
    by_name = {package.name: package for package in package_set.recipes()}
    wanted = list(names)
    if not wanted:
        return tuple(by_name.values())
    chosen(wanted, package_set.derivations(package_set.pinned()))
    return tuple(by_name[name] for name in wanted)


def _available(package_set: PackageSet, old: Lock) -> Lock:
    """What the suite has now, by its signed metadata; without outputs."""
    return repin.pinned(package_set.recipes(), old, _mirrors(package_set, old), repin.KEYRING)


def _mirrors(package_set: PackageSet, lock: Lock) -> tuple[str, ...]:
    return package_set.mirrors or mirrors(lock.snapshot)


def _tell(changes: Iterable[Behind], packages: Iterable[Package]) -> None:
    """One line for a package whose version moves, and one below it for each other part."""
    found = list(changes)
    for package in packages:
        mine = [change for change in found if change.package == package.name]
        if not mine:
            continue
        first = [change for change in mine if change.artifact == package.debs[0]]
        moved = f" {first[0].pinned} -> {first[0].available}" if first else ""
        print(f"{package.name}{moved}")
        for change in mine:
            if change not in first:
                print(f"    {change}")


def _tell_upstream(package_set: PackageSet, old: Lock) -> list[str]:
    """Print what upstream projects released since; the packages of which nobody can tell."""
    unknown = []
    with httpx.Client(follow_redirects=True) as client:
        for package in package_set.recipes():
            for name in package.zips:
                artifact = next(a for a in old.artifacts if a.name == name)
                newest = latest(artifact, client)
                if newest is None:
                    unknown.append(f"{package.name} {artifact.version}")
                elif newest != artifact.version:
                    print(f"{package.name} {artifact.version} -> {newest} (pinned by hand)")
    return unknown
