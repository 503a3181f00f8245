"""The front: nginx with TLS, users and an audit log, the one door of a stack on a server.

`stack/config/nginx/` is its configuration, under Compose as well; an instance has a `site.conf` and
an `upstreams.conf` of its own.
"""

import socket
from dataclasses import replace
from pathlib import Path

from stack.errors import BadInput
from stack.loopback import HOST
from stack.run import certificates, front, probes, reloads
from stack.run.service import Layout, Service
from stack.run.services import nginx
from stack.run.validity import of_nginx
from stack.store import disk

PORT = 8443

NAME = "proxy"

_MAIN = "nginx.conf"

_OWN = ("site.conf", "upstreams.conf")
"""Files that a native instance has of its own."""

_SITE = """\
{listen}ssl_certificate {certificate};
ssl_certificate_key {key};
auth_basic_user_file {users};
"""

_UPSTREAM = """\
upstream {name} {{
    server {host}:{port};
    keepalive 16;
}}
"""


def config(layout: Layout) -> dict[str, str]:
    """The files that people edit, and the instance's own."""
    files = {
        file.name: file.read_text()
        for file in sorted((layout.config_root / "nginx").glob("*.conf"))
        if file.name not in _OWN
    }
    site = _SITE.format(
        listen="".join(f"listen {at}:{layout.port(NAME)} ssl;\n" for at in _at(layout)),
        certificate=certificates.certificate(layout),
        key=certificates.key(layout),
        users=front.users(layout),
    )
    upstreams = [
        _UPSTREAM.format(name=name, host=HOST, port=layout.port(name, "http"))
        for name in ("grafana", "prometheus", "alertmanager", "loki", "inbox")
    ]
    return {**files, "site.conf": site, "upstreams.conf": "".join(upstreams)}


def _at(layout: Layout) -> list[str]:
    """Where it listens: for a server's users, at every address that the machine has."""
    if not layout.profile.is_production:
        return [HOST]
    return ["0.0.0.0", "[::]"] if socket.has_dualstack_ipv6() else ["0.0.0.0"]


def check(layout: Layout, rendered: Path | None) -> None:
    """By nginx itself, with a certificate that is made for it: the instance may have none yet."""
    source = layout.config_root / "nginx"
    if not (source / _MAIN).exists():
        raise BadInput(
            f"`{source / _MAIN}` is not there.", cure="It is the configuration of the front."
        )
    with disk.scratch("lab-front-") as folder:
        trial = replace(layout, directory=folder)
        for file, text in certificates.texts(trial).items():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.write_text(text)
        for path, text in config(trial).items():
            (folder / path).write_text(text)
        program = layout.program("nginx", "nginx")
        of_nginx(source, folder, [program, "-t", "-p", str(folder), "-e", "stderr",
                                  "-c", str(folder / _MAIN)])  # fmt: skip


def _pid_file(layout: Layout) -> str:
    return str(layout.data(NAME) / "nginx.pid")


def _init(layout: Layout) -> None:
    nginx.make_data(layout, NAME)
    front.write_users(layout)


SERVICE = Service(
    name=NAME,
    about="the front: TLS, users, an audit log",
    ports={"https": PORT},
    package="nginx",
    config=config,
    check=check,
    command=lambda layout: nginx.program(layout, NAME),
    init=_init,
    renew=front.write_users,
    reload=reloads.hangup(_pid_file),
    health=("/-/healthy",),
    ready=probes.https(NAME, "/-/healthy"),
)
