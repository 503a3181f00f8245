"""A machine without Docker, or with one that may not be used, is told what it lacks."""

import socket
from pathlib import Path

import pytest

from stack.deploy.compose import engine
from stack.deploy.compose.engine import Engine
from stack.deploy.compose.files import Project
from stack.deploy.compose.running import _why
from stack.errors import BadInput, HostCannot


def test_no_daemon_is_told_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(HostCannot, match="no Docker daemon runs here") as caught:
        Engine(f"unix://{tmp_path}/none")
    assert "apt-get install docker.io" in caught.value.cure


def test_daemon_that_is_gone_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "s"))
    with pytest.raises(HostCannot, match="does not answer"):
        Engine(f"unix://{tmp_path}/s")


def test_daemon_that_one_may_not_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(to: Path) -> None:
        raise PermissionError(13, "Permission denied", str(to))

    monkeypatch.setattr(engine, "_connect", refused)  # root may use everything
    with pytest.raises(HostCannot, match="you may not use Docker") as caught:
        Engine("unix:///run/docker.sock")
    assert "group `docker`" in caught.value.cure


def test_daemon_of_another_machine_is_refused() -> None:
    with pytest.raises(BadInput, match="no socket of this machine"):
        Engine("tcp://10.0.0.1:2375")


def test_port_that_is_taken_is_told_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOKI_PORT=3100\nPROMETHEUS_PORT=9090\n")
    said = (
        "Error response from daemon: driver failed programming external connectivity on endpoint "
        "x: Error starting userland proxy: listen tcp4 127.0.0.1:9090: bind: address already in use"
    )
    error = _why(Project(root=tmp_path), said)
    assert error.what == "port 9090 is taken on this machine."
    assert "`PROMETHEUS_PORT`" in error.cure


def test_image_that_docker_has_not_is_told(tmp_path: Path) -> None:
    said = "Error response from daemon: No such image: residency-lab/inbox:none"
    assert _why(Project(root=tmp_path), said).what == (
        "Docker has no image `residency-lab/inbox:none`."
    )
