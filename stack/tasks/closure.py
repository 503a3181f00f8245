"""`doit closure`: what packages need to run, as trees with sizes and totals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stack.run.choice import CHOICES
from stack.store.artifacts import artifacts_of
from stack.store.derivation import Derivation, chosen
from stack.store.packageset import PackageSet


def closure(packages: list[str]) -> None:
    """Print the trees of packages (all, if none is named) with their sizes, then the totals."""
    package_set = PackageSet()
    derivations = package_set.derivations(package_set.pinned())
    packages = chosen(packages, derivations)
    for line in tree(derivations, packages):
        print(line)
    for choice in CHOICES:
        if set(packages) & set(choice.packages):
            print(f"{choice.what} by {choice.coming()}")


@dataclass(frozen=True, kw_only=True)
class _Row:
    name: str
    unpacked: int | None
    """Bytes, as `download`; 0 where it is not known, None where there is none."""
    download: int | None
    note: str = ""


def tree(derivations: Mapping[str, Derivation], names: list[str]) -> Iterator[str]:
    """Lines: a table of the trees below the packages `names`, with their artifacts, or below all
    that nothing else needs, without; then the totals, in which what is shared counts once.
    """
    needed = {need.name for each in derivations.values() for need in each.needs}
    roots = chosen(names, derivations) or [name for name in derivations if name not in needed]
    whole: dict[str, Derivation] = {}
    for root in roots:
        whole |= derivations[root].closure()
    users = {
        name: sum(name in {need.name for need in each.needs} for each in whole.values())
        for name in whole
    }
    rows = [row for root in roots for row in _rows(derivations[root], users, artifacts=bool(names))]
    artifacts = artifacts_of(whole.values())
    total = _Row(
        name=f"{_count(len(whole), 'package')}, {_count(len(artifacts), 'artifact')}",
        unpacked=sum(each.output.size for each in whole.values() if each.output),
        download=sum(artifact.size for artifact in artifacts),
        note="what is shared counts once, what is unknown not at all",
    )
    width = max(len(row.name) for row in (*rows, total))
    yield f"{'':{width}}  {'unpacked':>10}  {'download':>10}"
    for row in (*rows, total):
        sizes = f"{_size(row.unpacked):>10}  {_size(row.download):>10}"
        yield f"{row.name:{width}}  {sizes}  {row.note}".rstrip()


def _rows(
    root: Derivation, users: Mapping[str, int], *, artifacts: bool, indent: str = ""
) -> Iterator[_Row]:
    yield _Row(
        name=f"{indent}{root.name} {root.version}",
        unpacked=root.output.size if root.output else 0,
        download=sum(artifact.size for artifact in root.artifacts),
        note=f"shared by {users[root.name]}" if users[root.name] > 1 else "",
    )
    for artifact in root.artifacts if artifacts else ():
        name = f"{indent}  . {artifact.name} {artifact.version}"
        yield _Row(name=name, unpacked=None, download=artifact.size)
    for need in root.needs:
        yield from _rows(need, users, artifacts=artifacts, indent=f"{indent}  ")


def _size(size: int | None) -> str:
    if size is None:
        return ""
    if size < 100_000:
        return f"{size / 1e3:.0f} kB" if size else "unknown"
    return f"{size / 1e6:.1f} MB"


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
