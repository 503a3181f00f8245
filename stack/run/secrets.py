"""Passwords and keys, generated for each instance (but one, which people type) and kept in its
folder alone."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from stack.run import certificates, front, guard
from stack.run.service import Layout
from stack.store.disk import make_folder

DEVELOPMENT_PASSWORD = "admin"
"""Of Grafana's user `admin`, and of the viewer's."""


_MADE = (
    "postgres_password",
    "scheduler_database_password",
    "exporter_database_password",
    "scheduler_password",
    "slack_token",
    "shipper_token",
    "web_password",
    "grafana_admin_password",
    "grafana_secret_key",
    "pagerduty_routing_key",
    *(f"proxy_password_{user}" for user in front.USERS),
)

KEPT = (*_MADE, *certificates.FILES)
"""Those that are made once; the other files in their folder are made of them each time."""


def generate(layout: Layout) -> None:
    """Write the secrets that are not there yet, readable by their owner alone.

    The Slack URL is written again each time, since the inbox' port is part of it.
    """
    layout.secret("").mkdir(mode=0o700, exist_ok=True)
    # A development instance listens on this machine alone and says its password in the README.
    production = layout.profile.is_production
    viewer = secrets.token_hex(16) if production else DEVELOPMENT_PASSWORD
    _keep(layout, "grafana_admin_password", viewer)
    for name in _MADE:
        # 32 characters, as PagerDuty's integration keys are.
        _keep(layout, name, secrets.token_hex(16))
    token = layout.secret("slack_token").read_text()[:24]
    url = f"{layout.url('inbox', 'http')}/services/T00000000/B00000000/{token}"
    write(layout.secret("slack_api_url"), url)
    password = layout.secret("scheduler_database_password").read_text()
    # libpq's password file (postgresql.org/docs/17/libpq-pgpass).
    write(layout.secret("scheduler.pgpass"), f"*:*:*:scheduler:{password}\n")
    for path, text in (guard.texts(layout) | certificates.texts(layout)).items():
        write(path, text)


def bring(directory: Path, known: Mapping[str, str]) -> None:
    """Give an instance that is yet to be made in `directory` secrets that are known."""
    folder = directory / "secrets"
    make_folder(directory)
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, value in known.items():
        write(folder / name, value)


def _keep(layout: Layout, name: str, value: str) -> None:
    if not layout.secret(name).exists():
        write(layout.secret(name), value)


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Put `text` into a file that was never open to others, and never half there."""
    partial = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    partial.replace(path)
