"""How long a build takes: `python -m tests.bench.bench_store [--download]`, on an idle machine.

Prints seconds for a build with cached artifacts and for one with nothing to do; with
`--download`, also for one with an empty cache. Builds in a folder of its own.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stack.paths import REPO, cache_dir
from stack.store import Source, realise, tree
from stack.store.progress import Quiet

_NO_OP = "from stack.store import realise; realise()"


def timed(what: str, source: Source) -> None:
    counting = Quiet()
    began = time.perf_counter()
    realise(source=source, report=counting)
    seconds = time.perf_counter() - began
    print(f"{what:34} {seconds:7.3f} s {counting.downloaded / 1e6:8.1f} MB downloaded")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--download", action="store_true", help="also build from an empty cache")
    download = parser.parse_args().download
    realise()
    cache = Path(tempfile.mkdtemp(prefix="bench-", dir=cache_dir()))
    source = Source(cache=cache)
    try:
        if download:
            timed("cold, empty cache", source)
        else:
            shutil.copytree(cache_dir() / "artifacts", cache / "artifacts")
        tree.remove(cache / "store")
        timed("cold, artifacts cached", source)
        timed("nothing to do, in process", source)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", _NO_OP], cwd=REPO, check=True)
        print(f"{'nothing to do, new interpreter':34} {time.perf_counter() - began:7.3f} s")
    finally:
        tree.remove(cache)


if __name__ == "__main__":
    main()
