"""What answers anybody by itself does so where nginx alone reaches it, and to its password alone.

Prometheus, Alertmanager and the exporters do not look at `Host` and `Origin`: any page that
somebody opens in a browser could silence every alert. So nginx listens where they are asked, and
they listen at the same port of another address of this machine.

`web.config.file`: github.com/prometheus/exporter-toolkit, docs/web-configuration.md.
"""

import base64
import secrets
from pathlib import Path

from stack.loopback import HOST
from stack.run.service import Layout

BEHIND = "127.0.0.2"
"""Where they listen. All of 127.0.0.0/8 is this machine (RFC 1122, 3.2.1.3)."""

AWAY = (502, 504)
"""What nginx answers in place of one that does not run, or does not answer."""

_USER = "nginx"

_ROUNDS = 4
"""Of bcrypt, the fewest: a password of 128 random bits needs none to make guessing slow."""


def listening(layout: Layout, service: str) -> list[str]:
    """Arguments with which Prometheus' own programs listen."""
    port = layout.port(service)
    if not layout.guarded:
        return [f"--web.listen-address={HOST}:{port}"]
    return [f"--web.listen-address={BEHIND}:{port}", f"--web.config.file={_web(layout)}"]


def passing(layout: Layout) -> Path:
    """nginx' settings that make it known to them."""
    return layout.secret("nginx_upstream.conf")


def texts(layout: Layout) -> dict[Path, str]:
    """Files that both sides read, with a new password."""
    import bcrypt  # whoever only describes services makes no password

    password = secrets.token_hex(16)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
    known = base64.b64encode(f"{_USER}:{password}".encode()).decode()
    return {
        _web(layout): f"basic_auth_users:\n  {_USER}: {hashed}\n",
        passing(layout): f'proxy_set_header Authorization "Basic {known}";\n',
    }


def _web(layout: Layout) -> Path:
    return layout.secret("web.yml")
