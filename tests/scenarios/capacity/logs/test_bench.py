"""The bench and the search on a pair of known capacity, which reads so many lines a second."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.capacity.logs.bench import Bench
from scenarios.capacity.logs.run import objective_of
from scenarios.capacity.search import Died, Plan, Search
from scenarios.capacity.window import Verdict

LINE = json.dumps({"timestamp": "2026-11-24T11:10:10.691Z", "level": "INFO", "message": "GET /x",
                   "request_id": "a1", "status": 200, "request_time": "0.004s"})  # fmt: skip


class Known:
    """As much of a pair as the bench asks for: it takes `rate` lines a second and no more."""

    cores = {"shipper": 1}  # noqa: RUF012  # as the real one, which is asked for it

    def __init__(self, folder: Path, rate: float) -> None:
        self.log, self.data = folder / "backend.log", folder
        self.trouble = ""
        self._rate, self._newest = rate, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join(30)

    def newest(self, since: float) -> float:
        return self._newest

    def check(self) -> None:
        if self.trouble:
            raise Died(self.trouble)

    def processes(self) -> dict[str, int]:
        return {"shipper": os.getpid()}

    def figures(self) -> dict[str, float]:
        return {}

    def unread_bytes(self) -> float:
        return 0.0

    def _read(self) -> None:
        """Each line takes its time; a pause is not made up for."""
        self.log.touch()
        file, free_at = self.log.open(), time.time()
        while not self._over.wait(0.005):
            while free_at <= time.time():
                line = file.readline()
                if not line:
                    if (
                        self.log.exists()
                        and os.fstat(file.fileno()).st_ino != self.log.stat().st_ino
                    ):
                        file.close()
                        file = self.log.open()
                        continue
                    free_at = time.time()
                    break
                whole, ms = line[15:34], line[35:38]
                at = time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone
                self._newest = at + int(ms) / 1000
                free_at += 1 / self._rate
        file.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Known]:
    (tmp_path / "sample").write_text(f"{LINE}\n")
    made = Known(tmp_path, 400.0)
    yield made
    made.close()


@pytest.mark.nightly
def test_bench_sees_what_is_written_and_how_long_it_took(pair: Known, tmp_path: Path) -> None:
    with Bench(pair, tmp_path / "sample", tmp_path) as bench:  # type: ignore[arg-type]
        bench.settle(100, 2)
        window = bench.measure(3)
        assert window.offered == pytest.approx(100 * window.seconds, rel=0.1)
        assert window.served > 0.8 * window.seconds * 100
        assert window.failed == window.dropped == 0
        assert window.usage.keys() >= {"CPU of shipper", "generator CPU", "machine"}
        assert window.figures["bytes/s written"] > 100 * len(LINE)
        bench.settle(1200, 2)
        late = bench.measure(3)
        assert late.in_flight[1] > late.in_flight[0] + 100, "it falls behind by two thirds"
        bench.drain()
        assert pair.newest(0) == pytest.approx(bench.written.newest, abs=0.002)


@pytest.mark.nightly
def test_knee_of_a_pair_of_known_capacity_is_found(pair: Known, tmp_path: Path) -> None:
    plan = Plan(start=100.0, highest=5000.0, close=0.05, dwell_s=2.0, settle_s=1.0, budget_s=180.0)
    with Bench(pair, tmp_path / "sample", tmp_path) as bench:  # type: ignore[arg-type]
        found = Search(bench, objective_of(""), plan, time.monotonic).run()
    assert found.knee == pytest.approx(400, rel=0.07)
    assert {one.verdict for one in found.steps} == {Verdict.HOLDS, Verdict.BREACHES}


@pytest.mark.nightly
def test_pair_that_dies_makes_the_step_void(pair: Known, tmp_path: Path) -> None:
    plan = Plan(start=100.0, highest=5000.0, dwell_s=1.0, settle_s=0.5, budget_s=60.0)
    with Bench(pair, tmp_path / "sample", tmp_path) as bench:  # type: ignore[arg-type]
        threading.Timer(
            4.0, lambda: setattr(pair, "trouble", "the store died under the load")
        ).start()
        found = Search(bench, objective_of(""), plan, time.monotonic).run()
    assert found.ended == "the store died under the load; that step is void"


@pytest.mark.nightly
def test_writer_whose_disk_is_full_is_named(pair: Known, tmp_path: Path) -> None:
    pair.close()
    pair.log = Path("/dev/full")
    with (
        Bench(pair, tmp_path / "sample", tmp_path) as bench,  # type: ignore[arg-type]
        pytest.raises(Died, match="cannot be written: No space left on device"),
    ):
        bench.settle(100, 5)
