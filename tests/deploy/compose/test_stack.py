"""The stack in containers, by a real daemon: it comes up, notifies, is backed up, goes into
production.

The tests go through one stack in the order in which they stand here.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stack.deploy.compose import running
from stack.deploy.compose.engine import Engine
from stack.deploy.compose.files import Project
from stack.deploy.compose.rules import secret_values
from stack.deploy.images.assembly import Assembled, assemble
from stack.deploy.images.declared import IMAGES
from stack.errors import HostCannot
from stack.paths import CONFIG_ROOT
from stack.store.packageset import realise
from tests.deploy.daemon import Daemon, NoDaemon, private_daemon
from tests.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900), pytest.mark.alone]

PROJECT = "residency-monitoring"

NOTIFIED_S = 300
"""A minute until PostgreSQLDown fires, half a minute of `group_wait`, scrapes and evaluations."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    daemon: Daemon
    engine: Engine
    root: Path
    images: Assembled

    def project(self, production: bool = False) -> Project:
        return Project(root=self.root, production=production)

    def name(self, service: str) -> str:
        return f"{PROJECT}-{service}-1"

    def script(self, name: str, *arguments: str, production: bool = False) -> str:
        """What a script prints, run as a person would, with Compose beside Docker."""
        compose = realise(["compose"])["compose"] / "bin"
        ran = subprocess.run(
            [str(self.root / "scripts" / name), *arguments],
            capture_output=True, text=True, timeout=300, check=False,
            env={
                **os.environ,
                "DOCKER_HOST": self.daemon.address,
                "PATH": f"{os.environ['PATH']}:{compose}",
                "PRODUCTION": "yes" if production else "",
            },
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def messages(self) -> list[dict[str, str]]:
        """What the inbox has, asked in its own container."""
        asked = ("wget", "-q", "-O", "-", "http://127.0.0.1:8025/api/messages")
        return json.loads(self.daemon.docker("exec", self.name("inbox"), *asked))

    def sql(self, statement: str) -> str:
        ask = 'read -r PGPASSWORD < "$POSTGRES_PASSWORD_FILE"; export PGPASSWORD; exec psql "$@"'
        return self.daemon.docker(
            "exec", self.name("postgresql"), "sh", "-c", ask, "psql", "--host=127.0.0.1",
            "--username=postgres", "--dbname=residency", "--tuples-only", "--no-align",
            f"--command={statement}",
        ).strip()  # fmt: skip

    def published(self) -> set[tuple[str, str]]:
        """Container and `address:port` of every port of the host that is taken."""
        lines = self.daemon.docker("ps", "--format", "{{.Names}} {{.Ports}}").splitlines()
        return {
            (line.partition(" ")[0], port)
            for line in lines
            for port in re.findall(r"([0-9.]+:\d+)->", line)
        }


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("compose")
    made_here = shutil.ignore_patterns(".env", "secrets", "backups", "__pycache__")
    root = folder / "config"
    shutil.copytree(CONFIG_ROOT, root, ignore=made_here)
    (root / ".env").write_text("IMAGES=store\nPROXY_ADDRESS=127.0.0.1\n")
    try:
        with private_daemon() as daemon, Engine(daemon.address) as engine:
            images = assemble(folder / "images")
            bench = Bench(daemon=daemon, engine=engine, root=root, images=images)
            running.prepare(bench.project())
            assert running.load(bench.project(), engine, images) == len(IMAGES)
            yield bench
            running.down(bench.project(), engine, wipe=True)
            assert daemon.docker("ps", "--all", "--quiet") == ""
            assert daemon.docker("volume", "ls", "--quiet") == ""
    except NoDaemon as reason:
        pytest.skip(f"{reason}; what the files come to is still checked (test_rendered.py)")
    finally:
        shutil.rmtree(folder / "images", ignore_errors=True)


def test_images_are_loaded_once(bench: Bench) -> None:
    assert running.load(bench.project(), bench.engine, bench.images) == 0
    release = bench.images.release
    assert f"STORE_RELEASE={release}\n" in (bench.root / ".env").read_text()


def test_port_that_is_taken_is_told(bench: Bench) -> None:
    """Somebody else has Prometheus' port, on the network where it is to be published."""
    taken = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 9090)); print(flush=True); "
    )
    command = bench.daemon.inside("python3", "-c", f"{taken}time.sleep(600)")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout
            holder.stdout.readline()
            with pytest.raises(HostCannot, match=r"^port 9090 is taken") as caught:
                running.up(bench.project(), bench.engine)
            assert "`PROMETHEUS_PORT`" in caught.value.cure
        finally:
            holder.kill()


def test_development_comes_up_healthy(bench: Bench) -> None:
    running.up(bench.project(), bench.engine)
    eventually(
        lambda: bench.script("health-check.sh"), "a green health check", within_s=150, every_s=1.0
    )
    there = bench.published()
    services = {*IMAGES, "database"}
    assert {address.partition(":")[0] for _, address in there} == {"127.0.0.1"}
    assert len(there) == sum(
        len(ports) for name, ports in running.meant().items() if name in services
    )


