"""All of `doit capacity metrics` on small sizes and short times, with nothing made up."""

import json
from pathlib import Path

import pytest

from scenarios.capacity.metrics import receiver
from scenarios.capacity.metrics.bench import Dwell
from scenarios.capacity.metrics.run import OWN, Wish, metrics
from stack.run.instance import instances_dir


@pytest.mark.nightly
@pytest.mark.alone
@pytest.mark.timeout(1200)
def test_sizes_prediction_and_remote_write_of_the_real_programs(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "AWAY_S", 25.0)
    monkeypatch.setattr(receiver, "BEFORE_S", 35.0)
    wish = Wish(
        size=5, steps=2, repeats=1, reach=4, interval_s=2.0, churn_instances=30.0,
        churn_labels=30.0, remote_write=True, dwell=Dwell(settle_s=4.0, window_s=5.0, windows=2),
    )  # fmt: skip
    metrics(wish, tmp_path)
    said = json.loads((tmp_path / "latest" / "report.json").read_text())
    assert not said["shortcomings"]
    assert [one["targets"] for one in said["sizes"]] == [5, 10]
    assert said["reached"]["targets"] == 20
    for one in (*said["sizes"], said["reached"]):
        for window in one["windows"]:
            assert window["series"] >= one["targets"] * said["series_each"]
            assert window["samples_per_s"] >= 0.8 * one["targets"] * said["series_each"] / 2
        assert one["storage"]["restart_s"] > 0
        assert one["storage"]["block_samples"] > 0
    remote = said["remote_write"]
    assert remote["kept"]["samples"] > 10_000
    assert remote["kept"]["missing"] == {}
    assert remote["kept"]["away_s"] >= 25
    assert all(one["alike"] == one["moments"] for one in remote["answers"])
    assert not (instances_dir() / OWN).exists(), "nothing is left"
