"""What a proof of dashboards says: to CI, to people, and to who asks for what is not there."""

import io
import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from scenarios.dashboards import report
from scenarios.dashboards.result import Proof, Seen, Shown
from scenarios.dashboards.run import verify_dashboards, watched
from scenarios.dashboards.screens import Screen
from scenarios.proof import workers
from stack import progress
from stack.check.dashboardfiles import load
from stack.errors import BadInput, HostCannot
from stack.paths import CONFIG_ROOT


def shown(uid: str, number: str, **seen: object) -> Shown:
    panel = load(CONFIG_ROOT).panel(uid, number)
    assert panel
    one = Shown(panel=panel, watches=watched(panel), steady="")
    one.healthy = ""
    for name, value in seen.items():
        setattr(one, name, value)
    return one


GOOD = Seen(how="beyond the bound", moved_s=1.5, wrong="", back_s=4.2)


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    panels = [
        shown("overview", "102", seen={"PostgreSQLDown": GOOD}),
        shown("overview", "203", seen={"HighErrorRate": Seen(), "CriticalErrorRate": GOOD}),
        shown("overview", "301", healthy="query A: 1.2 is above 1 <script>"),
        shown("overview", "303", seen={"DiskSpaceWarning": Seen(unplayed="no user namespaces")}),
        shown("overview", "107", steady="nobody leaves"),
        shown("overview", "304", seen={"HighCPUUsage": Seen(how="it rose", wrong="it is high")}),
        shown("overview", "201", healthy=None),
    ]
    return Proof(panels=panels, folder=tmp_path, started=0.0, took_s=5.0, speed=60.0)


def test_outcome_of_a_panel(proof: Proof) -> None:
    assert [str(one.outcome) for one in proof.panels] == [
        "shown", "failed", "failed", "not played", "shown", "failed", "not played",
    ]  # fmt: skip
    assert proof.headline == "7 panels: 2 shown, 3 failed, 2 not played"
    assert [one.words for one in proof.panels] == [
        "PostgreSQLDown: beyond the bound, after 1.5 s; as before 4.2 s after its end",
        "Under HighErrorRate it does not move.",
        "On a healthy morning: query A: 1.2 is above 1 <script>.",
        "DiskSpaceWarning was not played: no user namespaces.",
        "no scenario moves it: nobody leaves",
        "Under HighCPUUsage it is not as before when it is over: it is high.",
        "",
    ]


def test_healthy_morning_that_nobody_saw_is_not_called_good(proof: Proof) -> None:
    said = replace(proof, faults=False).headline
    assert said == "7 panels on a healthy morning: 3 wrong, 1 not asked"


def test_figures_count_what_was_seen_of_each_dashboard(proof: Proof) -> None:
    assert proof.figures == {"overview": (7, 5, 4, 2, 1)}


def test_report_says_what_is_wrong_and_quotes_safely(proof: Proof) -> None:
    report.write(proof)
    suite = ET.parse(proof.folder / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("8", "3", "3")
    failed = suite.findall("testcase/failure")[1]
    assert failed.get("message") == "On a healthy morning: query A: 1.2 is above 1 <script>."
    assert "node_cpu_seconds_total" in str(failed.text)
    page = (proof.folder / "report.html").read_text()
    assert "<script>" not in page
    assert "1.2 is above 1 &lt;script&gt;" in page
    assert "://" not in page


def test_end_says_the_figures_and_each_panel_that_is_not_right(proof: Proof) -> None:
    out = io.StringIO()
    report.tell(replace(proof, notes=["[x] was played twice"]), Console(file=out, width=200))
    said = out.getvalue()
    assert "failed overview/203 Share of failed requests: Under HighErrorRate it does" in said
    assert "[x] was played twice" in said
    assert "\n7 panels: 2 shown, 3 failed, 2 not played, in 5 s at speed 60\nnot looked" in said
    assert "overview/102 " not in said


@pytest.fixture
def way() -> Iterator[Callable[[progress.Way], None]]:
    """Chooses how it is told, for one test."""
    yield progress.choose
    progress.choose(progress.Way.AUTO)


def test_quiet_end_is_the_counts_and_the_report(
    proof: Proof, way: Callable[[progress.Way], None]
) -> None:
    way(progress.Way.QUIET)
    out = io.StringIO()
    report.tell(proof, Console(file=out, width=200))
    assert out.getvalue() == (
        f"{proof.headline}, in 5 s at speed 60\n{proof.seen}\nreport {proof.short}\n"
    )


def test_end_for_programs_is_an_event_for_each_panel_and_one_for_all(
    proof: Proof, way: Callable[[progress.Way], None], capsys: pytest.CaptureFixture[str]
) -> None:
    way(progress.Way.EVENTS)
    report.tell(proof)
    *panels, over = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["panel"] for one in panels] == [one.name for one in proof.panels]
    assert panels[1]["outcome"] == "failed"
    assert panels[1]["reason"] == "Under HighErrorRate it does not move."
    assert (over["event"], over["shown"], over["failed"], over["not_played"]) == ("over", 2, 3, 2)
    assert over["report"] == str(proof.page)


