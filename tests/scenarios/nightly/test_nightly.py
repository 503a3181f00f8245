"""A night of small stages of its own: what each comes to, what is said, and what goes on later."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from scenarios.nightly import ledger
from scenarios.nightly.run import KIND, nightly
from scenarios.nightly.stages import STAGES, Stage
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import REPO
from tests.waiting import eventually

PYTHON = (sys.executable, "-c")
"""A stage's commands are lines of Python here."""

GRACE_S = 10.0


def stage(name: str, *lines: str, **more: object) -> Stage:
    return Stage(**{"limit_s": 30.0, **more, "name": name, "commands": [[one] for one in lines]})  # type: ignore[arg-type]


GOOD = stage("good", "print('well')")
BAD = stage("bad", "print('before'); raise SystemExit('it broke.')", "open('never', 'w')")

Night = Callable[..., None]


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    monkeypatch.setattr(ledger, "sources", lambda: "abc")
    reports = tmp_path / "reports"

    def run(*stages: Stage, **more: object) -> None:
        nightly(stages=stages, program=PYTHON, reports=reports, grace_s=GRACE_S, **more)  # type: ignore[arg-type]

    return run


@pytest.fixture
def last(tmp_path: Path) -> Callable[[], dict[str, dict[str, object]]]:
    """What the last night's ledger says, by stage."""

    def read() -> dict[str, dict[str, object]]:
        found = json.loads((tmp_path / "reports" / "nightly" / ledger.FILE).read_text())
        return {one["stage"]: one for one in found["outcomes"]}

    return read


Last = Callable[[], dict[str, dict[str, object]]]


def test_all_that_passed_is_said_in_a_line_each(
    night: Night, last: Last, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night(GOOD, stage("other", "print(1)", "print(2)"))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "commit abc: 2 passed in 0 s"
    assert [line.split()[:2] for line in said[1:3]] == [["good", "passed"], ["other", "passed"]]
    folder = tmp_path / "reports" / "nightly"
    assert (folder / "other" / "log.txt").read_text() == "1\n2\n"
    assert (folder / "summary.txt").read_text().splitlines() == said[:3]
    assert {one["verdict"] for one in last().values()} == {"passed"}


def test_one_that_fails_keeps_the_others_from_nothing_and_is_named(
    night: Night, last: Last, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CheckFailed, match=r"^not good: bad\.") as failed:
        night(GOOD, BAD, stage("after", "pass"))
    assert "--resume" in failed.value.cure
    assert [one["verdict"] for one in last().values()] == ["passed", "failed", "passed"]
    assert not (REPO / "never").exists()
    said = capsys.readouterr().out
    assert "commit abc: 2 passed, 1 failed in 0 s" in said
    log = (tmp_path / "reports" / "nightly").resolve() / "bad" / "log.txt"
    assert f"    it broke.\n    {log}\n" in said
    table = (tmp_path / "reports" / "nightly" / "summary.md").read_text()
    assert "| bad | **failed** | 0 s | it broke. | bad/log.txt |" in table


def test_what_needs_one_that_failed_is_not_run(night: Night, last: Last) -> None:
    with pytest.raises(CheckFailed, match="not good: build"):
        night(GOOD, stage("build", "raise SystemExit(1)", vital=True), stage("after", "pass"))
    assert last()["after"]["verdict"] == "not run"
    assert last()["after"]["said"] == "it needs `build`"


def test_what_this_machine_cannot_do_is_no_failure_of_a_check(night: Night, last: Last) -> None:
    with pytest.raises(HostCannot, match="not good: host"):
        night(GOOD, stage("host", "print('the disk is full.'); raise SystemExit(3)"))
    assert last()["host"]["verdict"] == "blocked"
    assert last()["host"]["said"] == "the disk is full."
    with pytest.raises(CheckFailed):
        night(BAD, stage("host", "raise SystemExit(3)"))


HANGS = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"


def _sleeping(folder: Path) -> list[int]:
    """Processes that a stage with that folder left."""
    found = []
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("STACK_REPORTS", "").startswith(str(folder)):
            found.append(process.pid)
    return found


def test_one_that_hangs_is_ended_with_all_that_it_began(
    night: Night, last: Last, tmp_path: Path
) -> None:
    with pytest.raises(CheckFailed, match="not good: hangs"):
        night(stage("hangs", HANGS, limit_s=1.0), GOOD)
    assert last()["hangs"]["verdict"] == "too long"
    assert "was ended: 1 s are over" in str(last()["hangs"]["said"])
    assert last()["good"]["verdict"] == "passed"
    assert _sleeping(tmp_path) == []


def test_all_of_it_is_waited_for_while_it_puts_things_in_order(
    night: Night, last: Last, tmp_path: Path
) -> None:
    """Also what a program began that does not wait itself."""
    mark = tmp_path / "in order"
    child = (
        "import time\ntry: time.sleep(600)\n"
        f"except KeyboardInterrupt: time.sleep(0.5); open({str(mark)!r}, 'w')"
    )
    line = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]);"
    with pytest.raises(CheckFailed):
        night(stage("hasty", f"{line} time.sleep(600)", limit_s=1.5))
    assert mark.exists()
    assert last()["hasty"]["verdict"] == "too long"
    assert _sleeping(tmp_path) == []


