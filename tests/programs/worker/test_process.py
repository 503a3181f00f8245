"""The worker as a process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from stack.paths import REPO
from tests.waiting import eventually

Start = Callable[[], "subprocess.Popen[str]"]


def ask(folder: Path, **wishes: float) -> None:
    part = folder / "part"
    part.write_text(json.dumps(wishes))
    part.replace(folder / "worker.json")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started = []

    def begin() -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "stack.programs.worker",
                   "--control", str(tmp_path / "worker.json"),
                   "--beat", str(tmp_path / "beat")]  # fmt: skip
        process = subprocess.Popen(command, cwd=REPO, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_worker_works_and_stops(start: Start, tmp_path: Path) -> None:
    process = start()
    eventually((tmp_path / "beat").exists, "a job to be done")
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert log.splitlines()[0].endswith('msg="job `count_open_shifts` done" open_shifts=336')


def test_worker_crashes_when_asked_to(start: Start, tmp_path: Path) -> None:
    ask(tmp_path, crash_after_s=0.1)
    process = start()
    log, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    said = 'msg="job `count_open_shifts` failed" error="told to crash 0.1 s after the start"\n'
    assert log.endswith(f"Z level=error source=worker {said}")


def test_worker_burns_and_holds_until_the_control_file_is_gone(
    start: Start, tmp_path: Path
) -> None:
    process = psutil.Process(start().pid)
    eventually((tmp_path / "beat").exists, "a job to be done")
    ask(tmp_path, cpu_cores=1.0, memory_bytes=50_000_000)
    before = process.cpu_times().user
    eventually(lambda: process.cpu_times().user > before + 0.5, "CPU to be burnt")
    eventually(lambda: process.memory_info().rss > 49_000_000, "memory to be held")
    (tmp_path / "worker.json").unlink()
    eventually(lambda: process.memory_info().rss < 40_000_000, "memory to be given back")
    seen = process.cpu_times().user
    os.utime(tmp_path / "beat", (0, 0))
    # Half a second of work goes by until its next job; burning would take most of that.
    eventually(lambda: (tmp_path / "beat").stat().st_mtime > 0, "it to work on")
    assert process.cpu_times().user < seen + 0.3


def test_worker_says_what_it_cannot_use_and_keeps_running(start: Start, tmp_path: Path) -> None:
    ask(tmp_path, cpu_cores=7)
    process = start()
    eventually((tmp_path / "beat").exists, "a job to be done")
    process.terminate()
    log, _ = process.communicate(timeout=10)
    assert "`cpu_cores` is 7, expected a number from 0 to 1; the last good values stay" in log


def test_worker_without_a_place_for_its_beat_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stack.programs.worker", "--control", str(tmp_path / "c.json"),
               "--beat", str(tmp_path / "nowhere" / "beat")]  # fmt: skip
    done = subprocess.run(
        command, cwd=REPO, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith("worker: cannot write `")
    assert "Traceback" not in done.stderr
