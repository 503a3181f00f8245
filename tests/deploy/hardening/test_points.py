"""`doit harden` on a stack of the production profile: every point holds, and each is seen to fail
when it is broken on purpose."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import replace
from pathlib import Path

import bcrypt
import psutil
import pytest

from loadgen.faults.front import CertificateNotRenewed
from stack.deploy.hardening import network
from stack.deploy.hardening.points import POINTS
from stack.deploy.hardening.verdict import Verdict
from stack.paths import REPO
from stack.run.instance import Instance
from stack.run.services import SERVICES
from stack.run.supervisor import MARK
from tests.run.conftest import _free_offset
from tests.waiting import eventually

pytestmark = pytest.mark.nightly

ROOT = os.geteuid() == 0
USER = 1000
"""An ordinary user, as whom it runs where the tests are root's."""


def as_user(folder: Path) -> list[str]:
    if not ROOT:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
            "env", f"HOME={folder}", "PYTHONDONTWRITEBYTECODE=1"]  # fmt: skip


@pytest.fixture(scope="module")
def server(state_dir: Path) -> Iterator[Instance]:
    """A stack as somebody runs it on a server, who is not root."""
    if ROOT:
        os.chown(state_dir, USER, USER)
    command = [*as_user(state_dir), sys.executable, "-m", "stack.tasks"]
    offset = _free_offset()
    up = subprocess.run(
        [*command, "up", "--profile", "production", "--port-offset", offset],
        capture_output=True, text=True, check=False, cwd=REPO,
    )  # fmt: skip
    assert up.returncode == 0, up.stderr
    yield Instance.open("default")
    subprocess.run([*command, "down", "--wipe"], check=True, cwd=REPO, capture_output=True)


def verdicts(point: str, instance: Instance) -> set[Verdict]:
    return {verdict for verdict, _ in POINTS[point](instance)}


@pytest.mark.parametrize("point", POINTS)
def test_point_holds(server: Instance, point: str) -> None:
    unseen = {"packages are up to date"} | (
        set() if ROOT else {"other users of this machine get nothing"}
    )
    expected = Verdict.UNSEEN if point in unseen else Verdict.HOLDS
    assert verdicts(point, server) == {expected}, list(POINTS[point](server))


def reloaded(instance: Instance) -> None:
    """The front works by the files as they are now: workers that began before are gone."""
    master = psutil.Process(instance.pid("proxy"))
    before = set(master.children())
    reload = SERVICES["proxy"].reload
    assert reload
    assert reload(instance.layout) is None
    eventually(lambda: not before & set(master.children()), "other workers of the front")


EDITS = {
    "TLS 1.2 and 1.3 alone": ("nginx.conf", "ssl_protocols TLSv1.2 TLSv1.3;",
                              "ssl_protocols TLSv1.3;"),
    "ciphers with forward secrecy alone": ("nginx.conf", "ssl_ciphers ECDHE",
                                           "ssl_ciphers ECDHE-ECDSA-AES128-SHA:ECDHE"),
    "nothing without a password": ("nginx.conf", 'auth_basic "monitoring";', "auth_basic off;"),
    "users do what their role says": ("roles.conf", "viewer look;", "viewer operate;"),
    "browsers are told to take care": ("nginx.conf", "add_header X-Frame-Options DENY always;", ""),
    "the rate is limited": ("nginx.conf", "limit_req zone=requests burst=100 nodelay;", ""),
    "requests are in the audit log": ("nginx.conf", "access_log /dev/stdout audit;",
                                      "access_log off;"),
}  # fmt: skip
"""Point → file of the front, what stands there, and what breaks it."""


