"""What `doit gc` does: clear out of the cache what no instance, generation or lock needs."""

from collections import Counter
from pathlib import Path

from stack.paths import cache_dir
from stack.run.generations import generations
from stack.run.instance import FILE, Instance, instances_dir
from stack.store.derivation import SYSTEMS, derive
from stack.store.gc import Collected, Needed, collect
from stack.store.guard import registered
from stack.store.packageset import PackageSet

_MB = 1e6


def gc(dry_run: bool) -> None:
    """Print what goes, or would go, and how much room that makes.

    Raises BadInput when a record or the lock cannot be read (then nothing is removed), HostCannot
    when something cannot be removed.
    """
    package_set = PackageSet()
    found = collect(
        package_set.store(package_set.pinned()),
        lambda: needed(package_set),
        dry_run=dry_run,
        waiting=lambda: print("waiting for a build or an `up` to end"),
    )
    _show(found, "would remove" if dry_run else "removed", "would free" if dry_run else "freed")


def needed(package_set: PackageSet) -> Needed:
    """What the lock pins for every system, and what instances run or ran, wherever they lie."""
    lock = package_set.pinned()
    names = {
        derivation.store_name
        for system in SYSTEMS.values()
        for derivation in derive(package_set.recipes(), lock, system).values()
    }
    for directory in _instances(package_set.cache or cache_dir()):
        records = [generation.record for generation in generations(directory)]
        if (directory / FILE).exists():
            records.append(Instance.at(directory).record)
        names |= {Path(path).name for record in records for path in record.packages.values()}
    return Needed(
        store_names=frozenset(names),
        artifacts=frozenset(artifact.sha256 for artifact in lock.artifacts),
    )


def _instances(cache: Path) -> set[Path]:
    here = {path for path in instances_dir().glob("*") if path.is_dir()}
    return here | set(registered(cache))


def _show(found: Collected, removed: str, freed: str) -> None:
    for each in found.garbage:
        if each.kind != "manifest":
            print(f"{removed} {each.kind} {each.path.name}: {each.size_bytes / _MB:.1f} MB")
    counts = Counter(each.kind for each in found.garbage if each.kind != "manifest")
    what = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in counts.items())
    total = sum(each.size_bytes for each in found.garbage)
    stay = f"{len(found.kept)} store paths are needed"
    print(f"{freed} {total / _MB:.1f} MB ({what or 'nothing to remove'}); {stay}")
