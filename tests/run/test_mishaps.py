"""What goes wrong around an instance: each gives one clear message and leaves nothing behind."""

import errno
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from stack.errors import BadInput, HostCannot
from stack.programs.simhost.enter import disk_unavailable
from stack.run import secrets, validity
from stack.run.instance import Instance, instances_dir
from stack.run.keeper import STEADY_S
from stack.run.lifecycle import bring_down, bring_up
from stack.run.ports import check_free
from stack.run.services import SERVICES
from stack.run.supervisor import Supervisor, processes
from tests.waiting import eventually


def mounted(directory: Path) -> bool:
    """Whether any process' mount namespace has a mount below the folder."""
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        with suppress(OSError):
            if str(directory) in table.read_text():
                return True
    return False


@pytest.fixture(autouse=True)
def _nothing_left(state_dir: Path) -> Iterator[None]:
    """What a failed test left running must not fail the others."""
    yield
    for path in instances_dir().glob("*/"):
        bring_down(path.name)


@pytest.fixture
def config(tmp_path: Path, copy_config: Callable[[Path], Path]) -> Path:
    """A copy of the configuration that a test may break."""
    return copy_config(tmp_path)


def test_port_taken_names_the_holder_and_starts_nothing(doit, offset: str) -> None:
    with socket.create_server(("127.0.0.1", 9090 + int(offset))):
        done = doit("up", "--instance", "port-taken", "--port-offset", offset)
    assert done.returncode == 3
    assert f"`prometheus` needs port {9090 + int(offset)}" in done.stderr
    assert f"(PID {os.getpid()})" in done.stderr
    assert "--port-offset" in done.stderr
    assert processes(instances_dir() / "port-taken") == []


def test_yaml_error_names_file_and_line(config: Path, state_dir: Path) -> None:
    file = config / "prometheus" / "rules" / "database.yml"
    file.write_text("groups:\n - name: x\n  bad\n")
    with pytest.raises(BadInput, match=r"database\.yml:3"):
        bring_up("yaml-error", free_ports=True, config_root=config)


def test_service_that_crashes_during_up_is_named_and_all_is_stopped(
    config: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validity, "check", lambda *_: None)  # which would have found it
    file = config / "prometheus" / "rules" / "database.yml"
    file.write_text(file.read_text().replace("min by", "mean by"))
    with pytest.raises(HostCannot, match=r"`prometheus` stopped while starting"):
        bring_up("crashing", free_ports=True, config_root=config)
    assert processes(instances_dir() / "crashing") == []


def test_postgresql_that_crashes_during_up_is_named(state_dir: Path) -> None:
    data = instances_dir() / "no-cluster" / "data" / "postgresql"
    data.mkdir(parents=True)
    with pytest.raises(HostCannot, match=r"postgresql: `postgres` failed in .*no-cluster"):
        bring_up("no-cluster", free_ports=True)
    assert processes(instances_dir() / "no-cluster") == []


def test_speed_below_one_is_refused(state_dir: Path) -> None:
    with pytest.raises(BadInput, match="speed"):
        bring_up("slow", speed=0.5, free_ports=True)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b"])
def test_instance_name_that_is_no_folder_name_is_refused(state_dir: Path, name: str) -> None:
    with pytest.raises(BadInput, match="is not a valid name for an instance"):
        bring_up(name)


@pytest.mark.nightly
def test_two_ups_at_once_are_one_stack(begun, offset: str) -> None:
    both = [begun("up", "--instance", "twice", "--port-offset", offset) for _ in range(2)]
    for process in both:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, output + errors
    directory = instances_dir() / "twice"
    supervisors = [p for p in processes(directory) if "stack.run.supervisord" in p.cmdline()]
    assert len(supervisors) == 1
    assert bring_down("twice")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_up_that_is_ended_stops_what_it_started(begun, offset: str, number: signal.Signals) -> None:
    directory = instances_dir() / "interrupted"
    for _ in range(5):
        process = begun("up", "--instance", "interrupted", "--port-offset", offset)
        eventually(lambda: Supervisor(directory).running(), "the supervisor")
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        if process.returncode != 0:
            break
        bring_down("interrupted")  # on a busy machine the signal may come too late
    assert process.returncode == 130
    assert errors == "interrupted\n"
    assert processes(directory) == []


@pytest.mark.nightly
def test_instance_made_before_a_service_was_added_is_replaced(doit, offset: str) -> None:
    instance = bring_up("older", port_offset=int(offset))
    record = instance.directory / "instance.json"
    made = json.loads(record.read_text())
    del made["ports"]["blackbox-exporter"]
    record.write_text(json.dumps({**made, "hash": "older"}))
    assert doit("status", "--instance", "older").returncode == 0
    up = doit("up", "--instance", "older", "--port-offset", offset)
    assert up.returncode == 0, up.stderr
    assert Instance.open("older").hash == instance.hash
    assert bring_down("older", wipe=True)


