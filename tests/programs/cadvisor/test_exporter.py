"""The exporter as a process, beside a real supervisord whose worker crashes again and again."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stack.paths import CONFIG_ROOT, REPO
from stack.programs.cadvisor.fresh import FRESH_S, Fresh
from stack.run.ports import free
from stack.run.service import Layout
from stack.run.services import SERVICES
from stack.run.supervisor import Supervisor
from tests.waiting import eventually

NAMES = ("worker", "cadvisor")


@pytest.fixture
def layout(state_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    directory = state_dir / f"i{time.monotonic_ns() % 10**9}"
    for folder in ("logs", "control", "data/worker", "config/cadvisor"):
        (directory / folder).mkdir(parents=True)
    made = Layout(
        name=directory.name, directory=directory, config_root=CONFIG_ROOT, speed=60,
        ports=free(SERVICES.values()), addresses={},
        packages={s.package: Path(f"/store/{s.package}") for s in SERVICES.values() if s.package},
    )  # fmt: skip
    for name, text in SERVICES["cadvisor"].config(made).items():
        (directory / "config/cadvisor" / name).write_text(text)
    return made


@pytest.fixture
def supervisor(layout: Layout) -> Iterator[Supervisor]:
    running = Supervisor(layout.directory)
    running.write_settings(layout, {name: SERVICES[name] for name in NAMES})
    running.start()
    for name in NAMES:
        running.start_process(name)
    eventually(lambda: not any(SERVICES[name].ready(layout) for name in NAMES), "both services")
    yield running
    running.shutdown({})


def scrape(layout: Layout, metric: str) -> dict[str, float]:
    url = layout.url("cadvisor") + "/metrics"
    text = urllib.request.urlopen(url, timeout=5).read().decode()
    return {
        sample.labels.get("name", ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric
    }


def test_exporter_sees_services_come_and_go(layout: Layout, supervisor: Supervisor) -> None:
    assert set(scrape(layout, "container_last_seen")) == {"worker", "cadvisor"}
    assert scrape(layout, "container_spec_memory_limit_bytes")["worker"] == 64 * 1024 * 1024
    supervisor.stop_process("worker")
    time.sleep(FRESH_S)
    assert set(scrape(layout, "container_last_seen")) == {"cadvisor"}
    supervisor.start_process("worker")
    time.sleep(FRESH_S)
    assert set(scrape(layout, "container_last_seen")) == {"worker", "cadvisor"}


def test_exporter_sees_each_restart_of_a_crash_loop(layout: Layout, supervisor: Supervisor) -> None:
    layout.control("worker").write_text(json.dumps({"crash_after_s": 0.2}))
    starts: set[float] = set()
    deadline = time.monotonic() + 30
    while len(starts) < 6:
        assert time.monotonic() < deadline, "supervisord waits before it starts the worker again"
        starts |= set(scrape(layout, "container_start_time_seconds").values())
        time.sleep(FRESH_S)
    assert "BACKOFF" not in {state.status for state in supervisor.states().values()}


def test_exporter_keeps_running_when_supervisord_is_gone(
    layout: Layout, supervisor: Supervisor
) -> None:
    (layout.directory / "supervisord.pid").rename(layout.directory / "elsewhere")
    time.sleep(FRESH_S)
    try:
        assert scrape(layout, "container_scrape_error") == {"": 1}
        assert scrape(layout, "container_last_seen") == {}
    finally:
        (layout.directory / "elsewhere").rename(layout.directory / "supervisord.pid")
    time.sleep(FRESH_S)
    assert scrape(layout, "container_scrape_error") == {"": 0}


def test_exporter_knows_no_other_page(layout: Layout, supervisor: Supervisor) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(layout.url("cadvisor") + "/nowhere", timeout=5)
    assert urllib.request.urlopen(layout.url("cadvisor") + "/healthz", timeout=5).status == 200


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "stack.programs.cadvisor", *map(str, arguments)]
    return subprocess.run(
        command, cwd=REPO, capture_output=True, text=True, timeout=20, check=False
    )


def test_exporter_without_an_instance_says_so(tmp_path: Path) -> None:
    done = run("--port", 1, "--instance", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"cadvisor: `{tmp_path}/config/cadvisor/containers.json` cannot")
    assert "doit up" in done.stderr


def test_exporter_on_a_taken_port_says_so(layout: Layout, supervisor: Supervisor) -> None:
    done = run("--port", layout.port("cadvisor"), "--instance", layout.directory)
    assert done.returncode == 3
    assert f"port `127.0.0.1:{layout.port('cadvisor')}` cannot be listened on" in done.stderr


def test_fresh_shares_figures_for_a_tenth_of_a_second() -> None:
    now = 0.0
    texts = iter("abc")
    metrics = Fresh(lambda: next(texts), lambda: now)
    assert (metrics(), metrics()) == ("a", "a")
    now = FRESH_S
    assert (metrics(), metrics()) == ("b", "b")
