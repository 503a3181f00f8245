"""The inbox: stands in for Slack, PagerDuty and the mail server, and records what arrives."""

import sys

from stack import probes
from stack.service import Layout, Service

PORTS = {"http": 8025, "smtp": 1025}
"""The ports that mail catchers such as MailHog made customary."""


def command(layout: Layout) -> list[str]:
    name = SERVICE.name
    return [
        sys.executable, "-m", "stack.inbox",
        "--http-port", str(layout.port(name, "http")),
        "--smtp-port", str(layout.port(name, "smtp")),
        "--database", str(layout.data(name) / "inbox.sqlite"),
        "--control", str(layout.control(name)),
        "--pagerduty-service", f"on-call={layout.secret('pagerduty_routing_key')}",
    ]  # fmt: skip


SERVICE = Service(
    name="inbox",
    about="stands in for Slack, PagerDuty and mail",
    ports=PORTS,
    command=command,
    ready=probes.http("inbox", "/health", port="http"),
    page="/",
)
