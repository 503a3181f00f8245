"""Passwords and keys, generated for each instance (but one, which people type) and kept in its
folder alone."""

import os
import secrets
from pathlib import Path

from stack.run import certificates, front, guard
from stack.run.service import Layout

DEVELOPMENT_PASSWORD = "admin"
"""Of Grafana's user `admin`, and of the viewer's."""


def generate(layout: Layout) -> None:
    """Write the secrets that are not there yet, readable by their owner alone.

    The Slack URL is written again each time, since the inbox' port is part of it.
    """
    layout.secret("").mkdir(mode=0o700, exist_ok=True)
    for name in (
        "postgres_password",
        "scheduler_database_password",
        "exporter_database_password",
        "scheduler_password",
        "slack_token",
        "shipper_token",
        "web_password",
        *(front.password_file(layout, user).name for user in front.USERS),
    ):
        _keep(layout, name, secrets.token_hex(16))
    # A development instance listens on this machine alone and says its password in the README.
    _keep(layout, "grafana_admin_password", DEVELOPMENT_PASSWORD)
    _keep(layout, "grafana_secret_key", secrets.token_hex(16))
    # 32 characters, as PagerDuty's integration keys are.
    _keep(layout, "pagerduty_routing_key", secrets.token_hex(16))
    token = layout.secret("slack_token").read_text()[:24]
    url = f"{layout.url('inbox', 'http')}/services/T00000000/B00000000/{token}"
    write(layout.secret("slack_api_url"), url)
    for path, text in (guard.texts(layout) | certificates.texts(layout)).items():
        write(path, text)


def _keep(layout: Layout, name: str, value: str) -> None:
    if not layout.secret(name).exists():
        write(layout.secret(name), value)


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Put `text` into a file that was never open to others, and never half there."""
    partial = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    partial.replace(path)