@pytest.mark.parametrize("point", EDITS)
def test_front_that_is_configured_otherwise_is_noticed(
    server: Instance, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stack.deploy.hardening.watched._ARRIVES_WITHIN_S", 3.0)
    name, good, bad = EDITS[point]
    file = server.config_dir / "proxy" / name
    text = file.read_text()
    assert good in text
    # What holds for all of them: guesses of an earlier test have used up this address' burst.
    limit = EDITS["the rate is limited"][1]
    try:
        file.write_text(text.replace(good, bad).replace(limit, ""))
        reloaded(server)
        assert Verdict.FAILS in verdicts(point, server)
    finally:
        file.write_text(text)
        reloaded(server)


def test_default_password_is_noticed(server: Instance) -> None:
    users = server.layout.data("proxy") / "users"
    roles = server.config_dir / "proxy" / "roles.conf"
    before = users.read_text(), roles.read_text()
    hashed = bcrypt.hashpw(b"admin", bcrypt.gensalt(4)).decode()
    try:
        users.write_text(f"{before[0]}admin:{hashed}\n")
        roles.write_text(before[1].replace("viewer look;", "viewer look;\n    admin look;"))
        reloaded(server)
        assert Verdict.FAILS in verdicts("no default password", server)
    finally:
        users.write_text(before[0])
        roles.write_text(before[1])
        reloaded(server)


def belongs_to_its_user(server: Instance) -> None:
    """What root has written into it as well."""
    if ROOT:
        for file in server.layout.secret("").iterdir():
            os.chown(file, USER, USER)
    reloaded(server)


def test_certificate_that_runs_out_is_noticed(server: Instance) -> None:
    fault = CertificateNotRenewed(days=3)
    try:
        fault.inject(server)
        belongs_to_its_user(server)
        eventually(lambda: Verdict.FAILS in verdicts("the certificate is valid", server))
    finally:
        fault.undo(server)
        belongs_to_its_user(server)
    eventually(lambda: fault.verify(server) is None)


def test_short_password_is_noticed(server: Instance) -> None:
    file = server.layout.secret("grafana_admin_password")
    before = file.read_text()
    for password in ("admin", "fifteen letters"):
        file.write_text(password)
        assert verdicts("passwords are long, and hashed", server) == {Verdict.FAILS}
    file.write_text(before)
    users = server.layout.data("proxy") / "users"
    known = users.read_text()
    users.write_text(f"{known}somebody:a long password in the clear\n")
    assert verdicts("passwords are long, and hashed", server) == {Verdict.FAILS}
    users.write_text(known)
    assert verdicts("passwords are long, and hashed", server) == {Verdict.HOLDS}


@pytest.mark.parametrize(
    ("place", "mode"), [("secrets/web_password", 0o640), ("data/loki", 0o755), ("logs", 0o755)]
)
def test_folder_that_is_open_is_noticed(server: Instance, place: str, mode: int) -> None:
    path = server.directory / place
    before = path.stat().st_mode & 0o777
    path.chmod(mode)
    try:
        assert verdicts("folders are closed", server) == {Verdict.FAILS}
    finally:
        path.chmod(before)


@pytest.mark.parametrize("place", ["logs/backend.log", "config/alertmanager/alertmanager.yml"])
def test_secret_in_a_log_or_a_configuration_is_noticed(server: Instance, place: str) -> None:
    file = server.directory / place
    size = file.stat().st_size
    with file.open("a") as text:
        text.write(f"# {server.layout.secret('slack_token').read_text()}\n")
    try:
        found = list(POINTS["secrets are in their files alone"](server))
        assert found[0][0] is Verdict.FAILS
        assert f"slack_token in {file.name}" in found[0][1]
    finally:
        os.truncate(file, size)


def test_secret_in_an_argument_or_an_environment_is_noticed(server: Instance) -> None:
    secret = server.layout.secret("postgres_password").read_text()
    for arguments, environment in (([secret], {}), ([], {"PGPASSWORD": secret})):
        command = [sys.executable, "-c", "import time; time.sleep(60)", *arguments]
        with marked(server, command, environment):
            found = list(POINTS["secrets are in their files alone"](server))
            assert found[0][0] is Verdict.FAILS
            assert "postgres_password in" in found[0][1]


class marked:
    """A process that belongs to the instance, as all that its programs start."""

    def __init__(self, instance: Instance, command: list[str], more: dict[str, str]) -> None:
        environment = {**os.environ, MARK: str(instance.directory), **more}
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)

    def __enter__(self) -> "subprocess.Popen[bytes]":
        return self._process

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


