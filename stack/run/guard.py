"""What answers anybody by itself does so where nginx alone reaches it, and to its password alone.

Prometheus, Alertmanager and the exporters do not look at `Host` and `Origin`: any page that
somebody opens in a browser could silence every alert. So nginx listens where they are asked, and
they listen at the same port of another address of this machine.

`web.config.file`: github.com/prometheus/exporter-toolkit, docs/web-configuration.md.
"""

import base64
from pathlib import Path
from typing import Any

from stack.loopback import HOST
from stack.run.service import Layout

BEHIND = "127.0.0.2"
"""Where they listen. All of 127.0.0.0/8 is this machine (RFC 1122, 3.2.1.3)."""

AWAY = (502, 504)
"""What nginx answers in place of one that does not run, or does not answer."""

_USER = "nginx"

_TIMEOUT_S = 60.0

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


def known(layout: Layout) -> Path:
    """The front's settings that make it known to them."""
    return layout.secret("nginx_known.conf")


def texts(layout: Layout) -> dict[Path, str]:
    """Files that both sides read, with the instance's password."""
    import bcrypt  # whoever only describes services makes no password

    password = _password(layout)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
    basic = f'"Basic {base64.b64encode(f"{_USER}:{password}".encode()).decode()}"'
    return {
        _web(layout): f"basic_auth_users:\n  {_USER}: {hashed}\n",
        passing(layout): f"proxy_set_header Authorization {basic};\n",
        known(layout): f'map "" $to_prometheus {{\n    default {basic};\n}}\n',
    }


def asked(layout: Layout, service: str, method: str, path: str) -> Any:
    """The JSON that a service answers past nginx, which lets nobody else ask for such a thing.

    Raises httpx.HTTPError.
    """
    import httpx

    url = f"http://{BEHIND}:{layout.port(service)}{path}"
    nginx = httpx.BasicAuth(_USER, _password(layout))
    with httpx.Client(auth=nginx, trust_env=False, timeout=_TIMEOUT_S) as client:
        return client.request(method, url).raise_for_status().json()


def _password(layout: Layout) -> str:
    return layout.secret("web_password").read_text()


def _web(layout: Layout) -> Path:
    return layout.secret("web.yml")