@pytest.mark.nightly
def test_killed_up_can_be_seen_and_stopped(begun, doit, offset: str) -> None:
    directory = instances_dir() / "killed-up"
    process = begun("up", "--instance", "killed-up", "--port-offset", offset)
    eventually(lambda: Supervisor(directory).running(), "the supervisor")
    process.kill()
    process.wait()
    assert doit("status", "--instance", "killed-up").returncode in (0, 1)
    assert "is down" in doit("down", "--instance", "killed-up").stdout
    assert processes(directory) == []


@pytest.mark.nightly
def test_down_after_the_supervisor_was_killed_leaves_nothing(doit, offset: str) -> None:
    up = doit("up", "--instance", "orphans", "--port-offset", offset)
    assert up.returncode == 0, up.stderr
    instance = Instance.open("orphans")
    if not disk_unavailable():
        assert mounted(instance.directory)
    supervisor = psutil.Process(int((instance.directory / "supervisord.pid").read_text()))
    supervisor.parent().kill()  # which would start it again
    supervisor.kill()
    supervisor.wait()
    seen = doit("status", "--instance", "orphans")
    assert seen.returncode == 1
    assert "its supervisor is gone" in seen.stderr
    assert doit("down", "--instance", "orphans").returncode == 0
    assert processes(instance.directory) == []
    check_free(instance.ports)
    assert not mounted(instance.directory)


@pytest.mark.nightly
def test_up_after_the_supervisor_was_killed_starts_anew(doit, offset: str) -> None:
    up = doit("up", "--instance", "orphans", "--port-offset", offset)
    assert up.returncode == 0, up.stderr
    instance = Instance.open("orphans")
    os.kill(int((instance.directory / "supervisord.pid").read_text()), signal.SIGKILL)
    again = doit("up", "--instance", "orphans", "--port-offset", offset)
    assert again.returncode == 0, again.stderr
    assert doit("status", "--instance", "orphans").returncode == 0
    assert bring_down("orphans", wipe=True)


def is_supervisord(process: psutil.Process) -> bool:
    try:
        return "stack.run.supervisord" in process.cmdline()
    except psutil.Error:  # ended meanwhile, as a shell of a probe does
        return False


@pytest.mark.nightly
def test_supervisor_that_is_killed_is_back_with_all_that_it_ran(doit, offset: str) -> None:
    up = doit("up", "--instance", "revived", "--port-offset", offset)
    assert up.returncode == 0, up.stderr
    stood = time.monotonic()
    instance = Instance.open("revived")
    before = {name: instance.pid(name) for name in SERVICES}
    supervisor = psutil.Process(int((instance.directory / "supervisord.pid").read_text()))
    # Not by the keeper's own time of creation: the kernel tells the second of its boot roughly.
    eventually(lambda: time.monotonic() - stood > STEADY_S, "a steady supervisord")
    supervisor.kill()
    eventually(instance.is_running, "another supervisord", within_s=60)
    eventually(
        lambda: all(not service.ready(instance.layout) for service in SERVICES.values()),
        "every service",
        within_s=60,
    )
    after = {name: instance.pid(name) for name in SERVICES}
    assert 0 not in after.values()
    assert not set(after.values()) & set(before.values())
    ours = processes(instance.directory)
    assert sum(is_supervisord(each) for each in ours) == 1
    assert not {each.pid for each in ours} & set(before.values())
    said = instance.layout.log("supervisord").read_text()
    assert "CRIT supervisord ended with -9, and nobody had asked it to" in said
    assert bring_down("revived", wipe=True)
    assert processes(instance.directory) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="this is how an ordinary user always runs it")
def test_ordinary_user_can_bring_it_up(doit, offset: str) -> None:
    as_user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    up = doit("up", "--instance", "ordinary", "--port-offset", offset, before=as_user)
    assert up.returncode == 0, up.stderr
    down = doit("down", "--instance", "ordinary", "--wipe", before=as_user)
    assert down.returncode == 0, down.stderr
    directory = instances_dir() / "ordinary"
    assert not directory.exists()
    eventually(lambda: processes(directory) == [], "all to end")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_state_folder_that_postgresql_may_not_enter_is_named(tmp_path: Path, monkeypatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("STACK_STATE", str(tmp_path))
    with pytest.raises(HostCannot, match="may not enter"):
        bring_up("closed", free_ports=True)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_what_the_disk_refuses_during_up_is_told_and_leaves_nothing(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(layout: object) -> None:
        raise OSError(code, os.strerror(code), str(instances_dir() / "refused" / "secrets"))

    monkeypatch.setattr(secrets, "generate", refuse)
    with pytest.raises(HostCannot, match=str(state_dir)) as caught:
        bring_up("refused", free_ports=True)
    assert "STACK_STATE" in caught.value.cure
    assert processes(instances_dir() / "refused") == []


@pytest.mark.parametrize(
    "command",
    [["up"], ["down"], ["verify-alerts", "--only", "PostgreSQLDown"], ["quiet-day"], ["rollback"]],
)
def test_state_that_cannot_be_written_ends_with_3(
    doit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STACK_STATE", str(tmp_path / "file" / "state"))
    done = doit(*command)
    assert done.returncode == 3
    assert f"cannot write `{tmp_path}/file/state" in done.stderr
    assert "Set STACK_STATE to a folder that you can write to." in done.stderr
    assert "Traceback" not in done.stderr
