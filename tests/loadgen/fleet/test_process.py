"""The fleet as a process: it answers as a scheduler, and ends when whoever started it does."""

import json
import resource
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from loadgen.fleet import process
from loadgen.fleet.process import Fleet, check
from loadgen.fleet.roster import Plan
from stack.errors import BadInput, HostCannot
from stack.paths import REPO
from tests.waiting import eventually


def got(address: str, path: str) -> str:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        found: str = answer.read().decode()
    return found


def test_every_target_that_is_told_answers_and_no_other(busy: str, tmp_path: Path) -> None:
    (tmp_path / "shape").write_text(busy)
    targets = tmp_path / "fleet.json"
    with Fleet(Plan(targets=5), tmp_path / "shape", targets, tmp_path / "log") as fleet:
        told = json.loads(targets.read_text())
        assert len(told) == 5
        address = told[0]["targets"][0]
        for one in told:
            text = got(address, one["labels"]["__metrics_path__"])
            assert len(text.splitlines()) == len(busy.splitlines())
        for path in ("/scheduler-0006/metrics", "/", "/scheduler-0001", "/scheduler-0001/other"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                got(address, path)
            assert refused.value.code == 404
            refused.value.close()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://{address}/", data=b"x", timeout=30)
        assert refused.value.code == 405
        refused.value.close()
        pid = fleet.pid
    assert not targets.exists()
    assert not psutil.pid_exists(pid)


def test_text_that_is_no_scheduler_s_is_told_by_the_process_that_read_it(tmp_path: Path) -> None:
    (tmp_path / "shape").write_text("<html>\n")
    with pytest.raises(HostCannot, match=r"did not start: .*line 1 of what the fleet"):
        Fleet(
            Plan(targets=1), tmp_path / "shape", tmp_path / "t.json", tmp_path / "log"
        ).__enter__()


def test_fleet_ends_when_who_started_it_is_gone(busy: str, tmp_path: Path) -> None:
    (tmp_path / "shape").write_text(busy)
    targets = tmp_path / "fleet.json"
    words = ["-m", "loadgen.fleet", "--shape", tmp_path / "shape", "--tell", targets,
             "--targets", "1"]  # fmt: skip
    starts = (
        "import subprocess, sys, time, pathlib\n"
        "one = subprocess.Popen([sys.executable, *sys.argv[2:]])\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)\n"
        "print(one.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", starts, targets, *words], cwd=REPO, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    eventually(lambda: not psutil.pid_exists(int(done.stdout)), "the fleet to be gone")
    assert not targets.exists()


@pytest.mark.parametrize("targets", [0, -1, 1001])
def test_fleet_of_nobody_or_of_too_many_is_refused(targets: int) -> None:
    with pytest.raises(BadInput, match="1 to 1000"):
        check(Plan(targets=targets))


def test_more_targets_than_files_may_be_open_are_refused_with_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 512))
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: asked.append(limits))
    check(Plan(targets=300))
    assert asked == [(300 + process._SPARE, 512)], "raised as far as it is needed"
    with pytest.raises(HostCannot, match=r"1000 targets need 1064 open files, .* may have 512"):
        check(Plan(targets=1000))
