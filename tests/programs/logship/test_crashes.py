"""The shipper killed at random moments while lines are written and files are rotated."""

import random
import signal
import threading
import time

import pytest

from tests.waiting import eventually

from .conftest import FakeLoki, Place
from .test_shipping import rotate

KILLS = [pytest.param(6, id="six"), pytest.param(50, id="fifty", marks=pytest.mark.nightly)]


class Writer(threading.Thread):
    """Writes lines of all kinds: equal ones, some without a time, some in two writes, blocks."""

    def __init__(self, place: Place, chance: random.Random) -> None:
        super().__init__()
        self.place, self.chance = place, chance
        self.written: list[str] = []
        """The blocks that must arrive; equal ones appear more than once."""
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            with self.place.log.open("a") as file:
                for _ in range(self.chance.randrange(60)):
                    self.one(file)
            if self.chance.random() < 0.02:
                rotate(self.place.log, keep=200)  # none is deleted: it might not be read yet
            time.sleep(self.chance.random() * 0.02)

    def one(self, file) -> None:
        now_ns = time.time_ns()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_ns // 10**9))
        line = f"{stamp}.{now_ns // 10**6 % 1000:03}Z INFO {len(self.written) // 2}"
        kind = self.chance.random()
        if kind < 0.02:
            line = f"{len(self.written)} has no time"
        elif kind < 0.04:
            line += "\n  and more\n  of it"
        if kind > 0.99:
            file.write(line[:10])
            file.flush()
            file.write(line[10:])
        else:
            file.write(line)
        file.write("\n")
        self.written.append(line)


@pytest.mark.parametrize("kills", KILLS)
def test_every_line_is_there_once_whenever_the_shipper_is_killed(
    place: Place, loki: FakeLoki, kills: int
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    loki.after_keeping = [chance.choice([204, 204, 204, 500]) for _ in range(200)]
    writer = Writer(place, chance)
    writer.start()
    try:
        for _ in range(kills):
            before, process = loki.pushes, place.spawn()
            eventually(lambda: loki.pushes > before, within_s=60)  # noqa: B023 (asked at once)
            time.sleep(chance.random() * 0.3)
            process.send_signal(signal.SIGKILL)
            process.wait()
    finally:
        writer.done.set()
        writer.join()
    place.spawn()
    wanted = sorted(writer.written)
    eventually(lambda: len(loki.kept) >= len(wanted), within_s=60)
    time.sleep(0.3)  # for what must not come
    assert sorted(line for _, _, line in list(loki.kept)) == wanted
