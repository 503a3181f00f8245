"""An instance's life: up, up again, a service lost, down; one instance for the whole file."""

import os
import re
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request

import psutil
import pytest

from stack.loopback import BEHIND, HOST, urlopen
from stack.run.instance import Instance
from stack.run.services import SERVICES
from stack.run.supervisor import processes
from tests.waiting import eventually

CARELESS = ["sh", "-c", 'umask 000; exec "$@"', "sh"]


@pytest.fixture(scope="module")
def first(doit, offset: str):
    done = doit("up", "--port-offset", offset, before=CARELESS)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def up(first, doit, offset: str):
    """What `up` said at first; the instance is as it was then, whatever came in between."""
    instance = Instance.open("default")
    if not instance.is_running() or instance.hash not in first.stdout:
        assert doit("up", "--port-offset", offset).returncode == 0
    return first


def pids(instance: Instance) -> dict[str, int]:
    return {name: state.pid for name, state in instance.supervisor.states().items()}


def test_up_tells_of_every_service(up) -> None:
    for service in SERVICES:
        assert re.search(rf"{service} ready after [\d.]+ s", up.stdout), service
        assert re.search(rf"^{service} .*running", up.stdout, re.MULTILINE), service
    assert re.search(r"hash [0-9a-f]{12}  speed 1  memory \d+ MB", up.stdout)


def test_up_again_is_the_same_stack(up, doit, offset: str) -> None:
    instance = Instance.open("default")
    before = pids(instance)
    done = doit("up", "--port-offset", offset)
    assert done.returncode == 0, done.stderr
    assert pids(instance) == before
    assert instance.hash in up.stdout
    assert instance.hash in done.stdout


def test_status_of_a_running_stack_is_good(up, doit) -> None:
    done = doit("status")
    assert done.returncode == 0, done.stderr
    assert Instance.open("default").url("prometheus") in done.stdout


def test_every_service_is_well_where_it_says_so(up) -> None:
    layout = Instance.open("default").layout
    asked = [layout.url(one.name) + path for one in SERVICES.values() for path in one.health
             if "https" not in one.ports]  # fmt: skip
    assert len(asked) > 10
    for url in asked:
        with urlopen(url, timeout_s=30) as answer:
            assert answer.status == 200, url


HTTP = sorted(name for name, service in SERVICES.items() if "http" in service.ports)


def _refused(url: str, headers: dict[str, str], body: bytes | None = None) -> int:
    """The status that a request gets, 0 if it is good."""
    try:
        with urlopen(Request(url, body, headers), timeout_s=30):
            return 0
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("name", HTTP)
def test_page_of_another_site_that_is_made_to_lead_here_reads_nothing(up, name: str) -> None:
    """DNS rebinding."""
    url = Instance.open("default").layout.url(name, "http")
    for path in (*SERVICES[name].health, "/metrics", "/"):
        for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:9090", "127.0.0.2"):
            assert _refused(url + path, {"Host": host}) == 421, (path, host)


@pytest.mark.parametrize("name", HTTP)
def test_page_of_another_site_changes_nothing(up, name: str) -> None:
    url = Instance.open("default").layout.url(name, "http")
    for said in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        for path in ("/", "/-/reload", "/-/quit", "/api/v2/silences", "/api/v1/push"):
            # 501: of programs that show pages and take nothing.
            assert _refused(url + path, said, b"{}") in (403, 501), (path, said)


@pytest.mark.parametrize("name", HTTP)
def test_page_of_another_site_neither_reads_nor_frames(up, name: str) -> None:
    url = Instance.open("default").layout.url(name, "http")
    for path in SERVICES[name].health or ("/metrics",):
        asked = Request(url + path, headers={"Origin": "http://evil.example"})
        with urlopen(asked, timeout_s=30) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", [one.name for one in SERVICES.values() if one.guarded])
def test_what_answers_anybody_is_asked_by_nginx_alone(up, name: str) -> None:
    instance = Instance.open("default")
    url = f"http://{BEHIND}:{instance.port(name)}"
    for path in (*SERVICES[name].health, "/metrics", "/api/v2/silences"):
        assert _refused(url + path, {}) == 401


def test_own_programs_live_within_memory_of_their_own(up) -> None:
    instance = Instance.open("default")
    own = [one for one in SERVICES.values() if one.memory_limit_bytes]
    assert len(own) == 10
    for service in own:
        process = psutil.Process(instance.pid(service.name))
        assert process.rlimit(psutil.RLIMIT_DATA)[0] == service.memory_limit_bytes, service.name


def test_curl_reloads_prometheus(up) -> None:
    """As the runbook says: whoever is no browser says neither Origin nor Sec-Fetch-Site."""
    url = Instance.open("default").layout.url("prometheus")
    assert _refused(f"{url}/-/reload", {}, b"") == 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/admin/tsdb/snapshot",
        "//api/v1//admin/tsdb/snapshot",
        "/api/v1/x/../admin/tsdb/snapshot",
        "/api/v1/%61dmin/tsdb/snapshot",
        "/api/v1/x/%2e%2e/admin%2ftsdb/snapshot",
    ],
)
def test_nobody_but_the_lab_asks_for_a_snapshot(up, path: str) -> None:
    layout = Instance.open("default").layout
    assert _refused(layout.url("prometheus") + path, {}, b"") == 403


