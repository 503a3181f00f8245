"""Prints what commands that people type all day cost before they answer: CPU seconds, the least of
a few rounds, since others may use the machine. Modules and their own milliseconds with `--imports`.

    python -m tests.bench.bench_startup [ROUNDS] [--imports]
"""

import os
import resource
import subprocess
import sys
from collections import Counter

from stack.paths import REPO

COMMANDS = ("list", "help", "up --help", "status", "completion bash -- verify-alerts Post")
GOAL_S = 0.3


def main(rounds: int, *, imports: bool) -> None:
    for words in COMMANDS:
        command = [sys.executable, "dodo.py", *words.split()]
        least = min(_cpu_s(command) for _ in range(rounds))
        print(f"doit {words:40} {least:.2f} s of CPU (goal: {GOAL_S})")
        if imports:
            for name, milliseconds in _imports(words).most_common(12):
                print(f"    {milliseconds:6.1f} ms  {name}")


def _cpu_s(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=False, env=dict(os.environ))  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _imports(words: str) -> Counter[str]:
    """Package → milliseconds of its modules alone."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "stack.tasks", *words.split()],
        cwd=REPO, capture_output=True, text=True, check=False,
    )  # fmt: skip
    spent: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        own, _, name = line.removeprefix("import time:").partition("|")
        if line.startswith("import time:") and own.strip().isdigit():
            package = ".".join(name.rpartition("|")[2].strip().split(".")[:2])
            spent[package] += int(own) / 1000  # type: ignore[assignment]
    return spent


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if word.isdigit()]
    main(int(given[0]) if given else 5, imports="--imports" in sys.argv)
