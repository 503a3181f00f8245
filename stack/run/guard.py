"""What answers anybody by itself does so where nginx alone reaches it, and to its password alone.

Prometheus, Alertmanager and the exporters do not look at `Host` and `Origin`: any page that
somebody opens in a browser could silence every alert. So nginx listens where they are asked, and
they listen at the same port of another address of this machine.

`web.config.file`: github.com/prometheus/exporter-toolkit, docs/web-configuration.md.
"""

import base64
from pathlib import Path
from typing import Any

from stack.loopback import BEHIND, HOST
from stack.run import certificates
from stack.run.service import Layout

AWAY = (502, 504)
"""What nginx answers in place of one that does not run, or does not answer."""

USER = "nginx"
"""Whom they know."""

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


def password_file(layout: Layout) -> Path:
    """Of the user that they know."""
    return layout.secret("web_password")


def scheme(layout: Layout) -> str:
    """What nginx speaks with them."""
    return "https" if layout.profile.is_production else "http"


def texts(layout: Layout) -> dict[Path, str]:
    """Files that both sides read, with the instance's password."""
    import bcrypt  # whoever only describes services makes no password

    password = _password(layout)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
    known = base64.b64encode(f"{USER}:{password}".encode()).decode()
    tls = ""
    if layout.profile.is_production:
        certificate, key = certificates.behind(layout)
        tls = f"tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n"
    return {
        _web(layout): f"basic_auth_users:\n  {USER}: {hashed}\n{tls}",
        passing(layout): f'proxy_set_header Authorization "Basic {known}";\n',
    }


def asked(layout: Layout, service: str, method: str, path: str) -> Any:
    """The JSON that a service answers past nginx, which lets nobody else ask for such a thing.

    Raises httpx.HTTPError.
    """
    import ssl

    import httpx

    url = f"{scheme(layout)}://{BEHIND}:{layout.port(service)}{path}"
    nginx = httpx.BasicAuth(USER, _password(layout))
    verify: bool | ssl.SSLContext = False
    if layout.profile.is_production:
        verify = ssl.create_default_context(cafile=str(certificates.authority(layout)))
    with httpx.Client(auth=nginx, verify=verify, trust_env=False, timeout=_TIMEOUT_S) as client:
        return client.request(method, url).raise_for_status().json()


def _password(layout: Layout) -> str:
    return password_file(layout).read_text()


def _web(layout: Layout) -> Path:
    return layout.secret("web.yml")
