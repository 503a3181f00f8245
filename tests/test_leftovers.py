"""Runs of the tests that were killed, and what the next one makes of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from stack.paths import REPO
from tests import leftovers
from tests.waiting import eventually

RUN = """
import subprocess, sys, time
from pathlib import Path
from tests import leftovers
with leftovers.run(Path(sys.argv[1])):
    folder = leftovers.fresh("lab-", sys.argv[1])
    (folder / "closed").mkdir()
    (folder / "closed" / "file").touch()
    (folder / "closed").chmod(0o500)
    child = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL, start_new_session=True)
    print(folder, child.pid, flush=True)
    time.sleep(1000)
"""


def begun(parent: Path) -> tuple["subprocess.Popen[str]", Path, psutil.Process]:
    """A run, the folder that it made, and what it started."""
    run = subprocess.Popen([sys.executable, "-c", RUN, str(parent)], cwd=REPO, text=True,
                           stdout=subprocess.PIPE)  # fmt: skip
    assert run.stdout
    folder, pid = run.stdout.readline().split()
    return run, Path(folder), psutil.Process(int(pid))


def test_killed_run_is_cleared_away_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    (killed, gone, orphan), (alive, stays, child) = begun(tmp_path), begun(tmp_path)
    try:
        assert leftovers.sweep(tmp_path) == []
        killed.kill()
        killed.communicate()
        assert orphan.is_running()
        assert len(leftovers.sweep(tmp_path)) == 1
        eventually(lambda: not running(orphan), "what the killed run had started to end")
        assert not gone.exists()
        assert running(child)
        assert stays.exists()
    finally:
        for one in (orphan, child):
            if running(one):
                one.kill()
        alive.kill()
        alive.communicate()
    assert len(leftovers.sweep(tmp_path)) == 1
    assert [*tmp_path.iterdir()] == []


def running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_folder_that_no_run_marked_is_nobodys_to_remove(tmp_path: Path) -> None:
    (tmp_path / "lab-run-12345678").mkdir()
    assert leftovers.sweep(tmp_path) == []
    assert (tmp_path / "lab-run-12345678").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_run_of_another_user_is_left_alone(tmp_path: Path) -> None:
    run, folder, child = begun(tmp_path)
    run.kill()
    run.communicate()
    [marked] = tmp_path.glob("lab-run-*")
    os.chown(marked / "folders", 65534, 65534)
    assert leftovers.sweep(tmp_path) == []
    assert running(child)
    child.send_signal(signal.SIGKILL)
    os.chown(marked / "folders", 0, 0)
    assert leftovers.sweep(tmp_path) == [marked]
    assert not folder.exists()
