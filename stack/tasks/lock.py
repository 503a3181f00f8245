"""`doit lock`: pin all packages from scratch, or move some on to newer versions.

An update is tried out before it is written down: the new packages are built for every system, put
into the store, and the configuration is checked with them. Until then the lock stays as it is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from stack import progress
from stack.paths import cache_dir
from stack.store import npmpin, repin
from stack.store.artifact import Artifact, Tarball
from stack.store.derivation import chosen
from stack.store.lock import Lock
from stack.store.mirrors import mirrors
from stack.store.outdated import behind, merged
from stack.store.package import Package
from stack.store.packageset import PackageSet, realise
from stack.tasks.check import host_setup
from stack.tasks.check import run as check
from stack.tasks.outdated import available, show


def lock(update: bool, packages: list[str]) -> None:
    """Pin everything from scratch, or what some packages give; with `update`, only versions move
    on, and only once they are checked."""
    if update:
        update_packages(packages)
    elif packages:
        pin_outputs(packages, PackageSet())
    else:
        pin_all(PackageSet())


def pin_all(package_set: PackageSet) -> None:
    """Write the lock from scratch and print what changed. Raises what `repin` raises."""
    made = repin.repin(package_set)
    _show_unpinned(made.unpinned)
    for change in made.changes:
        print(change)
    new = made.lock
    print(f"{len(made.changes)} changes: Debian {new.release} ({new.suite}), {new.file}")


def pin_outputs(names: Iterable[str], package_set: PackageSet) -> None:
    """Build packages again, and what needs them, from the artifacts that are pinned already; write
    what comes out into the lock, and print it. For whoever changed a recipe, or a page's sources.

    Raises BadInput for an unknown package, and whatever building raises; then the lock stays.
    """
    old = package_set.pinned()
    wanted = {package.name for package in _chosen(package_set, names)}
    whole = package_set.derivations(old)
    again = {name for name, each in whole.items() if wanted & set(each.closure())}
    built = {need for name in again for need in whole[name].closure()}
    recipes = tuple(each for each in package_set.recipes() if each.name in built)
    kept = {key: output for key, output in old.outputs.items() if key[1] not in again}
    bases = package_set.mirrors or mirrors(old.snapshot)
    cache = package_set.cache or cache_dir()
    fresh = replace(old, outputs=kept)
    made = repin.complete(recipes, fresh, bases, cache, package_set.registries)
    _show_unpinned(made.unpinned)
    changed = [key for key, out in made.lock.outputs.items() if out != old.outputs.get(key)]
    for system, name in sorted(changed):
        print(f"output {name} ({system}): {made.lock.outputs[system, name].sha256[:12]}")
    if changed or made.unpinned:
        repin.write(made.lock)
    print(f"{len(changed)} changes: {old.file}")


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
    new = merged(wanted, old, available(package_set, old))
    new = replace(new, artifacts=(*_others(new), *_of_npm(package_set, wanted, old, bool(names))))
    changes = behind(package_set.recipes(), old, new)
    if not changes:
        print("nothing to update: these packages are what the suite has")
        return
    show(changes, wanted)
    bases = package_set.mirrors or mirrors(new.snapshot)
    cache = package_set.cache or cache_dir()
    made = repin.complete(package_set.recipes(), new, bases, cache, package_set.registries)
    _show_unpinned(made.unpinned)
    candidate = replace(package_set, lock=made.lock)
    realise(None, candidate)
    check(candidate)
    repin.write(made.lock)
    print(f"{made.lock.file} is written: Debian {made.lock.release} ({made.lock.suite})")


def _others(lock: Lock) -> list[Artifact]:
    return [each for each in lock.artifacts if not isinstance(each, Tarball)]


def _of_npm(
    package_set: PackageSet, wanted: Iterable[Package], old: Lock, insist: bool
) -> tuple[Tarball, ...]:
    """What pages are to be made of: the newest that they allow, if one of them is to move on.

    Without npm they stay as they are, unless somebody insists.
    """
    pages = [package for package in wanted if package.page]
    if not pages or not (insist or npmpin.possible()):
        for package in pages:
            print(f"{package.name} stays as it is: npm is not installed")
        return old.tarballs
    derivation = package_set.derivations(old)[pages[0].name]
    with progress.shown() as report:
        return npmpin.repinned(derivation, package_set.store(old), report)


def _chosen(package_set: PackageSet, names: Iterable[str]) -> tuple[Package, ...]:
    by_name = {package.name: package for package in package_set.recipes()}
    wanted = list(names)
    if not wanted:
        return tuple(by_name.values())
    there = chosen(wanted, package_set.derivations(package_set.pinned()))
    return tuple(by_name[name] for name in there)


def _show_unpinned(unpinned: Mapping[str, str]) -> None:
    for output, reason in unpinned.items():
        print(f"output {output} stays unpinned: {reason}")
