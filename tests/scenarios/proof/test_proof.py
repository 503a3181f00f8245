"""The proof end to end: real programs, traffic and faults; and sabotages that it must see."""

import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scenarios.proof.evidence import FaultStep, Silent, read
from scenarios.proof.run import verify_alerts
from scenarios.tasks.verify_report import verify_report
from stack.errors import BadInput, CheckFailed
from stack.paths import CONFIG_ROOT, REPO
from stack.run.instance import Instance, names
from tests.waiting import eventually

SPEED = 60.0
THREE = ("HighLatencyP95", "PostgreSQLDown", "DiskSpaceWarning")

pytestmark = [pytest.mark.usefixtures("state_dir"), pytest.mark.alone]


def verdicts(reports: Path) -> dict[str, str]:
    """Alert → its failure, empty when proven."""
    cases = ET.parse(reports / "latest" / "junit.xml").getroot().iter("testcase")
    found = {}
    for case in cases:
        failure = case.find("failure")
        found[str(case.get("name"))] = "" if failure is None else str(failure.get("message"))
    return found


def test_alerts_are_proven(tmp_path: Path) -> None:
    assert verify_alerts(THREE, speed=SPEED, reports=tmp_path) == 0
    assert verdicts(tmp_path) == dict.fromkeys(THREE, "")
    verify_report([str(tmp_path / "latest")])
    assert "3 of 3 alerts proven" in (tmp_path / "latest" / "report.html").read_text()
    assert names() == []


def test_sabotage_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A threshold that is never reached, a page that is not sent, a disk that is not filled."""
    root = tmp_path / "stack" / "config"
    shutil.copytree(CONFIG_ROOT, root)
    _replace(root / "prometheus/rules/application.yml", ") > 2\n", ") > 20\n")
    _replace(root / "alertmanager/alertmanager.yml", "    - receiver: on-call\n      matchers:"
             " ['severity=\"critical\"']\n      continue: true\n", "")  # fmt: skip
    monkeypatch.setattr("stack.programs.simhost.disk.fill", lambda pid, root, *, free_percent: None)
    with pytest.raises(CheckFailed, match="not proven: "):
        verify_alerts(THREE, speed=120, reports=tmp_path, config_root=root)
    said = verdicts(tmp_path)
    assert "never became pending: its expression stayed empty" in said["HighLatencyP95"]
    assert (
        "wanted more than 20; give it more time with `shows_within_s` (" in said["HighLatencyP95"]
    )
    assert "PagerDuty on-call: expected 1 firing notification, got 0" in said["PostgreSQLDown"]
    assert "the fault could not be injected: 70.0 % of /data" in said["DiskSpaceWarning"]


@pytest.mark.nightly
def test_engines_are_quoted(tmp_path: Path) -> None:
    """A rule that is well until its fault comes, and a template that no single alert survives."""
    root = tmp_path / "stack" / "config"
    shutil.copytree(CONFIG_ROOT, root)
    _replace(root / "prometheus/rules/database.yml",
             'expr: min by (instance) (pg_up{job="postgres-exporter"}) == 0\n',
             'expr: (min by (instance) (pg_up{job="postgres-exporter"}) == 0) * on () up\n',
             )  # fmt: skip
    text = '{{ define "slack.lab.text" -}}\n'
    second = "{{ (index .Alerts 1).GeneratorURL }}\n"
    _replace(root / "alertmanager/templates/slack.tmpl", text, text + second)
    with pytest.raises(CheckFailed, match="not proven: "):
        verify_alerts(THREE[1:], speed=SPEED, reports=tmp_path, config_root=root)
    said = verdicts(tmp_path)
    assert "never became pending: its rule fails" in said["PostgreSQLDown"]
    assert "; Prometheus says: found duplicate series" in said["PostgreSQLDown"]
    assert "expected 1 firing notification, got 0" in said["DiskSpaceWarning"]
    assert "; Alertmanager says: " in said["DiskSpaceWarning"]
    assert "slice index out of range" in said["DiskSpaceWarning"]


@pytest.mark.nightly
def test_who_does_not_answer_is_named_and_the_alert_is_proven_the_next_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prometheus stopped for ten seconds just after the fault."""

    def stop_once() -> None:
        evidence = eventually(lambda: next(tmp_path.glob("2*/evidence.jsonl")), "the evidence")
        eventually(lambda: '"injected"' in evidence.read_text(), "the fault", within_s=100)
        prometheus = Instance.open("proof-1").pid("prometheus")
        os.kill(prometheus, signal.SIGSTOP)
        try:
            eventually(lambda: silent(evidence) > 6, "a long silence")
        finally:
            os.kill(prometheus, signal.SIGCONT)

    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(stop_once)
        assert verify_alerts(["DiskSpaceWarning"], speed=SPEED, reports=tmp_path) == 0
        stopped.result()
    said = capsys.readouterr().out
    assert "DiskSpaceWarning played twice, the last time by itself: " in said
    assert "`prometheus` did not answer for " in said
    assert "1 proven, 0 failed, 0 blocked" in said


def silent(evidence: Path) -> float:
    """For how long Prometheus is known not to have answered."""
    lengths = [e.at - e.since for e in read(evidence)
               if isinstance(e, Silent) and e.what == "prometheus"]  # fmt: skip
    return max(lengths, default=0.0)


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGHUP, marks=pytest.mark.nightly),
        pytest.param(signal.SIGKILL, marks=pytest.mark.nightly),
    ],
)
def test_proof_that_is_ended_loses_nothing(
    tmp_path: Path, state_dir: Path, number: signal.Signals
) -> None:
    """Faults undone, instances down, evidence and report kept; after SIGKILL by the next proof."""
    script = (
        "from pathlib import Path; from scenarios.proof.run import verify_alerts;"
        f"verify_alerts(['DiskSpaceWarning'], speed=20, reports=Path({str(tmp_path)!r}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPO, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as proof:  # fmt: skip
        assert proof.stdout is not None
        for line in proof.stdout:
            if "injected:" in line:
                break
        proof.send_signal(number)
        rest = proof.stdout.read()
    (evidence,) = tmp_path.glob("2*/evidence.jsonl")
    steps = [e.step for e in read(evidence) if isinstance(e, FaultStep)]
    if number is signal.SIGKILL:
        assert steps == ["injecting", "injected"]
        assert names() == ["proof-1"]
        assert not (tmp_path / "latest").exists()
        return
    assert steps == ["injecting", "injected", "undoing", "undone"]
    assert verdicts(tmp_path)["DiskSpaceWarning"].startswith("interrupted while waiting for: ")
    assert "report" in rest
    assert names() == []


def test_unknown_alert_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no alert `DiskSpaceWarnin`"):
        verify_alerts(["DiskSpaceWarnin"], reports=tmp_path)
    assert list(tmp_path.iterdir()) == []


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
