"""What the Compose files come to, merged by Compose itself: no daemon has to run for that."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from stack.deploy.compose.files import Project
from stack.deploy.compose.rendering import rendered
from stack.deploy.compose.rules import problems, published, secret_values
from stack.deploy.compose.running import found_wrong, meant, prepare
from stack.deploy.images.declared import IMAGES
from stack.errors import BadInput
from stack.run.services import SERVICES

RELEASE = "0123456789ab"


@pytest.mark.parametrize("production", [False, True], ids=["development", "production"])
def test_checked_in_files_are_what_they_have_to_be(root: Path, production: bool) -> None:
    project = Project(root=root, production=production)
    prepare(project)
    assert len(secret_values(project.secrets)) > 10
    assert found_wrong(project, RELEASE) == []


def test_development_publishes_each_service_on_this_machine_alone(root: Path) -> None:
    document = rendered(Project(root=root), {"IMAGES": "store", "STORE_RELEASE": RELEASE})
    wanted = {
        ("database" if name in ("postgresql", "postgres-exporter") else name, "127.0.0.1", port)
        for name in IMAGES
        for what, port in SERVICES[name].ports.items()
        if what != "grpc"
    }
    assert published(document) == wanted


def test_production_publishes_one_port(root: Path) -> None:
    document = rendered(Project(root=root, production=True), {"PROXY_PORT": "443"})
    assert published(document) == {("proxy", "0.0.0.0", 8443)}
    (port,) = document["services"]["proxy"]["ports"]
    assert port["published"] == "443"
    assert document["networks"]["monitoring"]["internal"] is True
    outside = {
        n for n, one in document["services"].items() if "outside" in (one.get("networks") or ())
    }
    assert outside == {"alertmanager", "proxy"}


def test_every_service_with_an_image_is_there_with_both_kinds(root: Path) -> None:
    for images, own in (("store", set(IMAGES)), ("upstream", {"backend", "worker", "inbox"})):
        services = rendered(Project(root=root), {"IMAGES": images, "STORE_RELEASE": RELEASE})[
            "services"
        ]
        assert set(services) == {*IMAGES, "database"}
        from_store = {n for n, one in services.items() if one["image"].endswith(f":{RELEASE}")}
        assert from_store >= own


WRONG = {
    "port": (
        "prometheus",
        {"ports": [{"target": 9090, "published": "9090"}]},
        "publishes port 9090 at 0.0.0.0",
    ),
    "other-port": (
        "loki",
        {"ports": [{"target": 9095, "host_ip": "127.0.0.1"}]},
        "which is not meant to be",
    ),
    "no-port": ("grafana", {"ports": []}, "does not publish port 3001"),
    "tag": ("grafana", {"image": "grafana/grafana:latest"}, "pinned by neither a digest nor"),
    "capability": ("inbox", {"cap_add": ["NET_ADMIN"]}, "keeps capabilities"),
    "all-capabilities": ("inbox", {"cap_drop": []}, "keeps capabilities"),
    "privileged": ("cadvisor", {"privileged": True}, "is privileged"),
    "privileges": ("promtail", {"security_opt": []}, "may gain privileges"),
    "root": ("loki", {"user": "0:0"}, "runs as root"),
    "whoever": ("loki", {"user": ""}, "runs as whoever its image says"),
    "writable": ("proxy", {"read_only": False}, "its root file system can be written to"),
    "socket": (
        "cadvisor",
        {"volumes": [{"type": "bind", "source": "/var/run/docker.sock", "read_only": True}]},
        "gets Docker's socket",
    ),
    "bind": (
        "worker",
        {"volumes": [{"type": "bind", "source": "/etc", "target": "/data/etc"}]},
        "may write to `/etc`",
    ),
    "processes": ("backend", {"pid": "host"}, "shares the machine's process table"),
    "network": ("backend", {"network_mode": "host"}, "is not on the stack's own network"),
    "password": (
        "postgresql",
        {"environment": {"POSTGRES_PASSWORD": "x"}},
        "has `POSTGRES_PASSWORD` in its environment",
    ),
    "url": (
        "backend",
        {"environment": {"DATABASE_URL": "postgresql://scheduler:hunter2@postgresql/residency"}},
        "has a password in the URL of `DATABASE_URL`",
    ),
    "unasked": ("alertmanager", {"healthcheck": None}, "has no health check"),
    "memory": ("prometheus", {"mem_limit": None}, "has no limit on its memory"),
    "logs": ("proxy", {"logging": {"driver": "json-file"}}, "its logs are not rotated"),
    "restart": ("worker", {"restart": "no"}, "is not started again"),
}
"""Id → service, what an override makes of it, what is found."""


@pytest.fixture(scope="module")
def development() -> dict[str, Any]:
    return rendered(Project(), {"IMAGES": "store", "STORE_RELEASE": RELEASE})


@pytest.mark.parametrize(("service", "says", "found"), WRONG.values(), ids=WRONG)
def test_what_is_open_or_unbounded_is_found(
    development: dict[str, Any], service: str, says: dict[str, object], found: str
) -> None:
    document = deepcopy(development)
    document["services"][service] |= says
    wrong = problems(document, meant(), production=False, secrets={})
    assert any(one.service == service and found in one.what for one in wrong), wrong


def test_port_that_an_override_leaves_open_is_found_in_production(root: Path) -> None:
    file = root / "docker-compose.monitoring.prod.yml"
    text = file.read_text()
    old = "  loki: {ports: !reset []}\n"
    assert old in text
    file.write_text(text.replace(old, ""))
    (wrong, *more) = found_wrong(Project(root=root, production=True), RELEASE)
    assert more == []
    assert str(wrong) == ("loki: publishes port 3100 at 127.0.0.1; in production only `proxy` may")


def test_secret_in_the_clear_and_default_password_are_found(root: Path) -> None:
    document = rendered(Project(root=root), {"IMAGES": "store", "STORE_RELEASE": RELEASE})
    document["services"]["inbox"]["command"].append("--password=correct horse battery")
    secrets = {"web": "correct horse battery", "grafana_admin_password": "admin"}
    found = {str(one) for one in problems(document, meant(), production=False, secrets=secrets)}
    assert "inbox: shows the secret `web` in the clear" in found
    assert "secret `grafana_admin_password` is a default or shorter than 12 characters" in found


def test_file_that_compose_refuses_is_told_in_its_words(root: Path) -> None:
    (root / "docker-compose.monitoring.yml").write_text("services: {x: {colour: red}}\n")
    with pytest.raises(BadInput, match=r"Compose refuses the files: .*colour"):
        rendered(Project(root=root))
