"""Who the front lets in: a user for each role, with a password that is the instance's own.

The users' file is nginx' `auth_basic_user_file`, which is read anew for each request: whoever has a
password of their own adds the line that `htpasswd -B` prints. What a user may do stands in
`stack/config/nginx/roles.conf`.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from stack.run import certificates
from stack.run.service import Layout
from stack.users import unprivileged

if TYPE_CHECKING:
    import httpx

USERS = ("viewer", "responder", "operator")
"""One for each role."""

_TIMEOUT_S = 5.0

PATHS = {
    "grafana": "",
    "inbox": "/inbox",
    "prometheus": "/prometheus",
    "alertmanager": "/alertmanager",
}
"""Service → where the front shows it, as nginx.conf says."""

_ROUNDS = 4
"""Of bcrypt, the fewest: a password of 128 random bits needs none to make guessing slow, and nginx
computes them for each request."""


def users(layout: Layout) -> Path:
    return layout.data("proxy") / "users"


def password_file(layout: Layout, user: str) -> Path:
    return layout.secret(f"proxy_password_{user}")


def url(layout: Layout) -> str:
    """Base URL on this machine, without a trailing slash."""
    return layout.url("proxy").replace("http:", "https:", 1)


def public(layout: Layout) -> str:
    """Base URL by which people reach it, without a trailing slash."""
    return f"https://{certificates.host(layout)}:{layout.port('proxy')}"


def reached_by(layout: Layout, service: str) -> list[str]:
    """Arguments that tell one of Prometheus' own programs where people find it, for its pages and
    for the links in messages."""
    if not layout.profile.is_production:
        return [f"--web.external-url={layout.url(service)}"]
    return [f"--web.external-url={public(layout)}/{service}", "--web.route-prefix=/"]


def client(
    layout: Layout, user: str = "", password: str = "", *, source: str = ""
) -> "httpx.Client":
    """Asks at the front as `user`, with the instance's password of theirs if none is given, from
    the address `source` of this machine. To be closed by the caller."""
    import ssl

    import httpx

    # The one that it serves, whoever signed it and for whatever name: it is asked on this machine.
    context = ssl.create_default_context(cafile=str(certificates.certificate(layout)))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    password = password or (password_file(layout, user).read_text() if user else "")
    return httpx.Client(
        base_url=url(layout),
        auth=httpx.BasicAuth(user, password) if user else None,
        timeout=_TIMEOUT_S,
        transport=httpx.HTTPTransport(verify=context, local_address=source or None),
    )


def write_users(layout: Layout) -> None:
    """The users' file, unless it is there: people add to it. Workers of root's nginx, who run as
    another user, can read it, and nobody else."""
    import bcrypt

    file = users(layout)
    if file.exists():
        return
    lines = []
    for user in USERS:
        password = password_file(layout, user).read_bytes()
        lines.append(f"{user}:{bcrypt.hashpw(password, bcrypt.gensalt(_ROUNDS)).decode()}\n")
    partial = file.with_suffix(".part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as made:
        made.writelines(lines)
    if workers := unprivileged():
        os.chown(partial, -1, workers.pw_gid)
        partial.chmod(0o640)
    partial.replace(file)
