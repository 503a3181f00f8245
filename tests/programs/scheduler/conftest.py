"""A real PostgreSQL from the store, databases in it, and the application over them."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn

from stack.programs.scheduler import seed
from stack.programs.scheduler.app import create_app
from stack.programs.scheduler.settings import Settings, from_environment
from stack.store.packageset import realise
from tests.leftovers import fresh
from tests.waiting import eventually

PASSWORD = "for the tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(kw_only=True)
class Server:
    """A PostgreSQL that can be stopped and started. As root it runs as `nobody`."""

    program: Path
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def initialise(self) -> None:
        arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        # `initdb` starts this very `postgres` and looks for it beside itself.
        command = [self.program / "initdb", "-D", self.folder / "data", *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60, **self._user())

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "GMT",
            "fsync": "off",
        }
        command = [self.program / "postgres", "-D", self.folder / "data", "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **self._user())
        eventually(self._accepts)

    def stop(self, by: signal.Signals = signal.SIGINT) -> None:
        if self.process:
            self.process.send_signal(by)
            self.process.wait(timeout=20)
            self.process = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, *, template: str = "template1") -> str:
        """URL of a new database."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def _accepts(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=2).close()
            return True
        return False

    def _user(self) -> dict[str, object]:
        shared: dict[str, object] = {"cwd": "/", "stdin": subprocess.DEVNULL}
        if os.geteuid() != 0:
            return shared
        nobody = pwd.getpwnam("nobody")
        return shared | {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def server() -> Iterator[Server]:
    # Not under pytest's folder, which only root may enter.
    folder = fresh("scheduler-test-")
    made = Server(program=realise(["postgresql"])["postgresql"] / "bin", folder=folder)
    try:
        made.initialise()
        made.start()
        yield made
    finally:
        made.stop(signal.SIGQUIT)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests that leave it running."""
    with server() as running:
        yield running


def settings(url: str, **changes: object) -> Settings:
    environment = {"DATABASE_URL": url, "SCHEDULER_PASSWORD": PASSWORD}
    return from_environment(environment | {name: str(value) for name, value in changes.items()})


@pytest.fixture(scope="session")
def template(postgres: Server) -> str:
    """Name of a seeded database that others are copied from."""
    url = postgres.create()
    seed.seed(settings(url))
    return url.rpartition("/")[2]


@dataclass(kw_only=True)
class Api:
    """The application, called as one of its users."""

    http: httpx.Client
    tokens: dict[str, str] = field(default_factory=dict)

    def login(self, username: str) -> str:
        body = {"username": username, "password": PASSWORD}
        answer = self.http.post("/api/v1/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def __call__(self, who: str | None, method: str, path: str, **kwargs: Any) -> httpx.Response:
        headers = {}
        if who:
            if who not in self.tokens:
                self.tokens[who] = self.login(who)
            headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return self.http.request(method, path, headers=headers, **kwargs)

    def sample(self, name: str, **labels: str) -> float | None:
        """The value that /metrics shows for that series, None if it is absent."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        for line in self.http.get("/metrics").text.splitlines():
            series, _, value = line.rpartition(" ")
            found, _, rest = series.partition("{")
            if found == name and wanted == set(filter(None, rest.rstrip("}").split(","))):
                return float(value)
        return None


@contextlib.contextmanager
def running(made: Settings) -> Iterator[Api]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_app(made), log_config=None, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx.Client(base_url=base, timeout=30) as http:
            yield Api(http=http)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


@contextlib.contextmanager
def ready(made: Settings) -> Iterator[Api]:
    with running(made) as api:
        eventually(lambda: api.http.get("/health/ready").status_code == 200)
        yield api


@pytest.fixture(scope="module")
def api(postgres: Server, template: str) -> Iterator[Api]:
    """The application over a database of this module's own."""
    with ready(settings(postgres.create(template=template), SCHEDULER_POOL_SIZE=4)) as made:
        yield made


# Helpers as fixtures: test modules cannot import from this file under importlib mode.


@pytest.fixture(scope="session", name="settings_for")
def _settings_for() -> Callable[..., Settings]:
    return settings


@pytest.fixture(scope="session", name="ready_app")
def _ready_app() -> Callable[[Settings], contextlib.AbstractContextManager[Api]]:
    return ready


@pytest.fixture(scope="session", name="server_factory")
def _server_factory() -> Callable[[], contextlib.AbstractContextManager[Server]]:
    return server


@pytest.fixture(scope="session", name="eventually")
def _eventually() -> Callable[..., object]:
    return eventually


@pytest.fixture(name="free_port")
def _free_port() -> int:
    return free_port()
