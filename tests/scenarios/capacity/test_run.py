"""A whole run, on a simulated server: whatever ends it, its report is written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from scenarios.capacity import run
from scenarios.capacity.run import Wish, scheduler
from scenarios.capacity.search import Plan
from scenarios.capacity.window import Window
from stack.errors import BadInput, CheckFailed
from tests.scenarios.capacity.simulated import Simulated


class Closing(Simulated):
    """As the bench, to be closed; somebody may press Ctrl-C at a window."""

    interrupted_at = 0
    measured = 0
    waits = False
    slower = 1.0
    """Of the machine."""

    def settle(self, rate: float, seconds: float) -> None:
        # So many people who ask again at once are the load that the server can just carry, if they
        # are no fewer than what it does at once.
        many = min(rate, self.servers) / self.service_s if self.waits and self.service_s else rate
        super().settle(many, seconds)

    def __enter__(self) -> "Closing":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def measure(self, seconds: float) -> Window:
        self.measured += 1
        if self.measured == self.interrupted_at:
            raise KeyboardInterrupt
        return super().measure(seconds)


class Prometheus:
    """An alert fires from a rate on."""

    bench: Closing
    fires_at = 150.0

    def __init__(self, instance: SimpleNamespace) -> None: ...

    def __enter__(self) -> "Prometheus":
        return self

    def __exit__(self, *_: object) -> None: ...

    def firing(self) -> dict[str, str]:
        rate = self.bench._rate
        return {
            name: "warning"
            for name, at in (("CPUBusy", self.fires_at), ("HighLatencyP95", 260))
            if rate >= at
        }

    def number(self, query: str) -> float | None:
        return 15.0 if "interval" in query else 400.0 if "backend" in query else 3000.0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Closing:
    made = Closing(servers=1, service_s=0.005)

    @contextmanager
    def running(name: str, *, speed: float, backends: int) -> Iterator[SimpleNamespace]:
        made.servers = backends
        made.drain()
        made._free.clear()
        yield SimpleNamespace(name="capacity", hash="0123456789abcdef", speed=speed)

    def bench(instance: SimpleNamespace, folder: Path, waits: bool = False) -> Closing:
        made.waits = waits
        return made

    monkeypatch.setattr(run, "running", running)
    monkeypatch.setattr(run, "Bench", bench)
    monkeypatch.setattr(run, "Told", Prometheus)
    monkeypatch.setattr(run, "_host", lambda instance: lambda share: None)
    monkeypatch.setattr(run, "calibrated", lambda: 0.02 * made.slower)
    monkeypatch.setattr(run, "monotonic", lambda: made.now)
    Prometheus.bench = made
    return made


def said(reports: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((reports / "latest" / "report.json").read_text())
    return found


def test_good_run_says_the_knee_first_and_where_its_report_is(
    server: Closing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scheduler(Wish(need=180), tmp_path)
    assert said(tmp_path)["knee"] == pytest.approx(server.capacity, rel=0.05)
    out = capsys.readouterr().out
    assert out.startswith("objective: P95 within 2 s and at most 5 % errors")
    assert "One scheduler carries " in out
    assert "First at its limit: CPU of backend" in out
    assert "report.html" in out


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (Wish(need=250), "250 arrivals/s are needed"),
        (Wish(slo="latency=1ms"), "the objective holds at no rate that was tried"),
    ],
)
def test_run_that_falls_short_fails_with_its_report_written(
    wish: Wish, why: str, server: Closing, tmp_path: Path
) -> None:
    with pytest.raises(CheckFailed, match=why) as failed:
        scheduler(wish, tmp_path)
    assert failed.value.exit_code == 1
    assert why in str(said(tmp_path)["shortcomings"])


def test_generator_at_its_limit_is_no_result(server: Closing, tmp_path: Path) -> None:
    server.service_s, server.generator = 0.0, 300
    with pytest.raises(CheckFailed, match="the load generator was the limit, which is no result"):
        scheduler(Wish(), tmp_path)


@pytest.mark.nightly
def test_slower_than_its_baseline_is_caught_and_as_fast_is_not(
    server: Closing, tmp_path: Path
) -> None:
    scheduler(Wish(), tmp_path / "before")
    before = tmp_path / "before" / "latest" / "report.json"
    scheduler(Wish(baseline=before), tmp_path)
    server.service_s *= 1.25
    with pytest.raises(CheckFailed, match=r"the knee is 0\.(7|8)"):
        scheduler(Wish(baseline=before), tmp_path)


@pytest.mark.nightly
def test_endpoint_that_became_slower_is_named_though_the_knee_is_the_same(
    server: Closing, tmp_path: Path
) -> None:
    server.extra = {f"GET /{name}": 0.002 for name in "abcdef"}
    scheduler(Wish(), tmp_path / "before")
    before = tmp_path / "before" / "latest" / "report.json"
    for _ in range(5):
        scheduler(Wish(baseline=before), tmp_path)
    server.extra["GET /c"] *= 1.7  # of what it takes, a fifth
    with pytest.raises(CheckFailed, match=r"`GET /c` takes 1\.2\d \(.*\) of what it took"):
        scheduler(Wish(baseline=before), tmp_path)


@pytest.mark.nightly
def test_baseline_without_a_knee_tells_of_endpoints(server: Closing, tmp_path: Path) -> None:
    server.extra = {f"GET /{name}": 0.002 for name in "abcdef"}
    low = Plan(start=20, highest=80)
    scheduler(Wish(plan=low), tmp_path / "before")
    before = tmp_path / "before" / "latest" / "report.json"
    scheduler(Wish(plan=low, baseline=before), tmp_path)
    server.extra["GET /c"] *= 1.7
    with pytest.raises(CheckFailed, match=r"`GET /c` takes 1\.(1|2)"):
        scheduler(Wish(plan=low, baseline=before), tmp_path)


@pytest.mark.nightly
def test_slower_machine_is_no_slower_scheduler(server: Closing, tmp_path: Path) -> None:
    scheduler(Wish(), tmp_path / "before")
    before = tmp_path / "before" / "latest" / "report.json"
    server.service_s *= 1.4
    server.slower = 1.4
    scheduler(Wish(baseline=before), tmp_path)
    assert said(tmp_path)["drift"] == pytest.approx(1.4)


@pytest.mark.nightly
def test_history_is_begun_then_compared_with_and_added_to(server: Closing, tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    scheduler(Wish(history=file), tmp_path)
    assert said(tmp_path)["ratio"] is None
    scheduler(Wish(history=file), tmp_path)
    assert said(tmp_path)["ratio"]
    server.service_s *= 1.25
    with pytest.raises(CheckFailed, match=r"the knee is 0\.(7|8)"):
        scheduler(Wish(history=file), tmp_path)
    assert len(file.read_text().splitlines()) == 2, "what fell short is no measure for the next"
    file.write_text('{"shape": 2}\n')
    with pytest.raises(BadInput, match=r"line 1 of .* is not a run of `doit capacity`"):
        scheduler(Wish(history=file), tmp_path)


def test_more_processes_are_measured_each_in_an_instance_of_its_own(
    server: Closing, tmp_path: Path
) -> None:
    scheduler(Wish(backends=4), tmp_path)
    found = said(tmp_path)
    assert list(found["more"]) == ["2", "4"]  # type: ignore[call-overload]
    assert "Four processes carry 4 times as much" in str(found["answer"])
    assert found["processes"]["fit"]["law"]["contention"] == pytest.approx(0, abs=0.01)  # type: ignore[index]


def test_alert_before_the_breach_is_told_with_its_lead(server: Closing, tmp_path: Path) -> None:
    scheduler(Wish(), tmp_path)
    found = said(tmp_path)
    [first, second] = found["lead"]["alerts"]  # type: ignore[index]
    assert (first["alert"], second["alert"]) == ("CPUBusy", "HighLatencyP95")
    assert first["early_s"] > 0 > second["early_s"]
    assert "CPUBusy fires at 0." in str(found["answer"])


def test_breach_that_nobody_was_told_of_is_a_finding(
    server: Closing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Prometheus, "fires_at", 1e9)
    scheduler(Wish(), tmp_path)
    assert "It broke unannounced" in str(said(tmp_path)["answer"])
    assert "Finding: the objective broke and no alert had fired." in str(said(tmp_path)["notes"])


def test_sizes_grow_with_the_clinic(server: Closing, tmp_path: Path) -> None:
    scheduler(Wish(), tmp_path)
    sizes = said(tmp_path)["sizes"]
    assert [one["times"] for one in sizes] == [1, 3, 10, 100]  # type: ignore[attr-defined]
    assert [one["processes"] for one in sizes] == [1, 1, 2, 15]  # type: ignore[attr-defined]
    assert [one["is_measured"] for one in sizes] == [True, True, False, False]  # type: ignore[attr-defined]


def test_ctrl_c_leaves_a_report_of_what_there_is(
    server: Closing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.interrupted_at = 8
    with pytest.raises(KeyboardInterrupt):
        scheduler(Wish(), tmp_path)
    assert said(tmp_path)["ended"] == "it was interrupted"
    assert said(tmp_path)["held"] == 20
    assert "at least 20 arrivals/s; it was interrupted" in capsys.readouterr().out


def test_bad_input_is_refused_before_anything_is_started(server: Closing, tmp_path: Path) -> None:
    for wish in (Wish(slo="fast"), Wish(baseline=tmp_path / "none.json")):
        with pytest.raises(BadInput):
            scheduler(wish, tmp_path)
    assert not server.measured
    assert not list(tmp_path.iterdir())
