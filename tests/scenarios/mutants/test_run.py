"""`doit mutate`: what it says at the end, and to whom."""

import json
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.mutants.run import mutate
from stack.check.problem import ProblemsFound
from stack.check.run import Setup
from stack.errors import BadInput, CheckFailed
from stack.paths import CONFIG_ROOT
from stack.tasks.check import host_setup


@pytest.mark.nightly
def test_report_names_each_mutant_and_who_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = mutate(host_setup, ["Watchdog"], keep_reports=1, at_least=0, reports=tmp_path)
    said = capsys.readouterr().out
    assert run.sentence in said
    folder = (tmp_path / "latest-mutants").resolve()
    document = json.loads((folder / "report.json").read_text())
    assert document["answer"] == run.sentence
    assert len(document["mutants"]) == len(run.verdicts) == run.wanted
    assert {one["subject"] for one in document["mutants"]} == {"Watchdog"}
    suite = ET.parse(folder / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert int(suite.attrib["tests"]) == run.wanted
    assert int(suite.attrib["failures"]) == run.whole.survived
    page = (folder / "report.html").read_text()
    assert all(one.mutant.what.split("`")[0] in page for one in run.survivors)
    assert "http://" not in page


@pytest.mark.nightly
def test_fewer_than_asked_for_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=r"expected at least 100 %"):
        mutate(host_setup, ["Watchdog"], keep_reports=1, at_least=100, reports=tmp_path)


@pytest.mark.parametrize(
    ("only", "at_least", "said"),
    [(["Nothing"], 90.0, "`Nothing` is no alert"), ([], 101.0, "--at-least is 101")],
)
def test_what_cannot_be_done_is_refused(
    tmp_path: Path, only: list[str], at_least: float, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        mutate(host_setup, only, keep_reports=1, at_least=at_least, reports=tmp_path)


def test_configuration_with_a_problem_is_not_changed_further(tmp_path: Path) -> None:
    root = tmp_path / "config"
    shutil.copytree(CONFIG_ROOT, root)
    (root / "runbooks" / "Watchdog.md").unlink()

    def make() -> Setup:
        return replace(host_setup(), config_root=root)

    with pytest.raises(ProblemsFound):
        mutate(make, ["Watchdog"], keep_reports=1, reports=tmp_path)
