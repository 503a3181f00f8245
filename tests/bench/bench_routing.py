"""Our reader of routes against amtool's: `python -m tests.bench.bench_routing [--configurations N]
[--label-sets N] [--seed N]`.

Generated routing trees with every form of matcher; prints how many were compared, how many both
refuse, each disagreement (goal: none in 5,000 configurations by 20 label sets), and the time.
"""

import argparse
import sys
import time

from stack.store.packageset import realise
from tests.check.generated_routes import compared


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configurations", type=int, default=5000)
    parser.add_argument("--label-sets", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    program = realise(["alertmanager"])["alertmanager"] / "bin" / "amtool"
    began = time.monotonic()
    read = refused = differ = 0
    for count, declined, found in compared(
        given.configurations, sets=given.label_sets, seed=given.seed, program=program
    ):
        read, refused, differ = read + count, refused + declined, differ + len(found)
        for one in found:
            print(one)
    print(
        f"{read} configurations ({refused} refused) x {given.label_sets} label sets:"
        f" {differ} disagreements in {time.monotonic() - began:.0f} s"
    )
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