def test_number_of_reports_to_keep_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--keep-reports is 0"):
        verify_dashboards(["overview/301"], reports=tmp_path, keep_reports=0)


@pytest.mark.parametrize("name", ["overwiew", "overview/9999", "overview/", "Scheduler's AIP"])
def test_panel_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no dashboard or panel `") as found:
        verify_dashboards([name], reports=tmp_path)
    assert found.value.exit_code == 2
    assert "Did you mean" in str(found.value.cure)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("only", "count"),
    [
        (["overview/301"], 1),
        (["logs"], 7),
        (["PostgreSQL"], 2),
        (["PostgreSQL", "overview/102"], 2),
    ],
)
def test_machine_without_an_instance_is_no_verdict(
    only: list[str], count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state_dir: Path
) -> None:
    @contextmanager
    def running(name: str, **_: object) -> Iterator[None]:
        raise HostCannot(f"`{name}`: no memory")
        yield

    monkeypatch.setattr(workers, "running", running)
    with pytest.raises(HostCannot, match="blocked on this host: ") as found:
        verify_dashboards(only, reports=tmp_path)
    assert found.value.exit_code == 3
    [folder] = tmp_path.iterdir()
    skipped = [*ET.parse(folder / "junit.xml").getroot().iter("skipped")]
    panels, [browser] = skipped[:-1], skipped[-1:]
    assert len(panels) == count
    assert all("no memory" in str(one.get("message")) for one in panels)
    assert browser.get("message") == "not looked at in a browser: it did not come to that"


def test_dashboard_that_cannot_be_read(tmp_path: Path) -> None:
    root = tmp_path / "config"
    shutil.copytree(CONFIG_ROOT / "grafana", root / "grafana")
    (root / "grafana" / "dashboards" / "logs.json").write_text('{"panels": [\n}')
    with pytest.raises(BadInput, match=r"logs\.json:2: not valid JSON"):
        verify_dashboards([], config_root=root, reports=tmp_path / "reports")


def test_report_holds_its_pictures_and_says_what_was_wrong_in_them(
    proof: Proof, tmp_path: Path
) -> None:
    picture = tmp_path / "overview-dark.png"
    picture.write_bytes(b"\x89PNG")
    good = Screen(uid="overview", theme="dark", picture=picture, wrong=())
    bad = Screen(uid="overview", theme="light", picture=picture, wrong=("Requests: <b>No",))
    looked = replace(proof, screens=[good, bad])
    page = report.page(looked)
    assert '<a href="overview-dark.png"><img src="data:image/png;base64,iVBORw=="' in page
    assert "Requests: &lt;b&gt;No" in page
    assert "<img" not in report.page(proof)
    assert looked.seen == "2 screens in a browser: overview, light wrong"
    cases = ET.fromstring(report.junit(looked)).findall("testsuite/testcase")
    mine = {each.get("name"): each for each in cases if "browser" in str(each.get("name"))}
    assert mine["in a browser, dark"].find("failure") is None
    failure = mine["in a browser, light"].find("failure")
    assert failure is not None
    assert failure.get("message") == "Requests: <b>No"


def test_what_was_not_looked_at_is_not_passed(proof: Proof) -> None:
    unlooked = replace(proof, unlooked="`chromium` is not to be had")
    said = "not looked at in a browser: `chromium` is not to be had"
    case = ET.fromstring(report.junit(unlooked)).findall("testsuite/testcase")[-1]
    skipped = case.find("skipped")
    assert skipped is not None
    assert skipped.get("message") == said
    assert said in report.page(unlooked)
    out = io.StringIO()
    report.tell(unlooked, Console(file=out, width=200))
    assert f"\n{said}\n" in out.getvalue()
