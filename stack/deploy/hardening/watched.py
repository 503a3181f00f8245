"""Whether somebody would notice: the audit log, its alerts, backups."""

import time
from collections.abc import Iterator
from urllib.parse import urlencode

from stack.deploy.hardening.verdict import Said, Verdict, of
from stack.loopback import request
from stack.run import front
from stack.run.instance import Instance

_ARRIVES_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.5

_ALERTS = {
    "prometheus": ("/api/v1/rules", ("CertificateExpiringSoon",)),
    "loki": ("/prometheus/api/v1/rules", ("UnauthorizedAccessAttempts", "RateLimitExceeded")),
}


def audit(instance: Instance) -> Iterator[Said]:
    """Each request to the front is in the log store, with who, what and what became of it."""
    with front.client(instance.layout) as nobody:
        id = nobody.get("/inbox/").headers.get("x-request-id", "")
    query = {"query": f'{{service="proxy"}} |= `{id}`', "limit": "1"}
    url = f"{instance.url('loki')}/loki/api/v1/query_range?{urlencode(query)}"
    began = time.monotonic()
    while time.monotonic() - began < _ARRIVES_WITHIN_S:
        found = request("GET", url, timeout_s=10).json()["data"]["result"]
        if id and found:
            seconds = time.monotonic() - began
            yield of(True, f"request {id[:8]}… was there after {seconds:.1f} s")
            return
        time.sleep(_LOOK_EVERY_S)
    yield of(False, f"request {id[:8]}… was not there after {_ARRIVES_WITHIN_S:g} s")


def alerts(instance: Instance) -> Iterator[Said]:
    """Intruders, floods and a certificate that runs out are told."""
    missing, healthy = [], 0
    for service, (path, names) in _ALERTS.items():
        groups = request("GET", instance.url(service) + path, timeout_s=10).json()["data"]["groups"]
        health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
        missing += [name for name in names if health.get(name) not in ("ok", "unknown")]
        healthy += sum(name in health for name in names)
    yield of(not missing, f"{healthy} of 3 rules are evaluated"
                          + (f", not: {', '.join(missing)}" if missing else ""))  # fmt: skip


def updates(instance: Instance) -> Iterator[Said]:
    """Packages are as new as their projects'."""
    yield Verdict.UNSEEN, "`doit outdated` asks Debian and the upstream projects"
