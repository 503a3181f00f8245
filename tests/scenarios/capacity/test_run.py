"""A whole run, on a simulated server: whatever ends it, its report is written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from scenarios.capacity import run
from scenarios.capacity.run import Wish, scheduler
from scenarios.capacity.window import Window
from stack.errors import BadInput, CheckFailed
from tests.scenarios.capacity.simulated import Simulated


class Closing(Simulated):
    """As the bench, to be closed; somebody may press Ctrl-C at a window."""

    interrupted_at = 0
    measured = 0

    def __enter__(self) -> "Closing":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def measure(self, seconds: float) -> Window:
        self.measured += 1
        if self.measured == self.interrupted_at:
            raise KeyboardInterrupt
        return super().measure(seconds)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Closing:
    made = Closing(servers=1, service_s=0.005)

    @contextmanager
    def target(name: str) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(name="capacity", hash="0123456789abcdef")

    monkeypatch.setattr(run, "_target", target)
    monkeypatch.setattr(run, "Bench", lambda instance, folder: made)
    monkeypatch.setattr(run, "monotonic", lambda: made.now)
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


def test_slower_than_its_baseline_is_caught_and_as_fast_is_not(
    server: Closing, tmp_path: Path
) -> None:
    scheduler(Wish(), tmp_path / "before")
    before = tmp_path / "before" / "latest" / "report.json"
    scheduler(Wish(baseline=before), tmp_path)
    server.service_s *= 1.25
    with pytest.raises(CheckFailed, match=r"the knee is 0\.(7|8)"):
        scheduler(Wish(baseline=before), tmp_path)


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
