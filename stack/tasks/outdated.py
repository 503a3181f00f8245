"""`doit outdated`: which packages are behind what Debian, upstream projects and npm have."""

from collections.abc import Iterable

import httpx

from stack.errors import HostCannot
from stack.store import npmpin, repin
from stack.store.lock import Lock
from stack.store.mirrors import mirrors
from stack.store.outdated import Behind, behind, latest, latest_of_npm
from stack.store.package import Package
from stack.store.packageset import PackageSet
from stack.store.registry import registry


def outdated() -> None:
    """Print what is behind, by package, and what cannot be known from here."""
    show_outdated(PackageSet())


def show_outdated(package_set: PackageSet) -> None:
    old = package_set.pinned()
    changes = behind(package_set.recipes(), old, available(package_set, old))
    show(changes, package_set.recipes())
    unknown = [*_show_upstream(package_set, old), *_show_npm(package_set, old)]
    if not changes:
        print("nothing from Debian is behind")
    if unknown:
        print(f"not known: {', '.join(unknown)} (nobody to ask answers from here)")


def available(package_set: PackageSet, old: Lock) -> Lock:
    """What the suite has now, by its signed metadata; without outputs."""
    bases = package_set.mirrors or mirrors(old.snapshot)
    return repin.pinned(package_set.recipes(), old, bases, repin.KEYRING)


def show(changes: Iterable[Behind], packages: Iterable[Package]) -> None:
    """One line for a package whose version moves, and one below it for each other part."""
    found = list(changes)
    for package in packages:
        mine = [change for change in found if change.package == package.name]
        if not mine:
            continue
        names = package.debs or (package.page.version_of,) if package.page else package.debs
        first = [change for change in mine if change.artifact == names[0]]
        moved = f" {first[0].pinned} -> {first[0].available}" if first else ""
        print(f"{package.name}{moved}")
        for change in mine:
            if change not in first:
                print(f"    {change}")


def _show_npm(package_set: PackageSet, old: Lock) -> list[str]:
    """Print which packages of npm that a page names are behind; the pages about which nothing is
    known. `doit lock --update` moves on as far as the page's `package.json` allows."""
    unknown = []
    for package in package_set.recipes():
        if package.page is None:
            continue
        try:
            base = registry() if package_set.registries is None else package_set.registries[0]
        except (HostCannot, IndexError):
            unknown.append(package.name)
            continue
        pinned = {each.name: each.version for each in old.tarballs}
        names = npmpin.named(npmpin.manifest(package.page))
        with httpx.Client(follow_redirects=True) as client:
            newest = {name: latest_of_npm(name, base, client) for name in names}
        lines = [
            f"    {name} {pinned[name]} -> {version} (npm)"
            for name, version in newest.items()
            if version and name in pinned and version != pinned[name]
        ]
        if lines:
            print("\n".join([package.name, *lines]))
        if not any(newest.values()):
            unknown.append(package.name)
    return unknown


def _show_upstream(package_set: PackageSet, old: Lock) -> list[str]:
    """Print what upstream projects released since; the packages about which nothing is known."""
    unknown = []
    with httpx.Client(follow_redirects=True) as client:
        for package in package_set.recipes():
            for name in package.releases:
                artifact = next(a for a in old.artifacts if a.name == name)
                newest = latest(artifact, client)
                if newest is None:
                    unknown.append(f"{package.name} {artifact.version}")
                elif newest != artifact.version:
                    print(f"{package.name} {artifact.version} -> {newest} (pinned by hand)")
    return unknown
