"""An instance that was made before a service was added is shown as it is, without complaint."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from stack.errors import BadInput
from stack.run import instance as instances
from stack.run.instance import Instance, Record
from stack.run.ports import shifted
from stack.run.services import SERVICES
from stack.run.supervisor import Supervisor
from stack.tasks import instance as tasks

NEWER = "grafana"


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """Running, as far as anybody can see, with all services but one."""
    monkeypatch.setenv("STACK_STATE", str(tmp_path))
    ports = shifted(SERVICES.values(), 0)
    del ports[NEWER]
    directory = instances.instances_dir() / "older"
    directory.mkdir(parents=True)
    record = Record(
        name="older", speed=1.0, ports=ports, packages={}, config_root="/c", hash="h", created=0.0
    )
    record.write(directory)
    running = SimpleNamespace(pid=2**31 - 1, status="RUNNING")
    states = {name: running for name in SERVICES if name != NEWER}
    monkeypatch.setattr(Supervisor, "running", lambda self: True)
    monkeypatch.setattr(Supervisor, "states", lambda self: states)
    return Instance.open("older")


def test_status_names_the_newer_service_and_finds_nothing_wrong(
    older: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks.status("older")
    said = capsys.readouterr().out
    [row] = [line for line in said.splitlines() if line.startswith(NEWER)]
    assert "not part" in row
    assert "added by the next `doit up`" in said
    assert "logs by the lab's own store and shipper\n" in said
    assert "dashboards by" not in said


def test_newer_service_is_said_to_be_newer(older: Instance) -> None:
    said = "`grafana` is newer than instance `older`"
    with pytest.raises(BadInput, match=said) as caught:
        tasks.restart("older", [NEWER])
    assert caught.value.cure == "`doit up --instance older` adds it."
    with pytest.raises(BadInput, match=said):
        tasks.logs("older", [NEWER], follow=False, lines=1)


def test_unknown_service_is_still_unknown(older: Instance) -> None:
    with pytest.raises(BadInput, match="there is no service `grafanna`"):
        tasks.restart("older", ["grafanna"])
