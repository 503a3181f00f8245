"""The inbox: stands in for Slack, PagerDuty, mail and a heartbeat monitor; records what arrives."""

import sys

from stack.run import probes
from stack.run.service import OWN_MEMORY_BYTES, Layout, Service

PORTS = {"http": 8025, "smtp": 1025}
"""The ports that mail catchers such as MailHog made customary."""


HEARTBEAT_MISSING_S = 300.0
"""After so long without a heartbeat somebody is notified: five beats of Watchdog's route."""

_FLOOR_S = 5.0
"""Real seconds: on a busy machine a beat may come late, however fast the instance lives."""


def heartbeat_timeout_s(speed: float) -> float:
    """Real seconds at `speed`."""
    return max(HEARTBEAT_MISSING_S / speed, _FLOOR_S)


def config(layout: Layout) -> dict[str, str]:
    """The runbooks as they are, for the pages that messages link."""
    pages = (layout.config_root / "runbooks").glob("*.md")
    return {f"runbooks/{page.name}": page.read_text() for page in sorted(pages)}


def command(layout: Layout) -> list[str]:
    name = SERVICE.name
    return [
        sys.executable, "-m", "stack.programs.inbox",
        "--http-port", str(layout.port(name, "http")),
        "--smtp-port", str(layout.port(name, "smtp")),
        "--database", str(layout.data(name) / "inbox.sqlite"),
        "--control", str(layout.control(name)),
        "--heartbeat-timeout", f"{heartbeat_timeout_s(layout.speed):g}",
        "--runbooks", str(layout.config(name) / "runbooks"),
        "--pagerduty-service", f"on-call={layout.secret('pagerduty_routing_key')}",
    ]  # fmt: skip


SERVICE = Service(
    name="inbox",
    about="stands in for Slack, PagerDuty and mail",
    ports=PORTS,
    config=config,
    command=command,
    memory_limit_bytes=OWN_MEMORY_BYTES,
    ready=probes.http("inbox", "/health", port="http"),
    health=("/health",),
    page="/",
)
