"""A whole run on made-up sizes: whatever ends it, its report is written."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.fleet.roster import Plan
from scenarios.capacity.metrics import run
from scenarios.capacity.metrics.monitor import Died
from scenarios.capacity.metrics.receiver import Compared, Kept
from scenarios.capacity.metrics.run import Wish, metrics
from scenarios.capacity.metrics.sizes import Size
from scenarios.capacity.plots import library
from scenarios.tasks import capacity
from stack.errors import BadInput, CheckFailed, HostCannot
from tests.scenarios.capacity.metrics.made import EACH, size

KEPT = Kept(seconds=180.0, away_s=60.0, caught_up_s=4.0, series=4000, samples=48_000)


class Bench:
    """Measures at once, and remembers what."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.raises: dict[int, BaseException] = {}

    def measure(self, fleet: Plan, tell: Callable[[Size], None]) -> Size:
        self.asked.append(fleet.targets)
        found = size(fleet.targets)
        if error := self.raises.get(fleet.targets):
            tell(found)
            raise error
        return found

    def side_by_side(self, fleet: Plan, receiver: str) -> tuple[Size, Size]:
        return size(fleet.targets), size(fleet.targets)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    made = Bench()
    layout = SimpleNamespace(packages={"prometheus": Path("/store/0123-prometheus-2.53.3")})
    instance: Any = SimpleNamespace(
        name="capacity-metrics", hash="0123456789ab", layout=layout,
        directory=tmp_path / "instance",
        take_down=lambda: None, url=lambda service: "http://127.0.0.1:1",
    )  # fmt: skip

    @contextmanager
    def running(name: str, **how: object) -> Iterator[SimpleNamespace]:
        yield instance

    def benched(**how: Any) -> SimpleNamespace:
        return SimpleNamespace(
            measure=made.measure, side_by_side=made.side_by_side, shape=how["shape"],
            folder=how["folder"], interval_s=how["interval_s"],
        )  # fmt: skip

    monkeypatch.setattr(run, "running", running)
    monkeypatch.setattr(run, "Bench", benched)
    monkeypatch.setattr(run.clinic, "traffic", lambda instance, log: nullcontext())
    monkeypatch.setattr(run.clinic, "shape", lambda instance: "# TYPE a counter\n" + "a 1\n" * EACH)
    return made


def said(reports: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((reports / "latest" / "report.json").read_text())
    page = (reports / "latest" / "report.html").read_text()
    assert "http" not in page.replace(library()["script"], ""), "nothing from outside"
    assert page.index('class="answer"') < page.index("<table") if "<table" in page else True
    return found


def test_good_run_predicts_the_large_size_and_measures_it(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics(Wish(), tmp_path)
    assert bench.asked == [50, 100, 150, 50, 100, 150, 500]
    found = said(tmp_path)
    assert found["predictions"][0]["ratio"] == pytest.approx(1.0)
    assert found["series_each"] == EACH
    assert found["remote_write"] is None
    out = capsys.readouterr().out
    assert "One Prometheus takes 4 ± " in out
    assert "report.html" in out


def test_sizes_are_measured_as_often_as_is_asked(bench: Bench, tmp_path: Path) -> None:
    metrics(Wish(size=10, steps=2, repeats=3, reach=0), tmp_path)
    assert bench.asked == [10, 20] * 3


def test_size_that_does_not_fit_is_not_tried_and_that_is_said(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        run.psutil, "virtual_memory", lambda: SimpleNamespace(available=1e9, total=2e9)
    )
    metrics(Wish(), tmp_path)
    assert bench.asked == [50, 100, 150] * 2
    assert "500 schedulers were not tried: they would take 1.7 GB" in str(said(tmp_path)["notes"])


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Died("Prometheus cannot write what it scrapes: no space left on device"), "no space left"),
        (HostCannot("the fleet of synthetic schedulers did not start: x"), "did not start"),
    ],
    ids=["disk-full", "fleet"],
)
def test_run_that_ends_early_fails_with_a_report_of_what_there_is(
    error: Exception, why: str, bench: Bench, tmp_path: Path
) -> None:
    bench.raises[150] = error
    with pytest.raises(CheckFailed, match=why):
        metrics(Wish(), tmp_path)
    found = said(tmp_path)
    assert why in found["ended" if "ended" in found else "answer"]
    assert len(found["sizes"]) == 3


def test_ctrl_c_leaves_a_report_of_what_there_is(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.raises[100] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        metrics(Wish(), tmp_path)
    assert [one["targets"] for one in said(tmp_path)["sizes"]] == [50, 100]
    assert "It ended early: it was interrupted." in capsys.readouterr().out


def test_wall_is_asked_for_more_than_it_is_predicted_to_take(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_evaluation_s", lambda instance: 15.0)
    monkeypatch.setattr(
        run.psutil, "virtual_memory", lambda: SimpleNamespace(available=20e9, total=24e9)
    )
    faster: list[dict[str, Any]] = []

    def replaced(of: Any, **how: Any) -> Any:
        faster.append(how)
        return of

    monkeypatch.setattr(run, "replace", replaced)
    metrics(Wish(wall=True), tmp_path)
    found = said(tmp_path)
    assert bench.asked[-1] == 1000
    due = 1000 * EACH / found["wall_interval_s"]
    assert due == pytest.approx(1.3 * found["cpu_wall_samples_per_s"], rel=0.01)
    assert faster[0]["evaluation_s"] == pytest.approx(3 * found["wall_interval_s"])


def test_remote_write_is_measured_before_the_sizes(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.receiver, "compare", lambda instance, tell: Compared(kept=KEPT))
    metrics(Wish(remote_write=True), tmp_path)
    found = said(tmp_path)["remote_write"]
    assert found["kept"]["samples"] == 48_000
    assert found["with"]["targets"] == 100


def test_lost_samples_fail_the_run(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Kept(**{**vars(KEPT), "missing": {"up{}": 2}})
    monkeypatch.setattr(run.receiver, "compare", lambda instance, tell: Compared(kept=lost))
    with pytest.raises(CheckFailed, match="2 samples are missing at the receiver"):
        metrics(Wish(remote_write=True), tmp_path)


def test_fleet_that_cannot_be_is_refused_before_anything_starts(
    bench: Bench, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="200 schedulers 10 times are 2000; a fleet has 1000"):
        metrics(Wish(size=200), tmp_path)
    assert not bench.asked
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"slo": "latency=1s"}, "--slo says nothing of the capacity of metrics"),
        ({"need": 5.0}, "--need says nothing of the capacity of metrics"),
        ({"every": "100ms"}, "--every is 100ms, expected 1s to 1m"),
        ({"what": ["metric"]}, "metric"),
    ],
    ids=["slo", "need", "every", "kind"],
)
def test_what_says_nothing_of_metrics_is_refused(given: dict[str, Any], said: str) -> None:
    usual: dict[str, Any] = {
        "what": ["metrics"], "instance": "", "slo": "", "need": None, "baseline": "",
        "tolerance": 10.0, "start": None, "highest": None, "lasts": "6m", "backends": 1,
        "size": 50, "reach": 10, "every": "5s", "churn": 5.0, "remote_write": False, "wall": False,
        "history": "",
    }  # fmt: skip
    with pytest.raises(BadInput, match=said):
        capacity.capacity(**{**usual, **given})