def test_large_body_is_refused(up) -> None:
    url = Instance.open("default").layout.url("alertmanager")
    assert _refused(f"{url}/api/v2/silences", {}, b" " * (16 << 20)) != 413
    assert _refused(f"{url}/api/v2/silences", {}, b" " * ((16 << 20) + 1)) == 413


def test_status_names_the_service_that_does_not_run_and_up_starts_it(up, doit, offset: str) -> None:
    instance = Instance.open("default")
    instance.stop_service("alertmanager")
    done = doit("status")
    assert done.returncode == 1
    assert done.stderr.startswith("not running: alertmanager.\n  `doit logs alertmanager`")
    assert doit("up", "--port-offset", offset).returncode == 0
    assert instance.service_running("alertmanager")


def test_supervisor_starts_a_killed_service_again(up) -> None:
    instance = Instance.open("default")
    before = instance.pid("postgres-exporter")
    os.kill(before, signal.SIGKILL)
    eventually(lambda: instance.pid("postgres-exporter") not in (0, before), "another process")


def test_stop_holds_down_even_a_service_that_has_just_died(up) -> None:
    instance = Instance.open("default")
    os.kill(instance.pid("postgres-exporter"), signal.SIGKILL)
    instance.stop_service("postgres-exporter")
    assert instance.supervisor.states()["postgres-exporter"].status == "STOPPED"
    instance.start_service("postgres-exporter")


def test_restart_gives_the_service_another_process(up, doit) -> None:
    instance = Instance.open("default")
    before = pids(instance)
    done = doit("restart", "inbox")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"inbox ready after [\d.]+ s\n", done.stdout)
    changed = {name for name, pid in pids(instance).items() if pid != before[name]}
    assert changed == {"inbox"}


def test_restart_suggests_the_nearest_service(up, doit) -> None:
    done = doit("restart", "postgres")
    assert done.returncode == 2
    assert "there is no service `postgres`" in done.stderr
    assert "postgresql" in done.stderr


def test_logs_prints_the_last_lines_of_the_named_service(up, doit) -> None:
    done = doit("logs", "postgresql", "--lines", "100")
    assert done.returncode == 0, done.stderr
    assert "database system is ready to accept connections" in done.stdout


def test_secrets_are_for_their_owner_alone(up) -> None:
    directory = Instance.open("default").directory
    for path in [*(directory / "secrets").iterdir(), directory / "supervisord.conf"]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_every_listening_port_is_on_loopback(up) -> None:
    listening = set()
    for process in processes(Instance.open("default").directory):
        with suppress(psutil.NoSuchProcess):  # a worker's that ended meanwhile
            sockets = process.net_connections("inet")
            listening |= {one.laddr for one in sockets if one.status == "LISTEN"}
    assert len(listening) >= 9
    assert {address[0] for address in listening} == {HOST, BEHIND}


def open_to_others(folder: Path) -> Iterator[Path]:
    """What other users of the machine can read or write to."""
    for path in folder.iterdir():
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_IXOTH:
            yield from open_to_others(path)
        if mode & (stat.S_IROTH | stat.S_IWOTH) and not path.is_symlink():
            yield path


def test_instance_is_closed_to_other_users_of_the_machine(up) -> None:
    directory = Instance.open("default").directory
    root = os.geteuid() == 0
    assert stat.S_IMODE(directory.stat().st_mode) == (0o711 if root else 0o700)
    found = [*open_to_others(directory)] if root else []
    secret = [path for path in found if path.relative_to(directory).parts[0] in ("data", "logs")]
    assert secret == []
    assert [path for path in found if path.stat().st_mode & (stat.S_IWOTH | stat.S_IWGRP)] == []


def test_instances_dir_is_all_that_an_instance_writes(up, state_dir: Path) -> None:
    assert {path.name for path in state_dir.iterdir()} == {"instances"}


def test_up_after_a_changed_port_moves_the_stack_and_keeps_its_data(up, doit, moved: str) -> None:
    instance = Instance.open("default")
    cluster = (instance.layout.data("postgresql") / "PG_VERSION").stat().st_mtime
    done = doit("up", "--port-offset", moved)
    assert done.returncode == 0, done.stderr
    assert Instance.open("default").hash != instance.hash
    assert (instance.layout.data("postgresql") / "PG_VERSION").stat().st_mtime == cluster
    assert doit("status").returncode == 0


def test_down_leaves_no_process(up, doit) -> None:
    directory = Instance.open("default").directory
    done = doit("down")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("instance `default` is down (")
    stays = f"its data and logs stay in {directory} (`doit down --wipe` removes them)\n"
    assert done.stdout.endswith(f" s); {stays}")
    assert processes(directory) == []
    assert doit("down").stdout == f"instance `default` was not running; {stays}"
    command = Instance.open("default").up
    assert command.startswith("doit up --port-offset ")
    assert doit("status").stdout == f"instance `default` is down; start it with `{command}`\n"
    for refused in (doit("shell", "true"), doit("restart", "backend")):
        assert refused.returncode == 2
        assert (
            refused.stderr == f"instance `default` is not running.\n  Start it with `{command}`.\n"
        )
