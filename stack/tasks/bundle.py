"""`doit bundle`: what packages need on a machine without a network, in one file."""

from shlex import quote

from stack import progress
from stack.names import choose
from stack.paths import cache_dir, given
from stack.store.bundle import ARTIFACTS, gathered, target, write
from stack.store.derivation import host_system
from stack.store.packageset import PackageSet
from stack.store.wheels import wheels


def bundle(packages: list[str], output: str, no_python: bool) -> None:
    """Write the bundle of packages (all that are available, if none is named); print what it holds.

    `output` is a file or a folder. Raises BadInput if something else than a bundle is there.
    """
    packages = choose(packages, [one.name for one in PackageSet().recipes()], what="package")
    name = "-".join(["bundle", *packages, host_system()]) + ".tar"
    file = target(given(output or name), name)
    with progress.shown() as report:
        carried = [] if no_python else wheels(cache_dir(), report)
        contents = gathered(packages, carried, report, PackageSet())
    with progress.shown("wrote") as report:
        size = write(contents, file, report)
    artifacts = sum(member.startswith(ARTIFACTS) for member in contents)
    progress.result(
        f"{file}: {size / 1e6:.1f} MB, {artifacts} artifacts and {len(carried)} Python wheels\n"
        f"There, in a checkout of the same commit: python3 dodo.py import {quote(file.name)}",
        "bundle", file=file, bytes=size, artifacts=artifacts, wheels=len(carried),
    )  # fmt: skip
