"""How long builds and checks take: `python -m tests.bench.bench_store [--download]`, on an idle
machine.

Prints seconds for a build with cached artifacts (goal: 20 s), for one with nothing to do (1 s), and
for `verify-store` (500 MB/s, or what the disk gives); with `--download`, also for a build with an
empty cache (60 s). Builds in a folder of its own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stack.paths import REPO, cache_dir
from stack.progress import Quiet
from stack.store import tree
from stack.store.packageset import PackageSet, realise
from stack.store.verify import verified

_NO_OP = {
    "nothing to do, new interpreter": [
        "-c",
        "from stack.store.packageset import realise; realise()",
    ],
    "nothing to do, `doit build`": ["dodo.py", "build"],
}


def timed(what: str, package_set: PackageSet) -> None:
    counting = Quiet()
    began = time.perf_counter()
    realise(package_set=package_set, report=counting)
    seconds = time.perf_counter() - began
    print(f"{what:34} {seconds:7.3f} s {counting.downloaded / 1e6:8.1f} MB downloaded")


def checked(what: str, package_set: PackageSet) -> None:
    began = time.perf_counter()
    found = verified((), package_set, Quiet())
    seconds = time.perf_counter() - began
    assert found.findings == []
    rate = found.size_bytes / 1e6 / seconds
    print(f"{what:34} {seconds:7.3f} s {found.size_bytes / 1e6:8.1f} MB, {rate:.0f} MB/s")


def read(folder: Path) -> float:
    """Seconds to read every file once, one after the other: what the disk gives."""
    began = time.perf_counter()
    for at in folder.rglob("*"):
        if at.is_file() and not at.is_symlink():
            at.read_bytes()
    return time.perf_counter() - began


def forget(folder: Path) -> None:
    """Have the kernel drop what it keeps of these files in memory."""
    os.sync()
    for at in folder.rglob("*"):
        if at.is_file() and not at.is_symlink():
            with at.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--download", action="store_true", help="also build from an empty cache")
    download = parser.parse_args().download
    realise()
    cache = Path(tempfile.mkdtemp(prefix="bench-", dir=cache_dir()))
    package_set = PackageSet(cache=cache)
    try:
        if download:
            timed("cold, empty cache", package_set)
        else:
            shutil.copytree(cache_dir() / "artifacts", cache / "artifacts")
        tree.remove(cache / "store")
        timed("cold, artifacts cached", package_set)
        timed("nothing to do, in process", package_set)
        for what, arguments in _NO_OP.items():
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments], cwd=REPO, check=True, stdout=subprocess.DEVNULL
            )
            print(f"{what:34} {time.perf_counter() - began:7.3f} s")
        checked("verify-store, read before", package_set)
        forget(cache)
        checked("verify-store, from the disk", package_set)
        forget(cache)
        print(f"{'the disk alone':34} {read(cache):7.3f} s")
    finally:
        tree.remove(cache)


if __name__ == "__main__":
    main()
