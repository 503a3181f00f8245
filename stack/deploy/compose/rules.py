"""What must hold for the rendered Compose files, whatever was merged to get there.

Overrides are easily wrong: a `!reset` that an old Compose does not know leaves every port open. So
nothing is read from the files themselves.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.deploy.images.assembly import REPOSITORY
from stack.loopback import HOST

FRONT = "proxy"
"""The service whose port is the only one in production."""

ADDRESS = "database"
"""The container whose network PostgreSQL and its exporter share: it is there while they are not."""

AT_ONE_ADDRESS = ("postgresql", "postgres-exporter")

ROOT: Mapping[str, str] = {
    "cadvisor": "reads what only root may",
    "promtail": "has a volume that is root's",
}
"""Services whose upstream images may run as root, and why; without a capability. The store's images
never do."""

_SEES_PROCESSES = ("cadvisor", "node-exporter")
"""May share the machine's process table: they tell what runs there."""

_UNASKED = ("loki", "promtail")
"""Upstream's images of these have no program that could ask."""

_PINNED = re.compile(r"[^@]+@sha256:[0-9a-f]{64}")
_OWN = re.compile(rf"{REPOSITORY}/[a-z-]+:(?P<release>[0-9a-f]{{12}})")

_SECRETIVE = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
_OF_FILE = re.compile(r"_FILE$")
_IN_URL = re.compile(r"://[^/\s:@]+:[^/\s@]+@")

DEFAULTS = ("admin", "password", "changeme", "change-me", "secret", "grafana", "postgres")
"""Passwords that one finds in examples."""

