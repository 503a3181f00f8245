"""The store and the shipper together, each killed at random moments while lines are written."""

import contextlib
import itertools
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.paths import CONFIG_ROOT, REPO
from stack.run.service import Layout
from stack.run.services import promtail
from tests.programs.logship.test_shipping import rotate
from tests.programs.logstore.conftest import Running, configuration, free_port, start
from tests.waiting import eventually

KILLS = [
    pytest.param(4, id="four"),
    pytest.param(50, id="fifty", marks=[pytest.mark.nightly, pytest.mark.timeout(900)]),
]
BACKLOG = 40_000
"""Lines that are there at once: more than a memtable holds, so that segments are written."""
LIMIT = 5000
"""The most entries that the checked-in configuration lets a query ask for."""
HOUR_NS = 3600 * 10**9


class Writer(threading.Thread):
    """Writes numbered lines as the scheduler does, 2,000 a second, and has them rotated."""

    def __init__(self, log: Path, chance: random.Random) -> None:
        super().__init__()
        self.log, self.chance = log, chance
        self.lines: list[str] = []
        self.size_bytes = 0
        self.numbers = itertools.count()
        self.done = threading.Event()

    def run(self) -> None:
        self.write(BACKLOG)
        while not self.done.wait(0.02):
            self.write(40)
            if self.chance.random() < 0.01:
                rotate(self.log, keep=1000)  # none is deleted: it might not be read yet

    def write(self, count: int) -> None:
        """In two pieces, the first of which may end within a line."""
        new = [line for _ in range(count) for line in self.entry()]
        text = "".join(f"{line}\n" for line in new)
        cut = self.chance.randrange(len(text))
        with self.log.open("a", encoding="ascii") as file:
            file.write(text[:cut])
            file.flush()
            file.write(text[cut:])
        self.lines += new
        self.size_bytes += len(text)

    def entry(self) -> list[str]:
        """Lines with a number of their own, and a time that hundreds of them share."""
        number, kind = next(self.numbers), self.chance.random()
        if kind < 0.03:  # these have no time of their own
            return [f"Traceback (most recent call last): {number}", f"KeyError: {number}"]
        now_s, tenth = divmod(time.time_ns() // 10**8, 10)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_s))
        level = "ERROR" if kind < 0.1 else "INFO"
        return [f'{{"timestamp": "{stamp}.{tenth}00Z", "level": "{level}", "n": {number}}}']


class Pair:
    """Both processes, with the checked-in configurations."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        layout = Layout(
            name="test", directory=folder, config_root=CONFIG_ROOT, speed=1.0,
            ports={"loki": {"http": port}, "promtail": {"http": free_port()}},
            addresses={"loki:3100": f"127.0.0.1:{port}"}, packages={},
        )  # fmt: skip
        self.log = layout.log("backend")
        for made in (self.log.parent, layout.data("promtail"), layout.config("promtail")):
            made.mkdir(parents=True)
        for name, text in promtail.config(layout).items():
            (layout.config("promtail") / name).write_text(text)
        token = layout.secret("shipper_token")
        token.parent.mkdir()
        token.write_text("0123abcd")
        self.positions = layout.data("promtail") / "positions-embedded.yaml"
        self._folder, self._port, self._config = folder, port, configuration(folder, port)
        self._known = ["--shipper", str(token)]
        store = [sys.executable, "-m", "stack.programs.logstore", "--config", str(self._config)]
        self._commands = {
            "store": [*store, *self._known],
            "shipper": promtail.command(layout),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        self._processes[name] = subprocess.Popen(self._commands[name], cwd=REPO)

    def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        ended = process.poll()
        process.kill()
        process.wait(10)
        assert ended is None, f"the {name} had ended by itself, with {ended}"

    def end(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait(10)

    def acknowledged_bytes(self) -> int:
        """How much of all files the store has, as the shipper wrote it down."""
        if not self.positions.exists():
            return 0
        return sum(
            file["mark"]["offset"] for file in json.loads(self.positions.read_text())["files"]
        )

    def wait_for_commit(self) -> None:
        """Return during a push: the store has begun to write it, and has not answered yet."""
        before = self._wal()
        eventually(lambda: self._wal() != before, within_s=60, every_s=0.0005)

    def _wal(self) -> tuple[str, int]:
        """The log that the store writes to, and how long it is."""
        for newest in sorted((self._folder / "data/logstore/wal").glob("*.wal"))[-1:]:
            with contextlib.suppress(FileNotFoundError):  # a segment has it since a moment
                return newest.name, newest.stat().st_size
        return "", 0

    def opened(self) -> Running:
        """The store, when it answers."""
        store = start(self._folder, self._port, self._config, *self._known)
        self._processes["store"] = store.process
        return store


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.end()


def entries(store: Running, start_ns: int, end_ns: int) -> list[tuple[int, str]]:
    """Times and texts of the first entries of all streams, in order."""
    found = store.get(
        "/loki/api/v1/query_range", query='{job=~".+"}', direction="forward", limit=LIMIT,
        start=str(start_ns), end=str(end_ns),
    )  # fmt: skip
    assert found.status_code == 200, found.text
    streams = found.json()["data"]["result"]
    return sorted((int(at_ns), text) for stream in streams for at_ns, text in stream["values"])


def lines_between(store: Running, start_ns: int, end_ns: int) -> list[str]:
    """All lines of all streams, in pages."""
    lines: list[str] = []
    while True:
        page = entries(store, start_ns, end_ns)
        last_ns = page[-1][0] if len(page) == LIMIT else end_ns
        # A page may end among entries of one time: those are left to the next one.
        lines += [line for at, text in page if at < last_ns for line in text.split("\n")]
        if last_ns == end_ns:
            return lines
        assert start_ns < last_ns, f"{LIMIT} entries have the time {start_ns}"
        start_ns = last_ns


@pytest.mark.parametrize("kills", KILLS)
def test_every_line_is_there_once_whenever_store_and_shipper_are_killed(
    pair: Pair, kills: int
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    victims = ["store", "shipper"] * (kills // 2)
    chance.shuffle(victims)
    writer = Writer(pair.log, random.Random(seed))
    pair.start("store")
    pair.start("shipper")
    writer.start()
    try:
        for victim in victims:
            moment = chance.choice(["starting", "working", "committing"])
            if moment != "starting":
                before = pair.acknowledged_bytes()
                eventually(lambda: pair.acknowledged_bytes() > before, within_s=60)  # noqa: B023
            time.sleep(chance.random() * 0.3)
            if moment == "committing":
                pair.wait_for_commit()
            pair.kill(victim)
            time.sleep(chance.random() * 0.2)
            pair.start(victim)
    finally:
        writer.done.set()
        writer.join()
    eventually(lambda: pair.acknowledged_bytes() == writer.size_bytes, within_s=60)
    pair.kill("store")  # so that the answer is what the disk holds
    now_ns = time.time_ns()
    found = Counter(lines_between(pair.opened(), now_ns - HOUR_NS, now_ns + HOUR_NS))
    wanted = Counter(writer.lines)
    assert not (missing := wanted - found), told(missing, "missing")
    assert not (surplus := found - wanted), told(surplus, "there too often")


def told(lines: Counter[str], what: str) -> str:
    return "\n".join([f"{lines.total()} lines are {what}, such as", *sorted(lines)[:3]])


def test_lines_get_through_whatever_others_push(pair: Pair) -> None:
    """A neighbour uses up all streams that it may have before the lab's first line is read."""
    store = pair.opened()
    now_ns = time.time_ns()
    for first in range(0, 20_000, 5_000):
        answer = store.push_streams(
            [({"n": str(n)}, [(now_ns, "mine")]) for n in range(first, first + 5_000)]
        )
        assert answer.status_code in (204, 429)
    assert answer.status_code == 429
    line = json.dumps({"timestamp": "", "level": "error", "message": "told all the same"})
    pair.log.write_text(f"{line}\n")
    pair.start("shipper")
    eventually(lambda: store.lines('{job="scheduler"} |= "told all the same"'), within_s=30)
