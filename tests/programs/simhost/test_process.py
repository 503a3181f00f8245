"""The process that keeps the simulated host's files alive."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.paths import REPO

Eventually = Callable[[Callable[[], object], str], object]


def idle_jiffies(root: Path) -> int:
    return int((root / "proc/stat").read_text().split()[4])


def available_kb(root: Path) -> int:
    return int((root / "proc/meminfo").read_text().split("MemAvailable:")[1].split()[0])


def test_host_lives(host: Any, eventually: Eventually) -> None:
    host.live()
    before = idle_jiffies(host.root)
    eventually(lambda: idle_jiffies(host.root) > before + 20, "the CPUs to move")
    assert host.log().count("\n") == 1, "only that it runs"
    assert "level=info source=simulated-host msg=running" in host.log()
    assert not (host.root / "proc/1/mountinfo").exists(), "only who mounts lists mounts"


def test_host_files_are_whole_at_every_moment(host: Any) -> None:
    host.live()
    for _ in range(20_000):
        assert (host.root / "proc/stat").read_bytes().endswith(b"softirq 0 0 0 0 0 0 0 0 0 0 0\n")


def test_host_goes_where_the_control_file_says_and_back(host: Any, eventually: Eventually) -> None:
    host.live()
    healthy = available_kb(host.root)
    host.set('{"memory_percent": 96}')
    eventually(lambda: available_kb(host.root) < healthy / 8, "memory to be used")
    host.set("{}")
    eventually(lambda: available_kb(host.root) > healthy / 2, "memory to come back")
    host.set('{"memory_percent": 96}')
    eventually(lambda: available_kb(host.root) < healthy / 8, "memory to be used")
    host.control.unlink()
    eventually(lambda: available_kb(host.root) > healthy / 2, "memory to come back")


def test_host_keeps_last_good_targets_when_the_control_file_is_bad(
    host: Any, eventually: Eventually
) -> None:
    host.set('{"memory_percent": 96}')
    host.live()
    used = available_kb(host.root)
    host.set('{"memory_percent": 960}')
    log = host.logged("last good values stay")
    before = idle_jiffies(host.root)
    eventually(lambda: idle_jiffies(host.root) > before + 40, "the CPUs to move")
    assert available_kb(host.root) == used
    assert host.log() == log, "said once"
    assert log.count("last good values stay") == 1
    assert f"control file `{host.control}`: `memory_percent` is 960" in log
    assert "expected a number from 0 to 100" in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_host_counters_go_on_after_a_restart(host: Any, number: int) -> None:
    process = host.live()
    process.send_signal(number)
    assert process.wait(10) == (0 if number == signal.SIGTERM else -number)
    stat = (host.root / "proc/stat").read_text().split()
    boot, before = stat[stat.index("btime") + 1], idle_jiffies(host.root)
    (host.root / "proc/net/dev").unlink()  # so that live() waits for a new one
    host.live()
    assert idle_jiffies(host.root) >= before
    assert f"btime {boot}\n" in (host.root / "proc/stat").read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"busy_s": 1}'], ids=repr)
def test_host_starts_from_scratch_from_a_state_that_is_damaged(host: Any, text: str) -> None:
    host.root.mkdir()
    (host.root / "state.json").write_text(text)
    host.live()
    assert json.loads((host.root / "state.json").read_text())["boot_time_s"] > 0


def test_host_in_a_folder_that_cannot_be_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "stack.programs.simhost", "--root", str(tmp_path / "file")]
    command += ["--control", str(tmp_path / "control.json")]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=30)
    assert done.returncode == 3
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr
