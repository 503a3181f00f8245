"""What promtool and amtool, the real ones, say of scaled configuration."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack import durations, speed
from stack.paths import REPO
from stack.store.packageset import realise

SPEEDS = [1, 2.5, 60, 3600, 1e6]
PROMETHEUS = REPO / "stack" / "config" / "prometheus"
ALERTMANAGER = REPO / "stack" / "config" / "alertmanager"

RULES = """
groups:
  - name: g
    interval: 1m
    rules:
      - {alert: Old, expr: time() - written_seconds > 2*3600, for: 10m}
      - {alert: Before, expr: written_seconds < time() - 7200}
      - {alert: Filling, expr: "predict_linear(free[30m], 4*3600) < 0", for: 5m}
      - {alert: Busy, expr: "rate(requests_total[5m]) > 2", for: 5m}
      - {alert: Grown, expr: "free < 0.8 * (free offset 1h)"}
      - {alert: Often, expr: "count_over_time((flaps > 0)[30m:1m]) > 10", keep_firing_for: 10m}
"""
SERIES = {
    # One value a minute, or one a second at speed 60. Counters grow by traffic, not sped up.
    "written_seconds": "0x400",
    "free": "1000x60 1000-5x190 50x150",
    "requests_total": "0x60 0+{three_a_second}x340",
    "flaps": "0x100 1x20 0x280",
}


@pytest.fixture(scope="module")
def promtool() -> Path:
    return realise(["prometheus"])["prometheus"] / "bin" / "promtool"


@pytest.fixture(scope="module")
def amtool() -> Path:
    return realise(["alertmanager"])["alertmanager"] / "bin" / "amtool"


def run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("factor", SPEEDS)
def test_scaled_prometheus_passes_promtool(promtool: Path, tmp_path: Path, factor: float) -> None:
    main = speed.scale_prometheus(
        yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text()), factor
    )
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(main))
    (tmp_path / "rules").mkdir()
    for path in sorted((PROMETHEUS / "rules").glob("*.yml")):
        rules = speed.scale_rules(
            yaml.safe_load(path.read_text()),
            factor,
            scrape_interval_s=speed.scrape_interval(main),
            file=path.name,
        )
        (tmp_path / "rules" / path.name).write_text(yaml.safe_dump(rules))
    run(promtool, "check", "config", tmp_path / "prometheus.yml")


@pytest.mark.parametrize("factor", SPEEDS)
def test_scaled_defaults_pass_promtool(promtool: Path, tmp_path: Path, factor: float) -> None:
    jobs = [
        {"job_name": "a"},
        {"job_name": "b", "scrape_interval": "5m"},
        {"job_name": "c", "scrape_timeout": "5s"},
    ]
    main = speed.scale_prometheus({"scrape_configs": jobs}, factor)
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(main))
    run(promtool, "check", "config", tmp_path / "prometheus.yml")


@pytest.mark.parametrize("factor", SPEEDS)
def test_scaled_alertmanager_passes_amtool(amtool: Path, tmp_path: Path, factor: float) -> None:
    shutil.copytree(ALERTMANAGER, tmp_path, dirs_exist_ok=True)
    main = tmp_path / "alertmanager.yml"
    scaled = speed.scale_alertmanager(yaml.safe_load(main.read_text()), factor)
    main.write_text(yaml.safe_dump(scaled))
    run(amtool, "check-config", main)


@pytest.mark.parametrize("factor", [1, 60])
def test_scaled_rules_fire_at_the_same_scaled_moments(
    promtool: Path, tmp_path: Path, factor: int
) -> None:
    """One history, told at one value a minute and at one value a second, alarms alike."""
    rules = speed.scale_rules(
        yaml.safe_load(RULES), factor, scrape_interval_s=60 / factor, file="rules.yml"
    )
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
    step = durations.scale_duration("1m", factor)
    (tmp_path / "tests.yml").write_text(
        yaml.safe_dump(
            {
                "rule_files": ["rules.yml"],
                "evaluation_interval": step,
                "tests": [{"interval": step, **_history(factor)}],
            }
        )
    )
    run(promtool, "test", "rules", tmp_path / "tests.yml")


def _history(factor: int) -> dict[str, Any]:
    moments = [  # alert, quiet minutes, firing minutes, and quiet ones again
        ("Old", [0, 60, 120, 130], [131, 132, 300]),
        ("Before", [0, 60, 120], [121, 122, 300]),
        ("Filling", [0, 60], [100, 150]),
        ("Busy", [0, 60], [75, 150, 300]),
        ("Grown", [0, 60, 90], [120, 150]),
        ("Often", [0, 100, 110], [112, 120, 150], [161, 200]),
    ]
    three_a_second = 180 // factor
    return {
        "input_series": [
            {"series": name, "values": values.format(three_a_second=three_a_second)}
            for name, values in SERIES.items()
        ],
        "alert_rule_test": [
            {
                "alertname": name,
                "eval_time": durations.scale_duration(f"{minute}m", factor),
                "exp_alerts": [{"exp_labels": {}}] if count == 1 else [],
            }
            for name, *phases in moments
            for count, minutes in enumerate(phases)
            for minute in minutes
        ],
    }
