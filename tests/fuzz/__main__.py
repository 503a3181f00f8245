"""`python -m tests.fuzz TARGET N` plays input N of a target again; `TARGET FIRST COUNT` many."""

import sys
import time

from tests.fuzz.harness import made, run
from tests.fuzz.targets import TARGETS


def main(name: str, first: int, count: int) -> int:
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    target = TARGETS[name]
    if count == 1:
        print(f"{made(target, first)[:2000]!r}")
    began, found = time.monotonic(), 0
    for finding in run(target, first, count):
        print(finding, flush=True)
        found += 1
    took_s = time.monotonic() - began
    print(f"{name}: {count} inputs, {count / took_s:.0f} a second, {found} findings", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in TARGETS:
        sys.exit(f"{__doc__}\nTargets: {', '.join(TARGETS)}")
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int((*sys.argv, 1)[3])))
