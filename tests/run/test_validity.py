"""Configuration that cannot be used is wrong input: file and line, before anything is touched."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.errors import BadInput, HostCannot
from stack.run import lifecycle, probes, validity
from stack.run.choice import LOGS
from stack.run.instance import Instance, instances_dir
from stack.run.lifecycle import bring_up
from stack.run.service import Layout
from stack.run.services import SERVICES, blackbox_exporter
from tests.waiting import eventually

RULES = "prometheus/rules/database.yml"
MAIN = "prometheus/prometheus.yml"
ALERTS = "alertmanager/alertmanager.yml"
PROBES = "blackbox/blackbox.yml"
LOKI = "loki/loki-config.yml"
LOG_RULES = "loki/rules/logs.yml"
PROMTAIL = "promtail/promtail-config.yml"

BROKEN = [
    (RULES, "min by", "minn by", "unexpected <by>"),
    (RULES, "        expr:", "        exprr:", "field exprr not found"),
    (RULES, "for: 1m", "for: 1minute", 'unknown unit "minute"'),
    (RULES, "{{ $labels", "{{ $lables", "lables"),
    (RULES, "  - name: database", "  - name: database\n   x: y", "not valid YAML"),
    (RULES, "  - name: database", "  - name: database\n\tx: y", "not valid YAML"),
    (MAIN, "  scrape_interval:", "  scrape_intervall:", "field scrape_intervall not found"),
    (MAIN, "job_name: prometheus\n", "job_nam: prometheus\n", "field job_nam not found"),
    (MAIN, "global:", "global: [", "not valid YAML"),
    (MAIN, "alertmanager:9093", "alertmanager:9999", "`alertmanager` has no port 9999"),
    (MAIN, "static_configs:", "static_configs: 5\n      x:", "5"),
    (ALERTS, "receiver: ", "receiver: nobody-", 'undefined receiver "nobody-'),
    (ALERTS, "group_wait:", "group_wat:", "field group_wat not found"),
    (ALERTS, "route:", "route: [", "not valid YAML"),
    (PROBES, "prober: http", "prober: htp", "`htp`, which the exporter does not know"),
    (PROBES, "prober: http", "probr: http", "field probr not found"),
    (PROBES, "timeout: 6s", "timeout: 6 seconds", "6 seconds"),
    (LOKI, "limits_config:", "limits_config:\n  retention: 5h", "`limits_config.retention` is not"),
    (LOKI, "auth_enabled: false", "auth_enabled: maybe", "`auth_enabled` is `maybe`"),
    (LOKI, "auth_enabled: false", "auth_enabled: [", "not valid YAML"),
    (LOG_RULES, "expr: ", "expr: summ(", "`expr`: parse error"),
    (LOG_RULES, "for: ", "fur: ", "`fur` is not known"),
    (PROMTAIL, "batchwait:", "batchwaite:", "batchwaite` is not known"),
    (PROMTAIL, "format: ", "format: 2026-", "the layout `2026-RFC3339Nano`"),
    (PROMTAIL, "static_configs:", "static_config:", "static_config` is not known"),
]


@pytest.fixture
def config(tmp_path: Path, copy_config: Callable[[Path], Path]) -> Path:
    return copy_config(tmp_path)


@pytest.fixture(autouse=True)
def _embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOGS.variable, LOGS.own)


@pytest.mark.parametrize("speed", [1.0, 60.0])
@pytest.mark.parametrize(("name", "old", "new", "said"), BROKEN)
def test_wrong_configuration_is_named_with_its_line(
    state_dir: Path, config: Path, name: str, old: str, new: str, said: str, speed: float
) -> None:
    file = config / name
    lines = file.read_text().split(old)
    assert len(lines) > 1, f"{name} has no `{old}`"
    broken = lines[0] + new + old.join(lines[1:])
    number = (lines[0] + new).count("\n") + 1
    file.write_text(broken)
    with pytest.raises(BadInput) as caught:
        bring_up("wrong", speed=speed, free_ports=True, config_root=config)
    message = str(caught.value)
    assert said in message
    where = [f"{file}:{line}" for line in range(number - 3, number + 4)]
    assert any(at in message for at in where), message
    assert not (instances_dir() / "wrong").exists()


MUTE = [
    ("exit 3", "ended with 3 and said nothing"),
    ("kill -SEGV $$", "was ended by SIGSEGV"),
]


@pytest.mark.parametrize(("program", "said"), MUTE)
def test_program_that_cannot_say_whether_it_is_good_is_named_and_not_the_file(
    tmp_path: Path, config: Path, program: str, said: str
) -> None:
    loki = tmp_path / "bin" / "loki"
    loki.parent.mkdir()
    loki.write_text(f"#!/bin/sh\n{program}\n")
    loki.chmod(0o755)
    layout = Layout(
        name="real", directory=tmp_path, config_root=config, speed=1, ports={}, addresses={},
        packages=dict.fromkeys(LOGS.packages, tmp_path),
    )  # fmt: skip
    only = {"loki": SERVICES["loki"]}
    with pytest.raises(HostCannot) as caught:
        validity.check_sources(layout, only)
    assert caught.value.what.startswith(f"`loki` {said}")
    assert "STACK_LOGS=embedded runs" in caught.value.cure
    loki.chmod(0o644)
    with pytest.raises(HostCannot, match="cannot be run: Permission denied"):
        validity.check_sources(layout, only)


def pids(instance: Instance) -> dict[str, int]:
    return {name: state.pid for name, state in instance.supervisor.states().items()}


def test_good_configuration_passes(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Planned(Exception):
        pass

    def stop(*_: object) -> None:
        raise Planned

    monkeypatch.setattr(lifecycle, "_current", stop)
    for speed in (1.0, 60.0):
        with pytest.raises(Planned):
            bring_up("good", speed=speed, free_ports=True)


def test_wrong_configuration_leaves_what_runs_alone(state_dir: Path, config: Path) -> None:
    instance = bring_up("kept", free_ports=True, config_root=config)
    before = pids(instance)
    rules = config / RULES
    rules.write_text(rules.read_text().replace("min by", "minn by"))
    with pytest.raises(BadInput, match="nothing was started or stopped"):
        bring_up("kept", free_ports=True, config_root=config)
    assert pids(instance) == before
    instance.take_down()


def test_taken_port_leaves_what_runs_alone(state_dir: Path, config: Path, offset: str) -> None:
    instance = bring_up("held", free_ports=True, config_root=config)
    before = pids(instance)
    with (
        socket.create_server(("127.0.0.1", 9090 + int(offset))),
        pytest.raises(HostCannot, match="needs port"),
    ):
        bring_up("held", port_offset=int(offset), config_root=config)
    assert pids(instance) == before
    instance.take_down()


def test_ready_asks_each_module_to_probe(state_dir: Path, config: Path) -> None:
    instance = bring_up("probing", free_ports=True, config_root=config)
    try:
        assert blackbox_exporter.ready(instance.layout) is None
        rendered = instance.layout.config("blackbox-exporter") / "blackbox.yml"
        rendered.write_text(rendered.read_text().replace("prober: http", "prober: htp"))
        instance.supervisor.stop_process("blackbox-exporter")
        instance.supervisor.start_process("blackbox-exporter")
        alive = probes.http("blackbox-exporter", "/-/healthy")
        eventually(lambda: alive(instance.layout) is None, "blackbox_exporter to be back")
        assert "answers 400" in str(blackbox_exporter.ready(instance.layout))
    finally:
        instance.take_down()
