"""`doit build`: packages into the store, with a line for each."""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from stack import progress
from stack.store.derivation import known_system
from stack.store.packageset import PackageSet, available, obtain, realise

_HOST = PackageSet()


def build(
    packages: Iterable[str] | None = None, package_set: PackageSet = _HOST, system: str = ""
) -> None:
    """Realise packages and print a line for each, then the totals: what `doit build` does.

    Unpacking runs nothing, so `system` need not be this machine's.
    """
    names = list(packages or ()) or None
    if system:
        package_set = replace(package_set, system=known_system(system))
    began = time.monotonic()
    with progress.shown() as report:
        paths = realise(names, package_set, report)
        left_out = {} if names else _build_optional(paths, package_set, report)
    for name, path in paths.items():
        progress.result(f"{name:18} {path}", "package", name=name, path=path)
    for name, reason in left_out.items():
        progress.result(f"{name:18} left out: {reason}", "left out", name=name, reason=reason)
    seconds = time.monotonic() - began
    progress.result(
        f"{len(paths)} packages, {report.downloaded / 1e6:.1f} MB downloaded, {seconds:.2f} s",
        "over", packages=len(paths), downloaded=report.downloaded, seconds=round(seconds, 3),
    )  # fmt: skip


def _build_optional(
    paths: dict[str, Path], package_set: PackageSet, report: progress.Progress
) -> dict[str, str]:
    """Add to `paths` the optional packages that are available; why the others are left out."""
    names = [package.name for package in package_set.recipes() if package.optional]
    if names:
        available(names, package_set)  # asks for all at once
    left_out: dict[str, str] = {}
    for name in names:
        if reason := obtain([name], package_set, report):
            left_out[name] = str(reason)
        else:
            paths |= realise([name], package_set, report)
    return left_out