def test_setup_script_finds_all_in_place(bench: Bench) -> None:
    """As on a server without the lab: images are loaded, and nothing is written yet."""
    env = bench.root / ".env"
    before = env.read_text()
    env.write_text(re.sub(r"STORE_RELEASE=.*", "STORE_RELEASE=", before))
    assert "ok        prometheus" in bench.script("setup-monitoring.sh")
    assert env.read_text() == before


def test_nothing_that_inspect_shows_is_a_secret(bench: Bench) -> None:
    shown = bench.daemon.docker("inspect", *bench.daemon.docker("ps", "--quiet").split())
    values = secret_values(bench.project().secrets)
    assert len(values) > 10
    assert not [name for name, value in values.items() if value in shown]


def test_containers_may_do_nothing_that_they_need_not(bench: Bench) -> None:
    for service in IMAGES:
        status = bench.daemon.docker(
            "exec", bench.name(service), "busybox", "cat", "/proc/self/status"
        )
        said = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert said["Uid"].split() == ["65532"] * 4, service
        assert int(said["CapBnd"], 16) == 0, service
        assert said["NoNewPrivs"] == "1", service
        ran = subprocess.run(
            ["docker", "--host", bench.daemon.address, "exec", bench.name(service),
             "busybox", "touch", "/etc/here"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Read-only file system" in ran.stderr, service


def test_stopped_postgresql_reaches_pager_chat_and_mail(bench: Bench) -> None:
    bench.daemon.docker("stop", bench.name("postgresql"))

    def notified() -> set[tuple[str, str]]:
        found = {
            (one["channel"], one["destination"])
            for one in bench.messages()
            if "PostgreSQLDown" in one["alerts"] and not one["problems"]
        }
        return found if len(found) >= 3 else set()

    assert eventually(
        notified, "PostgreSQLDown at three places", within_s=NOTIFIED_S, every_s=1.0
    ) == {
        ("pagerduty", "on-call"),
        ("slack", "#alerts-database"),
        ("email", "database@residency.example"),
    }
    bench.daemon.docker("start", bench.name("postgresql"))


def test_logs_reach_the_store(bench: Bench) -> None:
    """Those of PostgreSQL, which writes them itself, and of what the images start."""
    query = "http://127.0.0.1:3100/loki/api/v1/label/service/values"

    def services() -> set[str]:
        answer = bench.daemon.docker("exec", bench.name("loki"), "wget", "-q", "-O", "-", query)
        found = set(json.loads(answer).get("data") or ())
        return found if {"postgresql", "prometheus"} <= found else set()

    found = eventually(services, "log lines in the store", every_s=1.0)
    assert found >= {"residency-scheduler-backend", "worker", "alertmanager", "proxy"}


def test_backup_is_put_back(bench: Bench) -> None:
    eventually(
        lambda: bench.sql("CREATE TABLE kept AS SELECT 42 AS n") or True, "PostgreSQL", every_s=1.0
    )
    before = len(bench.messages())
    made = bench.script("backup-monitoring.sh").partition(":")[0]
    bench.sql("DROP TABLE kept")
    assert "put back" in bench.script("restore-monitoring.sh", str(bench.root / made))
    assert bench.sql("SELECT n FROM kept") == "42"
    assert len(bench.messages()) >= before
    eventually(
        lambda: bench.script("health-check.sh"), "a green health check", within_s=150, every_s=1.0
    )


def test_damaged_backup_is_refused_untouched(bench: Bench) -> None:
    (made,) = (bench.root / "backups").glob("monitoring-*")
    with (made / "loki.tar").open("ab") as file:
        file.write(b"x")
    started = bench.daemon.docker("inspect", "--format", "{{.State.StartedAt}}", bench.name("loki"))
    with pytest.raises(AssertionError, match=r"is damaged"):
        bench.script("restore-monitoring.sh", str(made))
    assert started == bench.daemon.docker(
        "inspect", "--format", "{{.State.StartedAt}}", bench.name("loki")
    )


def test_production_has_one_door(bench: Bench) -> None:
    running.up(bench.project(production=True), bench.engine)
    assert bench.published() == {(bench.name("proxy"), "127.0.0.1:8443")}
    eventually(
        lambda: bench.script("health-check.sh", production=True),
        "a green health check",
        within_s=60,
    )
    # On its way in is a password; what is behind has no way out.
    front = bench.daemon.inside("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}")
    url = "https://127.0.0.1:8443/prometheus/api/v1/query?query=up"
    assert subprocess.run([*front, url], capture_output=True, text=True).stdout == "401"
    password = (bench.root / "secrets" / "proxy_password_viewer").read_text()
    asked = [*front, "-u", f"viewer:{password}", url]
    assert subprocess.run(asked, capture_output=True, text=True).stdout == "200"
    inside = bench.daemon.docker(
        "network", "inspect", "--format", "{{.Internal}}", f"{PROJECT}-inside"
    )
    assert inside.strip() == "true"