_SHORT = 12


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong: of which service ("" for all), and what."""

    service: str
    what: str

    def __str__(self) -> str:
        return f"{self.service}: {self.what}" if self.service else self.what


Published = frozenset[tuple[str, str, int]]
"""Service, address and port in the container of each port of the host that is taken."""


def published(document: Mapping[str, Any]) -> Published:
    return frozenset(
        (name, port.get("host_ip", "0.0.0.0"), port["target"])
        for name, service in document["services"].items()
        for port in service.get("ports") or ()
    )


def problems(
    document: Mapping[str, Any],
    ports: Mapping[str, Collection[int]],
    *,
    production: bool,
    secrets: Mapping[str, str],
) -> list[Problem]:
    """All that is wrong, service by service.

    `ports`: service → those that it listens on under Compose and that people open in development.
    `secrets`: name → value of all that nobody may see.
    """
    found = [*_ports(document, ports, production), *_clear(document, secrets), *_weak(secrets)]
    for name, service in document["services"].items():
        found += [Problem(service=name, what=what) for what in _service(name, service, document)]
    return found


def _ports(
    document: Mapping[str, Any], ports: Mapping[str, Collection[int]], production: bool
) -> Iterator[Problem]:
    there = published(document)
    if production:
        meant = {(name, target) for name, _, target in there if name == FRONT}
        if len(meant) != 1 or len([each for each in there if each[0] == FRONT]) != 1:
            yield Problem(service=FRONT, what="must publish exactly one port")
        for name, address, target in sorted(there):
            if name != FRONT:
                yield Problem(
                    service=name,
                    what=f"publishes port {target} at {address}; in production only `{FRONT}` may",
                )
        return
    for name, address, target in sorted(there):
        if address != HOST:
            yield Problem(service=name, what=f"publishes port {target} at {address}, not {HOST}")
        if target not in ports.get(name, ()):
            yield Problem(service=name, what=f"publishes port {target}, which is not meant to be")
    for name, targets in ports.items():
        for target in targets:
            if name in document["services"] and (name, target) not in {
                (service, port) for service, _, port in there
            }:
                yield Problem(service=name, what=f"does not publish port {target}")


def _clear(document: Mapping[str, Any], secrets: Mapping[str, str]) -> Iterator[Problem]:
    """Secrets that `docker inspect` would show."""
    for name, service in document["services"].items():
        text = json.dumps(service)
        for secret, value in secrets.items():
            if value and value in text:
                yield Problem(service=name, what=f"shows the secret `{secret}` in the clear")
        for variable, value in (service.get("environment") or {}).items():
            if _SECRETIVE.search(variable) and not _OF_FILE.search(variable):
                yield Problem(service=name, what=f"has `{variable}` in its environment")
            if _IN_URL.search(str(value or "")):
                yield Problem(service=name, what=f"has a password in the URL of `{variable}`")
    for name, secret in (document.get("secrets") or {}).items():
        if "file" not in secret:
            yield Problem(service="", what=f"secret `{name}` does not come from a file")


def _weak(secrets: Mapping[str, str]) -> Iterator[Problem]:
    for name, value in secrets.items():
        if value.lower() in DEFAULTS or len(value) < _SHORT:
            yield Problem(
                service="", what=f"secret `{name}` is a default or shorter than {_SHORT} characters"
            )


def _service(name: str, service: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    image = str(service.get("image", ""))
    own = _OWN.fullmatch(image)
    if not (_PINNED.fullmatch(image) or own):
        yield f"its image `{image}` is pinned by neither a digest nor a release of the store"
    for rule in _RULES:
        yield from rule(name, service)
    for network in service.get("networks") or {}:
        if network not in (document.get("networks") or {}):
            yield f"its network `{network}` is not declared"
    if not service.get("healthcheck") and (own or name not in _UNASKED):
        yield "has no health check"


def _hardened(name: str, service: Mapping[str, Any]) -> Iterator[str]:
    if service.get("read_only") is not True:
        yield "its root file system can be written to"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "keeps capabilities"
    if "no-new-privileges:true" not in (service.get("security_opt") or ()):
        yield "may gain privileges"
    if service.get("privileged"):
        yield "is privileged"
    user = str(service.get("user", "")).partition(":")[0]
    if user in ("", "0", "root") and not (user == "0" and name in ROOT and "@" in service["image"]):
        yield f"runs as {'root' if user else 'whoever its image says'}"


def _apart(name: str, service: Mapping[str, Any]) -> Iterator[str]:
    shared = service.get("network_mode") == f"service:{ADDRESS}" and name in AT_ONE_ADDRESS
    if not shared and (service.get("network_mode") or not service.get("networks")):
        yield "is not on the stack's own network"
    if service.get("pid") and name not in _SEES_PROCESSES:
        yield "shares the machine's process table"
    if service.get("ipc") == "host":
        yield "shares the machine's memory"
    for mount in service.get("volumes") or ():
        source = str(mount.get("source", ""))
        if source.endswith("docker.sock"):
            yield "gets Docker's socket, which is root on the machine"
        elif mount.get("type") == "bind" and not mount.get("read_only"):
            yield f"may write to `{source}` of the machine"


def _bounded(name: str, service: Mapping[str, Any]) -> Iterator[str]:
    for key, what in (("mem_limit", "memory"), ("cpus", "CPU"), ("pids_limit", "processes")):
        if not service.get(key):
            yield f"has no limit on its {what}"
    logging = service.get("logging") or {}
    if not {"max-size", "max-file"} <= set(logging.get("options") or ()):
        yield "its logs are not rotated"
    if service.get("restart") not in ("unless-stopped", "always"):
        yield "is not started again when it ends"


_RULES: tuple[Callable[[str, Mapping[str, Any]], Iterator[str]], ...] = (
    _hardened,
    _apart,
    _bounded,
)


def secret_values(folder: Path) -> dict[str, str]:
    """Name → value of the secrets that were made there, but for what is no secret of its own."""
    return {
        at.name: at.read_text().strip()
        for at in sorted(folder.rglob("*"))
        if at.is_file()
        and at.name not in ("tls_certificate", "proxy_users")
        and at.suffix != ".new"
    }
