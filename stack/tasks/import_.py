"""`doit import`: a bundle, or one downloaded file, into the cache, without a network."""

from pathlib import Path

from stack import progress
from stack.errors import BadInput
from stack.paths import given
from stack.store.imports import import_artifact, import_bundle
from stack.store.packageset import PackageSet


def import_(files: list[str], artifact: str) -> None:
    """Import bundles, one artifact, or both, and print what is new here.

    Raises BadInput for what the lock does not pin; nothing of that is kept.
    """
    if not files and not artifact:
        raise BadInput(
            "name a bundle, or a downloaded file.",
            cure="`doit import BUNDLE`, or `doit import --artifact FILE` for one downloaded file.",
        )
    package_set = PackageSet()
    if artifact:
        file = _existing(artifact)
        known, new = import_artifact(file, package_set)
        outcome = "kept for `doit build`" if new else "it was here already"
        progress.result(f"{file.name} is {known}: {outcome}", "artifact", file=file, new=new)
    with progress.shown("read") as report:
        for file in map(_existing, files):
            paths, count = import_bundle(file, report, package_set)
            progress.result(f"{file.name}: all of it matches the lock, {count} artifacts new here",
                            "bundle", file=file, new=count)  # fmt: skip
            for name, path in paths.items():
                progress.result(f"{name:18} {path}", "package", name=name, path=path)


def _existing(path: str) -> Path:
    file = given(path)
    if not file.is_file():
        raise BadInput(f"there is no file `{file}`.", cure="Name a file that can be read.")
    return file
