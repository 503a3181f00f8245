"""`doit sbom`: the bill of materials of the packages and of the Python requirements."""

from stack import progress
from stack.paths import given
from stack.store.packageset import PackageSet
from stack.store.sbom import document, write


def sbom(output: str) -> None:
    """Write the bill of materials to a file, or print it if none is named."""
    with progress.shown() as report:
        if not output:
            print(document(report, PackageSet()), end="")
            return
        count = write(given(output), report, PackageSet())
    print(f"{given(output)}: CycloneDX 1.6, {count} components")
