"""A log that may not grow: a program writes one, as Prometheus does, and says what came of it."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from loadgen.faults import write_ahead
from loadgen.faults.base import FaultFailed
from loadgen.faults.write_ahead import LogFull

WRITER = """
import os, sys
handle = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
at = os.pwrite(handle, b"x" * 100, 0)
print("ready", flush=True)
for _ in sys.stdin:
    try:
        at += os.pwrite(handle, b"y", at)
        print("written", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
"""


class Prometheus:
    """An instance whose Prometheus writes a byte when it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = SimpleNamespace(data=lambda service: folder, speed=60.0)
        for part in ("wal", "chunks_head"):
            (folder / part).mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder / "wal" / "00000003")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def pid(self, service: str) -> int:
        return self.process.pid

    def writes(self) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Any]:
    made = Prometheus(tmp_path)
    yield made
    made.process.communicate(timeout=20)


def test_log_cannot_be_written_until_the_end(prometheus: Any) -> None:
    (prometheus.folder / "wal" / "checkpoint.00000002").mkdir()
    (prometheus.folder / "wal" / "00000002").write_text("x" * 500)
    before = resource.prlimit(prometheus.pid(""), resource.RLIMIT_FSIZE)
    fault = LogFull()
    assert fault.verify(prometheus) is None
    assert prometheus.writes() == "written"
    fault.inject(prometheus)
    assert prometheus.writes() == "File too large"
    assert fault.verify(prometheus) == "`prometheus` may not make a file longer than 101 bytes"
    fault.undo(prometheus)
    assert prometheus.writes() == "written"
    assert fault.verify(prometheus) is None
    assert resource.prlimit(prometheus.pid(""), resource.RLIMIT_FSIZE) == before


def test_undo_is_harmless_when_nothing_was_limited(prometheus: Any) -> None:
    before = resource.prlimit(prometheus.pid(""), resource.RLIMIT_FSIZE)
    LogFull().undo(prometheus)
    assert resource.prlimit(prometheus.pid(""), resource.RLIMIT_FSIZE) == before


def test_log_that_somebody_else_filled_is_undone_all_the_same(prometheus: Any) -> None:
    LogFull().inject(prometheus)
    LogFull().undo(prometheus)
    assert prometheus.writes() == "written"


def test_prometheus_without_a_process_or_a_log_is_no_fault(prometheus: Any) -> None:
    next((prometheus.folder / "wal").iterdir()).unlink()
    with pytest.raises(FaultFailed, match="has no log that could be full"):
        LogFull().inject(prometheus)
    prometheus.pid = lambda service: 0
    with pytest.raises(FaultFailed, match="`prometheus` is not running"):
        LogFull().inject(prometheus)


@pytest.mark.parametrize(
    ("speed", "age_s", "waits"),
    [
        (60, 45, False),
        (60, 47, True),
        (60, 119, True),
        (60, 121, False),
        # At speed 1 a chunk is full after half an hour.
        (1, 60, False),
        (1, 1700, True),
        (1, 1861, False),
    ],
)
def test_fault_waits_for_the_first_file_of_chunks(
    prometheus: Any, monkeypatch: pytest.MonkeyPatch, speed: float, age_s: float, waits: bool
) -> None:
    prometheus.layout.speed = speed
    looked: list[float] = []

    def look(seconds: float) -> None:
        looked.append(seconds)
        (prometheus.folder / "chunks_head" / "000001").touch()

    created = psutil.Process(prometheus.pid("")).create_time()
    clock = SimpleNamespace(time=lambda: created + age_s, sleep=look)
    monkeypatch.setattr(write_ahead, "time", clock)
    fault = LogFull()
    fault.inject(prometheus)
    assert bool(looked) == waits
    fault.undo(prometheus)
