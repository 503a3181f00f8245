"""`doit capacity logs` on a real pair: whole, interrupted, and with a shipper that is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.capacity.logs.pair import OWN, SHIPPER
from scenarios.capacity.logs.run import USUAL, Wish, logs
from scenarios.capacity.search import Plan
from stack.errors import CheckFailed
from stack.paths import REPO
from stack.run.instance import Instance, names
from tests.waiting import eventually

SHORT = Plan(start=100.0, highest=400.0, dwell_s=2.0, settle_s=1.0, budget_s=90.0)
"""No knee is reached: so few lines are shipped by the busiest machine."""


def report(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "latest" / "report.json").read_text())
    return found


@pytest.mark.nightly
def test_pair_is_measured_and_nothing_is_left_of_it(state_dir: Path, tmp_path: Path) -> None:
    logs(Wish(plan=SHORT, volumes=(2000, 40_000, 80_000), need=50.0), tmp_path)
    found = report(tmp_path)
    assert OWN not in names()
    assert found["shortcomings"] == []
    assert "At least 400 lines/s" in str(found["answer"])
    steps = found["steps"]
    assert isinstance(steps, list)
    assert [one["rate"] for one in steps] == [100, 200, 400]
    for one in steps:
        assert one["written"] == pytest.approx(one["rate"], rel=0.1)
        figures = one["figures"]
        assert figures["lines/s stored"] == pytest.approx(one["rate"], rel=0.3)
        # The pair's own figure and what can be queried tell the same.
        assert abs(figures["lag by the shipper's own figures"] - figures["lag"]) < 1
    assert found["unshipped"] == 0
    volumes = found["volumes"]
    assert isinstance(volumes, list)
    assert [one["lines"] for one in volumes] == [2000, 40_000, 80_000]
    disk = found["disk"]
    assert isinstance(disk, dict)
    # An id of 128 random bits takes 16 bytes at the least.
    assert 16 < disk["bytes_per_line"] < disk["text_bytes"]
    assert (tmp_path / "latest" / "report.html").exists()


@pytest.mark.nightly
def test_shipper_that_is_killed_ends_it_with_what_there_is(state_dir: Path, tmp_path: Path) -> None:
    def kill() -> None:
        eventually(lambda: next(tmp_path.glob("*/writer.log")), "the search", within_s=120)
        os.kill(Instance.open(OWN).pid(SHIPPER), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(CheckFailed, match="the shipper died under the load"):
        logs(Wish(plan=SHORT, volumes=(2000,)), tmp_path)
    killer.join(60)
    assert "the shipper died under the load" in str(report(tmp_path)["ended"])


@pytest.mark.nightly
def test_ctrl_c_gives_a_report_of_what_there_is(
    state_dir: Path, tmp_path: Path, at_end: Callable[["subprocess.Popen[str]"], None]
) -> None:
    run = subprocess.Popen(
        [sys.executable, "dodo.py", "capacity", "logs", "--for", "5m"], cwd=REPO, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "STACK_REPORTS": str(tmp_path)},
    )  # fmt: skip
    at_end(run)
    assert run.stdout
    for line in run.stdout:
        if "lines in the hour" in line:
            break
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 130, out + err
    assert "It ended early: it was interrupted." in out
    assert report(tmp_path)["volumes"]
    assert OWN not in names()


@pytest.fixture
def at_end(request: pytest.FixtureRequest) -> Callable[["subprocess.Popen[str]"], None]:
    """What a failed test leaves running is ended."""

    def end(run: "subprocess.Popen[str]") -> None:
        run.terminate()
        run.communicate(timeout=60)

    return lambda run: request.addfinalizer(lambda: end(run))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("logs", "--instance", "x"), "--instance says nothing of the capacity of logs"),
        (("logs", "--backends", "2"), "--backends says nothing of the capacity of logs"),
        (("logs", "scheduler"), "one at a time"),
        (("logs", "--slo", "latency=2s"), "is not an objective of logs"),
        (("logs", "--start", "900", "--highest", "800"), "--start 900 is above --highest 800"),
        (("logs", "--need", "many"), "`many` is not a number"),
        (("lines",), "lines"),
        (("logs", "--baseline", "/nowhere"), "--baseline: `/nowhere`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_told_in_a_line(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run(
        [sys.executable, "dodo.py", "capacity", *words], cwd=REPO, text=True, capture_output=True,
        check=False, timeout=120, env={**os.environ, "STACK_STATE": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_usual_search_begins_where_any_pair_holds() -> None:
    assert USUAL.start <= 500
    assert USUAL.highest >= 100_000
