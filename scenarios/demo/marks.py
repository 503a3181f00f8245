"""Annotations on the dashboards: where an incident began and ended. By Grafana's own API, which the
viewer has as well (reference: "Annotations HTTP API")."""

import httpx

from scenarios.demo.incident import Incident
from stack import loopback
from stack.run.instance import Instance

SERVICE = "grafana"
TAG = "incident"

TIMEOUT_S = 5.0


def begin(instance: Instance, incident: Incident, at: float) -> int:
    """Mark the beginning, Unix seconds; the annotation's id, or 0 when there is nobody to keep it:
    an incident is none the less one without a mark."""
    severity = incident.scenario.labels.get("severity", "")
    body = {
        "time": round(at * 1000),
        "text": f"{incident.name}: {incident.what}",
        "tags": [TAG, incident.name, severity],
    }
    answer = _send(instance, "POST", "/api/annotations", body)
    try:
        return int(answer.json()["id"]) if answer else 0
    except (ValueError, KeyError, TypeError):
        return 0


def end(instance: Instance, mark: int, at: float) -> None:
    """Mark the end, Unix seconds."""
    if mark:
        _send(instance, "PATCH", f"/api/annotations/{mark}", {"timeEnd": round(at * 1000)})


def _send(
    instance: Instance, method: str, path: str, body: dict[str, object]
) -> httpx.Response | None:
    if SERVICE not in instance.ports:
        return None
    try:
        password = instance.layout.secret("grafana_admin_password").read_text().strip()
        with loopback.client() as client:
            answer = client.request(
                method, instance.url(SERVICE) + path, json=body, auth=("admin", password),
                timeout=TIMEOUT_S,
            )  # fmt: skip
        return answer if answer.is_success else None
    except (OSError, httpx.HTTPError):
        return None