_LISTENS = """
import socket, time
s = socket.socket(); s.bind(("0.0.0.0", 0)); s.listen(); print(s.getsockname()[1], flush=True)
time.sleep(60)
"""


def test_other_open_port_is_noticed(server: Instance) -> None:
    with marked(server, [sys.executable, "-c", _LISTENS], {}) as listening:
        assert listening.stdout
        listening.stdout.readline()
        assert verdicts("other machines reach the front alone", server) == {Verdict.FAILS}


@pytest.mark.skipif(not ROOT, reason="an ordinary user starts nothing as root")
def test_process_of_root_is_noticed(server: Instance) -> None:
    with marked(server, ["sleep", "60"], {}):
        assert verdicts("nothing runs as root", server) == {Verdict.FAILS}


@pytest.mark.skipif(not ROOT, reason="only root can ask as another user")
def test_service_that_answers_strangers_is_noticed(server: Instance, tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text("up 1\n")
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1",
               "--directory", str(tmp_path)]  # fmt: skip
    with marked(server, command, {}) as listening:
        assert listening.stdout
        port = int(listening.stdout.readline().split()[5])
        instance = copy(server)
        instance.layout = replace(server.layout, ports={"loki": {"http": port}})
        assert [verdict for verdict, _ in network.strangers(instance)] == [Verdict.FAILS]


def test_database_without_passwords_is_noticed(server: Instance) -> None:
    rules = server.config_dir / "postgresql" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(before.replace("scram-sha-256", "trust"))
    try:
        assert Verdict.FAILS in verdicts("PostgreSQL asks for a password", server)
    finally:
        rules.write_text(before)


def test_alert_that_is_not_loaded_is_noticed(server: Instance) -> None:
    rules = server.config_dir / "prometheus" / "rules" / "monitoring.yml"
    before = rules.read_text()
    reload = SERVICES["prometheus"].reload
    assert reload
    rules.write_text(before.replace("CertificateExpiringSoon", "Another"))
    try:
        assert reload(server.layout) is None
        eventually(lambda: verdicts("intruders are told", server) == {Verdict.FAILS})
    finally:
        rules.write_text(before)
        assert reload(server.layout) is None


_SCAN = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def is_open(port):
    with socket.socket() as asking:
        asking.settimeout(2)
        return asking.connect_ex((sys.argv[1], port)) == 0
with ThreadPoolExecutor(32) as pool:
    print(json.dumps([p for p, open_ in zip(range(1, 65536), pool.map(is_open, range(1, 65536)))
                      if open_]))
"""


@pytest.mark.skipif(not ROOT, reason="only root makes network namespaces")
def test_another_machine_finds_one_open_port(
    server: Instance, namespace: Callable[[list[str]], str]
) -> None:
    """From a second network namespace, all 65,535 ports."""
    found = set(json.loads(namespace([sys.executable, "-c", _SCAN, "10.213.77.1"])))
    ours = {port for named in server.ports.values() for port in named.values()}
    listening = {
        each.laddr.port for one in psutil.process_iter()
        if _environment(one).get(MARK) == str(server.directory)
        for each in one.net_connections("inet") if each.status == psutil.CONN_LISTEN
    }  # fmt: skip
    assert found & (ours | listening) == {server.port("proxy")}


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except (psutil.Error, OSError):
        return {}


@pytest.fixture
def namespace() -> Iterator[Callable[[list[str]], str]]:
    """Runs a command in a namespace that reaches this machine at 10.213.77.1."""

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    name = f"lab{os.getpid()}"
    ip("netns", "add", name)
    try:
        ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("address", "add", "10.213.77.1/24", "dev", name)
        ip("link", "set", name, "up")
        ip("-n", name, "address", "add", "10.213.77.2/24", "dev", "eth0")
        ip("-n", name, "link", "set", "eth0", "up")

        def run(command: list[str]) -> str:
            done = subprocess.run(
                ["ip", "netns", "exec", name, *command], check=True, capture_output=True, text=True
            )
            return done.stdout

        yield run
    finally:
        subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)
        ip("netns", "delete", name)
