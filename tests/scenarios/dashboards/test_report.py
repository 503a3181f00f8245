"""What a proof of dashboards says: to CI, to people, and to who asks for what is not there."""

import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.dashboards import report
from scenarios.dashboards.judging import Outcome
from scenarios.dashboards.result import Proof, Shown
from scenarios.dashboards.run import verify_dashboards, watched
from stack.check.dashboardfiles import load
from stack.errors import BadInput
from stack.paths import CONFIG_ROOT


def shown(uid: str, number: str, **seen: object) -> Shown:
    panel = load(CONFIG_ROOT).panel(uid, number)
    assert panel
    one = Shown(panel=panel, watches=watched(panel), steady="")
    one.healthy = ""
    for name, value in seen.items():
        setattr(one, name, value)
    return one


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    panels = [
        shown("overview", "102", moved={"PostgreSQLDown": "beyond the bound"}, back={}),
        shown("overview", "203", moved={"HighErrorRate": ""}),
        shown("overview", "301", healthy="query A: 1.2 is above 1 <script>"),
        shown("overview", "303", blocked={"DiskSpaceWarning": "no user namespaces"}),
        shown("overview", "107", steady="nobody leaves"),
    ]
    return Proof(panels=panels, folder=tmp_path, started=0.0, took_s=5.0, speed=60.0)


def test_outcome_of_a_panel(proof: Proof) -> None:
    assert [one.outcome for one in proof.panels] == [
        Outcome.SHOWN, Outcome.FAILED, Outcome.FAILED, Outcome.UNPLAYED, Outcome.SHOWN,
    ]  # fmt: skip
    assert proof.headline == "5 panels: 2 shown, 2 failed, 1 not played"
    assert proof.panels[1].words == "It does not move under HighErrorRate."
    assert "no user namespaces" in proof.panels[3].words


def test_report_says_what_is_wrong_and_quotes_safely(proof: Proof) -> None:
    report.write(proof)
    suite = ET.parse(proof.folder / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "2", "1")
    failed = suite.findall("testcase/failure")[1]
    assert failed.get("message") == "On a healthy day: query A: 1.2 is above 1 <script>."
    page = (proof.folder / "report.html").read_text()
    assert "<script>" not in page
    assert "1.2 is above 1 &lt;script&gt;" in page
    assert "://" not in page


@pytest.mark.parametrize("name", ["overwiew", "overview/9999", "overview/"])
def test_panel_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no dashboard or panel is called"):
        verify_dashboards([name], reports=tmp_path)
    assert not [*tmp_path.iterdir()]


def test_dashboard_that_cannot_be_read(tmp_path: Path) -> None:
    root = tmp_path / "config"
    shutil.copytree(CONFIG_ROOT / "grafana", root / "grafana")
    (root / "grafana" / "dashboards" / "logs.json").write_text('{"panels": [\n}')
    with pytest.raises(BadInput, match=r"logs\.json:2: not valid JSON"):
        verify_dashboards([], config_root=root, reports=tmp_path / "reports")


def test_report_holds_its_screenshots(proof: Proof, tmp_path: Path) -> None:
    picture = tmp_path / "overview-dark.png"
    picture.write_bytes(b"\x89PNG")
    page = report.page(replace(proof, screens={"overview": [picture]}))
    assert '<img src="data:image/png;base64,iVBORw=="' in page
    assert "<img" not in report.page(proof)
