"""Writes log lines as the scheduler does, at a rate of its own: `python -m loadgen.loglines`.

The lines are a scheduler's own, given as a sample: each is one of them, with the time at which it
was due, an id of its own and the duration of another one. Lines are due at an even pace whatever
becomes of those before (the open model), so that what is slow to read them is seen. The file is
rotated as supervisord does it with the real one. The rate, in lines a second, is that of a file;
figures go to standard output, a JSON object four times a second.
"""

import argparse
import json
import os
import random
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

ROTATED_BYTES, BACKUPS = 10 << 20, 3
"""Of supervisord's files (`stack.run.supervisor`)."""

TICK_S = 0.005
REPORT_S = 0.25
LATE_S = 0.1
"""A line that is written so long after it was due waited for this program."""

_VARIES = re.compile(
    r'(.*"timestamp": ?")[^"]+(".*"request_id": ?")[^"]+(".*"request_time": ?")([^"]+)(".*)'
)
_LEVEL = re.compile(r'"level": ?"(\w+)"')
_ID_BITS = 128


@dataclass(frozen=True, kw_only=True)
class Template:
    """A line without its time, its id and how long the request took."""

    parts: tuple[str, str, str, str]
    level: str
    """In lower case, as the shipper labels it."""

    def line(self, at: str, chance: random.Random, took: str) -> str:
        """With its newline; `at` as the scheduler writes times."""
        head, middle, then, tail = self.parts
        number = chance.getrandbits(_ID_BITS)
        return f"{head}{at}{middle}{number:032x}{then}{took}{tail}\n"


class Sample:
    """Lines like those of a scheduler, endlessly: each is one of them, with an id of its own and
    the duration of another one. Repeated as they are, a store would keep them in no room at all."""

    def __init__(self, lines: Iterable[str], seed: int = 0) -> None:
        """Of those that are about a request: only they have an id, without which a store keeps one
        of several that are due in the same millisecond."""
        found = [match for one in lines if (match := _VARIES.fullmatch(one))]
        self._templates = [
            Template(parts=(one[1], one[2], one[3], one[5]), level=_level(one[2])) for one in found
        ]
        self._took = [one[4] for one in found]
        self._chance = random.Random(seed)

    def __len__(self) -> int:
        return len(self._templates)

    def next(self, at: str) -> tuple[str, str]:
        """A line with its newline, and its level."""
        one = self._chance.choice(self._templates)
        return one.line(at, self._chance, self._chance.choice(self._took)), one.level


def _level(words: str) -> str:
    found = _LEVEL.search(words)
    return found[1].lower() if found else "info"


class Pace:
    """When lines are due, at a rate that may change."""

    def __init__(self, now: float) -> None:
        self._next, self._rate = now, 0.0

    def change(self, rate: float, now: float) -> None:
        """From now on."""
        if rate != self._rate:
            self._rate, self._next = rate, now + (1 / rate if rate else 0.0)

    def due(self, now: float) -> Iterator[float]:
        """When each line was due that is by now, oldest first."""
        if not self._rate:
            return
        first, gap = self._next, 1 / self._rate
        count = max(0, int((now - first) * self._rate) + 1) if now >= first else 0
        self._next = first + count * gap
        for nth in range(count):
            yield first + nth * gap


@dataclass
class Figures:
    """Since the start."""

    at: float = 0.0
    """Unix seconds, when they were said."""
    lines: int = 0
    size_bytes: int = 0
    late: int = 0
    newest: float = 0.0
    """When the last line was due, Unix seconds."""
    trouble: str = ""
    """Why nothing more is written; empty while all is well."""


class Times:
    """Unix seconds as the scheduler writes them: to the millisecond, in UTC."""

    def __init__(self) -> None:
        self._second, self._whole = -1, ""

    def text(self, at: float) -> str:
        ms = int(at * 1000)
        if ms // 1000 != self._second:
            self._second = ms // 1000
            self._whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self._second))
        return f"{self._whole}.{ms % 1000:03}Z"


class Writer:
    """Appends to a file. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    def write(self, text: str) -> int:
        """Bytes written; the file is another one when this one is long enough."""
        data = memoryview(text.encode())
        size = len(data)
        while data:
            data = data[os.write(self._file, data) :]
        self._bytes += size
        if self._bytes >= ROTATED_BYTES:
            self._rotate()
        return size

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._bytes = os.fstat(self._file).st_size

    def _rotate(self) -> None:
        os.close(self._file)
        named = [self._path, *(Path(f"{self._path}.{nth}") for nth in range(1, BACKUPS + 1))]
        for older, newer in zip(reversed(named), reversed(named[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)
        self._open()


def run(path: Path, sample: Sample, rate: Path) -> int:
    """Until standard output is closed or the file cannot be written; the exit code."""
    times, figures = Times(), Figures()
    writer, pace, said = Writer(path), Pace(time.time()), 0.0
    while not figures.trouble:
        now = time.time()
        with suppress(ValueError):  # it is being written
            pace.change(float(rate.read_text()), now)
        text = []
        for at in pace.due(now):
            figures.late += now - at > LATE_S
            figures.newest = at
            text.append(sample.next(times.text(at))[0])
        try:
            figures.size_bytes += writer.write("".join(text))
            figures.lines += len(text)
        except OSError as error:
            figures.trouble = f"`{path}` cannot be written: {error.strerror}"
        if now >= said + REPORT_S or figures.trouble:
            said = figures.at = now
            print(json.dumps(asdict(figures)), flush=True)
        time.sleep(max(0.0, now + TICK_S - time.time()))
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadgen.loglines", description=__doc__)
    parser.add_argument("--to", type=Path, required=True, help="file to append to")
    parser.add_argument("--sample", type=Path, required=True, help="file with a scheduler's lines")
    parser.add_argument("--rate", type=Path, required=True, help="file with lines a second")
    options = parser.parse_args()
    sample = Sample(options.sample.read_text().splitlines(), seed=time.time_ns())
    if not len(sample):
        print(f"`{options.sample}` has no line about a request.", file=sys.stderr)
        return 2
    try:
        return run(options.to, sample, options.rate)
    except (BrokenPipeError, KeyboardInterrupt):
        return 0


if __name__ == "__main__":
    sys.exit(main())
