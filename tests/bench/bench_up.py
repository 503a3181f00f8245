"""Prints how long `up` and `down` take and what the idle stack weighs: medians of a few rounds.

    python -m tests.bench.bench_up [ROUNDS]

The store is realised first; the first round makes the database and is shown apart.
"""

import statistics
import sys
import time

from stack.run.lifecycle import bring_down, bring_up
from stack.store.packageset import realise
from stack.tasks.instance import children, memory_bytes

NAME = "bench-up"
IDLE_S = 5.0
"""Seconds between ready and weighing, so that start-up's garbage is gone."""


def main(rounds: int) -> None:
    realise()
    bring_down(NAME, wipe=True)
    ups, downs, weights = [], [], []
    try:
        for _ in range(rounds + 1):
            began = time.monotonic()
            instance = bring_up(NAME, free_ports=True)
            ups.append(time.monotonic() - began)
            time.sleep(IDLE_S)
            pids = [state.pid for state in instance.supervisor.states().values()]
            families = children()
            weights.append(sum(memory_bytes(pid, families) for pid in pids) / 1e6)
            began = time.monotonic()
            bring_down(NAME)
            downs.append(time.monotonic() - began)
    finally:
        bring_down(NAME, wipe=True)
    print(f"up, empty database   {ups[0]:.2f} s")
    print(f"up, warm             {statistics.median(ups[1:]):.2f} s (median of {rounds})")
    print(f"down                 {statistics.median(downs):.2f} s")
    print(f"memory, idle         {statistics.median(weights):.0f} MB (shared pages counted once)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
