"""Lines as a scheduler writes them, at a rate of their own, whoever reads them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from loadgen import loglines
from loadgen.loglines import Pace, Sample, Times, Writer
from stack.paths import REPO
from tests.waiting import eventually

ASKED, REFUSED, STARTED = (
    json.dumps({"timestamp": "2026-11-24T11:10:10.691Z", "level": level, "message": "GET /x",
                "request_id": given, "status": status, "request_time": took})
    for level, given, status, took in (("INFO", "a1", 200, "0.004s"),
                                       ("WARNING", "b2", 409, "0.017s"), ("INFO", None, None, None))
)  # fmt: skip


@pytest.mark.parametrize("is_tight", [False, True], ids=["spaces", "tight"])
def test_each_line_is_one_of_the_sample_with_a_time_an_id_and_a_duration_of_its_own(
    is_tight: bool,
) -> None:
    """Whether whoever writes JSON puts spaces into it or not."""
    given = [ASKED, REFUSED, STARTED]
    tight = [json.dumps(json.loads(one), separators=(",", ":")) for one in given]
    sample = Sample(tight if is_tight else given)
    assert len(sample) == 2, "what is about no request has no id"
    made = [sample.next("2026-12-01T00:00:00.123Z") for _ in range(200)]
    said = [json.loads(line) for line, _ in made]
    assert all(line.endswith("}\n") for line, _ in made)
    assert {one["timestamp"] for one in said} == {"2026-12-01T00:00:00.123Z"}
    assert len({one["request_id"] for one in said}) == 200
    assert {(one["status"], one["request_time"]) for one in said} == {
        (status, took) for status in (200, 409) for took in ("0.004s", "0.017s")
    }
    assert {(level, one["level"]) for (_, level), one in zip(made, said, strict=True)} == {
        ("info", "INFO"), ("warning", "WARNING")
    }  # fmt: skip


def test_lines_of_the_scheduler_itself_are_known() -> None:
    """As its own formatter writes them today."""
    said = subprocess.run(
        [sys.executable, "-c", _SAYS], cwd=REPO, capture_output=True, text=True, check=True,
        timeout=60,
    ).stdout.splitlines()  # fmt: skip
    assert len(Sample(said)) == 1, said


_SAYS = """
import logging
from stack.programs.scheduler import logs
logs.current.set(logs.Request(request_id="a1", method="GET", path="/x", status=200, seconds=0.01))
record = logging.LogRecord("scheduler.request", logging.INFO, "", 1, "GET /x 200", (), None)
print(logs.JsonFormatter().format(record))
"""


def test_lines_are_due_at_an_even_pace_and_none_is_left_out() -> None:
    pace = Pace(100.0)
    assert list(pace.due(101.0)) == []
    pace.change(10.0, 101.0)
    first = [*pace.due(101.95)]
    assert first == pytest.approx([101.1 + n / 10 for n in range(9)])
    late = [*pace.due(105.0)]
    assert len(first) + len(late) == 40
    assert all(b - a == pytest.approx(0.1) for a, b in pairwise([*first, *late]))
    pace.change(0.0, 105.0)
    assert list(pace.due(200.0)) == []


@pytest.mark.parametrize("at", [0.0, 1_795_518_610.691, 1_795_518_610.9999])
def test_times_are_written_as_the_scheduler_does(at: float) -> None:
    text = Times().text(at)
    assert text.endswith("Z")
    assert len(text) == len("2026-11-24T11:10:10.691Z")


def test_time_of_the_scheduler() -> None:
    assert Times().text(1_795_518_610.691) == "2026-11-24T11:10:10.691Z"


def test_file_is_rotated_as_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loglines, "ROTATED_BYTES", 4)
    file = tmp_path / "backend.log"
    file.write_text("0")
    writer = Writer(file)
    for text in ("111", "2222", "3333", "4444", "5555", "6"):
        assert writer.write(text) == len(text)
    found = {one.name: one.read_text() for one in tmp_path.iterdir()}
    assert found == {"backend.log": "6", "backend.log.1": "5555", "backend.log.2": "4444",
                     "backend.log.3": "3333"}  # fmt: skip


@contextmanager
def writing(folder: Path, to: Path) -> "Iterator[subprocess.Popen[str]]":
    """The program, as slow as nobody is."""
    (folder / "sample").write_text(f"{ASKED}\n{REFUSED}\n")
    (folder / "rate").write_text("0")
    run = subprocess.Popen(
        [sys.executable, "-m", "loadgen.loglines", "--to", str(to), "--sample",
         str(folder / "sample"), "--rate", str(folder / "rate")],
        cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield run
    run.kill()
    run.communicate(timeout=30)


def reported(run: "subprocess.Popen[str]") -> dict[str, Any]:
    assert run.stdout
    found: dict[str, Any] = json.loads(run.stdout.readline())
    return found


def test_rate_may_change_and_what_is_said_is_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "backend.log"
    with writing(tmp_path, file) as run:
        assert reported(run)["lines"] == 0
        (tmp_path / "rate").write_text("200")
        eventually(lambda: reported(run)["lines"] > 100, "lines")
        (tmp_path / "rate").write_text("0")
        before = reported(run)
        now = eventually(lambda: (one := reported(run)) and one["lines"] == before["lines"] and one)
        lines = file.read_text().splitlines()
        assert len(lines) == now["lines"] or len(lines) == before["lines"]
        assert file.stat().st_size == now["size_bytes"]


def test_disk_that_is_full_is_told(tmp_path: Path) -> None:
    with writing(tmp_path, Path("/dev/full")) as run:
        (tmp_path / "rate").write_text("100")
        told = eventually(lambda: reported(run)["trouble"], "trouble")
        assert told == "`/dev/full` cannot be written: No space left on device"
        assert run.wait(30) == 1


def test_sample_without_requests_is_told(tmp_path: Path) -> None:
    with writing(tmp_path, tmp_path / "x") as run:
        run.kill()
    (tmp_path / "sample").write_text(f"{STARTED}\n")
    done = subprocess.run(
        [sys.executable, "-m", "loadgen.loglines", "--to", "x", "--sample",
         str(tmp_path / "sample"), "--rate", "y"],
        cwd=REPO, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "has no line about a request" in done.stderr
