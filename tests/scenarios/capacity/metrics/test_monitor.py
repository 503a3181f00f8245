"""The Prometheus that is measured: an instance's own in all but whom it scrapes, and how often."""

import json
from pathlib import Path

import pytest

from loadgen.fleet.process import Fleet
from loadgen.fleet.roster import Plan
from scenarios.capacity.metrics.monitor import Died, Monitor
from stack import yamltext
from stack.paths import CONFIG_ROOT
from stack.run.service import Layout
from tests.scenarios.capacity.metrics import made
from tests.waiting import eventually


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return made.layout(tmp_path / "instance")


@pytest.fixture
def shape(tmp_path: Path) -> Path:
    return made.shape(tmp_path / "shape")


def test_configuration_is_the_instance_s_but_for_targets_and_interval(
    layout: Layout, tmp_path: Path
) -> None:
    monitor = Monitor(layout, tmp_path / "own", tmp_path / "fleet.json", interval_s=5.0)
    monitor._write()
    folder = monitor.layout.config("prometheus")
    found = yamltext.load(folder / "prometheus.yml")
    assert [job["job_name"] for job in found["scrape_configs"]] == ["backend"]
    (job,) = found["scrape_configs"]
    assert job["scrape_interval"] == "5000ms"
    assert job["file_sd_configs"][0]["files"] == [str(tmp_path / "fleet.json")]
    assert found["global"] == yamltext.load(CONFIG_ROOT / "prometheus/prometheus.yml")["global"]
    rules = {file.name for file in (CONFIG_ROOT / "prometheus/rules").glob("*.yml")}
    assert {file.name for file in (folder / "rules").iterdir()} == rules
    assert "alerting" not in found, "nobody is notified of what is synthetic"


@pytest.mark.nightly
def test_fleet_is_scraped_measured_and_read_again(
    layout: Layout, shape: Path, tmp_path: Path
) -> None:
    series = sum(not line.startswith("#") for line in shape.read_text().splitlines())
    targets = tmp_path / "fleet.json"
    with (
        Fleet(Plan(targets=3), shape, targets, tmp_path / "fleet.log"),
        Monitor(layout, tmp_path / "own", targets, interval_s=1.0) as monitor,
    ):
        eventually(lambda: monitor.number('count(up{job="backend"} == 1)') == 3)
        assert [one["labels"]["__metrics_path__"] for one in json.loads(targets.read_text())]
        eventually(
            lambda: monitor.number('min(count_over_time(up{job="backend"}[1m]))') >= 5,
            "five scrapes of each",
        )
        held = monitor.metrics()["prometheus_tsdb_head_series"]
        assert held >= 3 * series
        assert monitor.number('count({job="backend"})') >= 3 * series
        block = monitor.block()
        assert block.series >= 3 * series
        assert block.samples >= 5 * 3 * series
        assert min(block.chunk_bytes, block.index_bytes) > 0
        assert not (monitor.data / "snapshots").exists()
        assert monitor.wal_bytes() > 0
        monitor.stop()
        assert monitor.start() > 0
        assert monitor.number('min(count_over_time(up{job="backend"}[1m]))') >= 5
        assert monitor.metrics()["prometheus_tsdb_head_series"] >= held


@pytest.mark.nightly
def test_prometheus_that_died_is_named_with_its_last_words(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "fleet.json").write_text("[]")
    with Monitor(layout, tmp_path / "own", tmp_path / "fleet.json", interval_s=5.0) as monitor:
        monitor.process.kill()
        eventually(lambda: not monitor.process.is_running() or monitor._process.poll())  # type: ignore[union-attr]
        with pytest.raises(Died, match="Prometheus ended by itself: "):
            monitor.metrics()
