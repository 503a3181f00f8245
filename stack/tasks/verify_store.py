"""`doit verify-store`: hash again what was built and downloaded, and repair what is damaged."""

import time
from collections.abc import Iterable

from stack import progress
from stack.errors import CheckFailed
from stack.store.packageset import PackageSet
from stack.store.verify import verified

_HOST = PackageSet()


def verify_store(packages: Iterable[str], package_set: PackageSet = _HOST) -> None:
    """Check store paths and artifacts (of some packages only, if any are named), repair what is
    wrong, and print both. Raises CheckFailed if something wrong is left."""
    began = time.monotonic()
    with progress.shown() as report:
        checked = verified(tuple(packages), package_set, report)
    seconds = time.monotonic() - began
    for finding in checked.findings:
        progress.result(f"{finding.what}: {finding.then}", "finding", what=finding.what,
                        then=finding.then, repaired=finding.repaired)  # fmt: skip
    megabytes = checked.size_bytes / 1e6
    left = sum(not finding.repaired for finding in checked.findings)
    progress.result(
        f"{checked.store_paths} store paths, {checked.artifacts} artifacts, {checked.files} files: "
        f"{megabytes:.0f} MB in {seconds:.2f} s ({megabytes / seconds:.0f} MB/s); "
        f"{len(checked.findings)} wrong, {len(checked.findings) - left} repaired",
        "over", store_paths=checked.store_paths, artifacts=checked.artifacts, files=checked.files,
        bytes=checked.size_bytes, wrong=len(checked.findings), left=left,
    )  # fmt: skip
    if left:
        raise CheckFailed(
            f"{left} of {len(checked.findings)} could not be repaired; the lines above say why.",
            cure="Fix that and repeat the command. `doit gc` removes what is not in the lock.",
        )
