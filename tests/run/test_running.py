"""A fresh instance for a while: what it does when somebody takes one of its ports meanwhile."""

import socket
from types import SimpleNamespace

import pytest

from stack.errors import HostCannot
from stack.run import lifecycle
from stack.run.lifecycle import running


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first attempt to bring an instance up fails; filled with one word for each attempt."""
    attempts: list[str] = []

    def bring_up(name: str, **_: object) -> SimpleNamespace:
        attempts.append("up")
        if len(attempts) == 1:
            raise HostCannot("`inbox` stopped while starting (BACKOFF).")
        return SimpleNamespace(name=name)

    monkeypatch.setattr(lifecycle, "bring_up", bring_up)
    monkeypatch.setattr(lifecycle, "bring_down", lambda name, wipe: False)
    return attempts


def ports_are(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    opened = SimpleNamespace(ports={"inbox": {"http": port}})
    monkeypatch.setattr(lifecycle.Instance, "open", lambda name: opened)


def test_instance_whose_port_was_taken_is_begun_anew(
    refused: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        ports_are(monkeypatch, somebody.getsockname()[1])
        with running("unlucky", speed=60) as instance:
            assert instance.name == "unlucky"
    assert refused == ["up", "up"]


def test_instance_that_fails_by_itself_is_not_begun_anew(
    refused: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ports_are(monkeypatch, port)
    with pytest.raises(HostCannot, match="BACKOFF"), running("broken", speed=60):
        pass
    assert refused == ["up"]