def test_one_that_does_not_end_in_order_is_killed(night: Night, last: Last, tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)"
    with pytest.raises(CheckFailed):
        nightly(stages=[stage("deaf", deaf, limit_s=1.0)], program=PYTHON,
                reports=tmp_path / "reports", grace_s=0.2)  # fmt: skip
    assert last()["deaf"]["verdict"] == "too long"
    assert _sleeping(tmp_path) == []


def test_what_is_done_afterwards_is_done_whatever_came_before(
    night: Night, last: Last, tmp_path: Path
) -> None:
    for name, line in (("broken", "raise SystemExit(1)"), ("slow", HANGS)):
        mark = tmp_path / name
        with pytest.raises(CheckFailed):
            night(stage(name, line, limit_s=0.5, afterwards=[f"open({str(mark)!r}, 'w')"]))
        assert mark.exists()
    with pytest.raises(CheckFailed):
        night(stage("left", "pass", afterwards=["raise SystemExit('it does not go.')"]))
    assert last()["left"]["said"] == "it does not go."


SCRIPT = """
import sys
from pathlib import Path
from scenarios.nightly import ledger
from scenarios.nightly.run import nightly
from scenarios.nightly.stages import Stage
ledger.sources = lambda: "abc"
hangs = (
    "import subprocess, time; subprocess.Popen(['sleep', '600']); print('up', flush=True);"
    "time.sleep(600)"
)
stages = [
    Stage(name="good", commands=[["pass"]], limit_s=30.0),
    Stage(name="hangs", commands=[[hangs]], afterwards=["print('put in order')"], limit_s=600.0),
    Stage(name="after", commands=[["pass"]], limit_s=30.0),
]
try:
    nightly(stages=stages, program=(sys.executable, "-c"), reports=Path(sys.argv[1]), grace_s=10.0)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_ends_all_of_a_stage_and_the_summary_has_what_there_is(
    night: Night, last: Last, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = tmp_path / "reports"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(reports)], cwd=REPO, stdout=subprocess.PIPE, text=True
    )
    eventually(
        lambda: [one for one in reports.glob("*/hangs/log.txt") if one.read_text()], within_s=20
    )
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "1 passed, 1 interrupted, 1 not run" in said
    assert last()["after"]["said"] == "the night was interrupted"
    assert (reports / "nightly" / "hangs" / "log.txt").read_text().endswith("put in order\n")
    assert _sleeping(tmp_path) == []
    # And it goes on from there.
    night(GOOD, stage("hangs", "pass"), stage("after", "pass"), resume=True)
    assert {name: one["before"] for name, one in last().items()} == {
        "good": True, "hangs": False, "after": False,
    }  # fmt: skip
    assert "good   passed before" in capsys.readouterr().out


def counting(file: Path) -> Stage:
    return stage("counted", f"open({str(file)!r}, 'a').write('x')")


def test_resumed_it_runs_again_what_did_not_pass_and_nothing_else(
    night: Night, last: Last, tmp_path: Path
) -> None:
    file = tmp_path / "count"
    with pytest.raises(CheckFailed):
        night(counting(file), BAD)
    for _ in range(2):  # what was carried over once is so again
        with pytest.raises(CheckFailed):
            night(counting(file), BAD, resume=True)
        assert last()["counted"]["before"] is True
    assert file.read_text() == "x"
    assert Path(str(last()["counted"]["report"])).exists()
    with pytest.raises(CheckFailed):
        night(counting(file), BAD)
    assert file.read_text() == "xx"


@pytest.mark.parametrize("other", ["edited", "damaged", "none", "without git"])
def test_there_is_nothing_to_resume(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = tmp_path / "count"
    if other != "none":
        night(counting(file))
    if other == "damaged":
        (tmp_path / "reports" / "nightly" / ledger.FILE).write_text("{")
    if other in ("edited", "without git"):
        monkeypatch.setattr(ledger, "sources", lambda: "abd" if other == "edited" else "")
    night(counting(file), resume=True)
    assert "all stages are run" in capsys.readouterr().out
    assert file.read_text() == ("x" if other == "none" else "xx")


def test_sources_are_the_commit_and_what_was_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip

    assert ledger.sources(tmp_path / "nowhere") == ""
    git("init")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-m", "a")
    clean = ledger.sources(tmp_path)
    assert len(clean) == 40
    (tmp_path / "b").write_text("1")
    seen = {clean, ledger.sources(tmp_path)}
    (tmp_path / "b").write_text("2")
    seen.add(ledger.sources(tmp_path))
    (tmp_path / "a").write_text("2")
    seen.add(ledger.sources(tmp_path))
    assert len(seen) == 4
    assert all(one.startswith(clean) for one in seen)


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[object], list[int]]]:
    """An address, what arrived there, and the statuses that it answers."""
    arrived: list[object] = []
    statuses = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(statuses[0])
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/secret-part", arrived, statuses
    server.shutdown()
    thread.join()
    server.server_close()


def test_who_is_not_there_hears_of_a_failure_and_of_nothing_else(
    night: Night, webhook: tuple[str, list[object], list[int]]
) -> None:
    url, arrived, _ = webhook
    night(GOOD, webhook=url)
    assert arrived == []
    with pytest.raises(CheckFailed):
        night(GOOD, BAD, webhook=url)
    assert arrived == [
        {"text": "Nightly, commit abc: 1 passed, 1 failed in 0 s\n• bad: failed. it broke."}
    ]


def test_note_that_does_not_get_through_is_said_and_changes_nothing(
    night: Night, webhook: tuple[str, list[object], list[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, _, statuses = webhook
    statuses[0] = 500
    with pytest.raises(CheckFailed, match="not good: bad"):
        night(BAD, webhook=url)
    said = capsys.readouterr().out
    assert "the note did not get through: it answers 500" in said
    with pytest.raises(CheckFailed, match="not good: bad"):
        night(BAD, webhook="http://127.0.0.1:9/secret-part")
    said += capsys.readouterr().out
    assert "the note did not get through: ConnectError" in said
    assert "secret-part" not in said


@pytest.mark.parametrize("url", ["secret-part", "ftp://secret-part/", "http://", "http://["])
def test_what_is_no_address_is_refused_at_once_and_not_repeated(
    night: Night, tmp_path: Path, url: str
) -> None:
    with pytest.raises(BadInput, match="--webhook is not an address") as refused:
        night(GOOD, webhook=url)
    assert "secret-part" not in str(refused.value)
    assert not (tmp_path / "reports").exists()


def test_older_nights_go(night: Night, tmp_path: Path) -> None:
    for _ in range(4):
        night(GOOD, keep_reports=2)
    kept = sorted((tmp_path / "reports").glob(f"{KIND}*"))
    assert len(kept) == 2
    assert (tmp_path / "reports" / "nightly").resolve() == kept[-1]


def test_stages_are_tasks_that_there_are() -> None:
    """Parsed as the command line is, so that no stage fails for a word that nobody knows."""
    from stack.tasks.commandline import calls
    from stack.tasks.dodofile import declared

    tasks, _ = declared()
    for one in STAGES:
        commands: Sequence[Sequence[str]] = [*one.commands, one.afterwards]
        for command in filter(None, commands):
            assert [call.task.name for call in calls(command, tasks)] == [command[0]]
    assert len({one.name for one in STAGES}) == len(STAGES)
    assert [one.name for one in STAGES if one.vital] == ["build"]


def test_variables_of_a_stage_give_way_to_those_that_are_set(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "import os; print(os.environ['LAB_ONE'], os.environ['LAB_TWO'])"
    monkeypatch.setenv("LAB_TWO", "mine")
    assert "LAB_ONE" not in os.environ
    night(stage("s", line, environment={"LAB_ONE": "1", "LAB_TWO": "2"}))
    assert (tmp_path / "reports" / "nightly" / "s" / "log.txt").read_text() == "1 mine\n"
