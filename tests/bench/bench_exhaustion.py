"""Prints what each attempt to exhaust a running stack costs: the memory of the program that it goes
to, how long its neighbours take to answer meanwhile, and how long until all is well again.

    python -m tests.bench.bench_exhaustion [WORDS OF A CASE]

The curves are memory over time, of the program attacked; ✗ marks a limit that was passed.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.services import SERVICES
from tests.exhaustion.cases import CASES, Case

LOOK_S = 0.05
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 24
NEIGHBOUR_S = 1.0
"""Others answer within so much."""
BACK_S = 5.0
"""All is well again within so much."""


@dataclass
class Seen:
    """What was looked at while a case went on."""

    memory: list[int] = field(default_factory=list)
    """Bytes resident, of the program attacked."""
    waited_s: dict[str, float] = field(default_factory=dict)
    """Service → its slowest answer."""


@contextmanager
def watched(instance: Instance, case: Case) -> Iterator[Seen]:
    seen, over = Seen(), threading.Event()

    def memory() -> None:
        while not over.is_set():
            with suppress(psutil.Error):
                seen.memory.append(psutil.Process(instance.pid(case.at)).memory_info().rss)
            over.wait(LOOK_S)

    def neighbour(name: str) -> None:
        while not over.is_set():
            began = time.monotonic()
            SERVICES[name].ready(instance.layout)
            took = time.monotonic() - began
            seen.waited_s[name] = max(seen.waited_s.get(name, 0.0), took)
            over.wait(0.2)

    others = [name for name, one in SERVICES.items() if "http" in one.ports and name != case.at]
    threads = [threading.Thread(target=memory)]
    threads += [threading.Thread(target=neighbour, args=(name,)) for name in others]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def curve(values: list[int], limit: int) -> str:
    step = max(1, len(values) // WIDTH)
    peaks = [max(values[at : at + step]) for at in range(0, len(values), step)][:WIDTH]
    return "".join(BARS[min(len(BARS) - 1, value * len(BARS) // limit)] for value in peaks)


def back_s(instance: Instance) -> float:
    """Seconds until every service answers its own probe."""
    began = time.monotonic()
    for service in SERVICES.values():
        while service.ready(instance.layout):
            time.sleep(0.02)
    return time.monotonic() - began


def main(words: str) -> None:
    print(
        f"{'case':<42} {'s':>5} {'MB':>5} {'curve':<{WIDTH}} {'restarts':>8} "
        f"{'slowest neighbour':<26} {'back in s':>9}"
    )
    with running("exhausted", speed=60.0) as instance:
        for case in CASES:
            if words not in case.name:
                continue
            before = {name: instance.pid(name) for name in SERVICES}
            began = time.monotonic()
            with watched(instance, case) as seen:
                case.send(instance)
                took = time.monotonic() - began
            back = back_s(instance)
            own = SERVICES[case.at].memory_limit_bytes
            restarts = [name for name, pid in before.items() if instance.pid(name) != pid]
            slow, slow_s = max(seen.waited_s.items(), key=lambda one: one[1])
            peak = max(seen.memory, default=0)
            marks = "✗" if own and peak > own else " "
            print(
                f"{case.name:<42} {took:5.1f} {peak / 1e6:4.0f}{marks} "
                f"{curve(seen.memory or [0], own or 500_000_000):<{WIDTH}} "
                f"{','.join(restarts) or '-':>8} "
                f"{slow:<18} {slow_s:5.2f}{'✗' if slow_s > NEIGHBOUR_S else ' '}  "
                f"{back:8.2f}{'✗' if back > BACK_S else ''}",
                flush=True,
            )


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
