"""The front: nginx with TLS, users and an audit log, the one door of a stack on a server.

`stack/config/nginx/` is its configuration, under Compose as well; an instance has a `site.conf` and
an `upstreams.conf` of its own.
"""

import grp
import socket
from dataclasses import replace
from pathlib import Path

from stack.errors import BadInput
from stack.loopback import HOST
from stack.run import certificates, front, guard, probes, reloads, secrets
from stack.run.service import Layout, Service
from stack.run.validity import of_nginx
from stack.store import disk
from stack.users import unprivileged

PORT = 8443

NAME = "proxy"

_MAIN = "nginx.conf"

_OWN = ("site.conf", "upstreams.conf")
"""Files that a native instance has of its own."""

_BEHIND = ("prometheus", "alertmanager")
"""Those that listen where `stack.run.guard` says."""

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
        _UPSTREAM.format(
            name=name,
            host=guard.BEHIND if name in _BEHIND else HOST,
            port=layout.port(name, "http"),
        )
        for name in ("grafana", "prometheus", "alertmanager", "loki", "inbox")
    ]
    known = f"include {guard.known(layout)};\n"
    return {**files, "site.conf": site, "upstreams.conf": "".join(upstreams) + known}


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
        secrets.generate(trial)
        for path, text in config(trial).items():
            (folder / path).write_text(text)
        program = layout.program("nginx", "nginx")
        of_nginx(source, folder, [program, "-t", "-p", str(folder), "-e", "stderr",
                                  "-c", str(folder / _MAIN)])  # fmt: skip


def _pid_file(layout: Layout) -> str:
    return str(layout.data(NAME) / "nginx.pid")


def _init(layout: Layout) -> None:
    """Root's workers run as another user, who has to get to their own folders in it."""
    layout.data(NAME).mkdir(mode=0o711 if unprivileged() else 0o700)
    front.write_users(layout)


def command(layout: Layout) -> list[str]:
    workers = unprivileged()
    as_user = (
        ["-g", f"user {workers.pw_name} {grp.getgrgid(workers.pw_gid).gr_name};"] if workers else []
    )
    return [layout.program("nginx", "nginx"), "-p", f"{layout.data(NAME)}/", "-e", "stderr",
            "-c", str(layout.config(NAME) / _MAIN), *as_user]  # fmt: skip


SERVICE = Service(
    name=NAME,
    about="the front: TLS, users, an audit log",
    ports={"https": PORT},
    package="nginx",
    config=config,
    check=check,
    command=command,
    init=_init,
    renew=front.write_users,
    reload=reloads.hangup(_pid_file),
    health=("/-/healthy",),
    ready=probes.https(NAME, "/-/healthy"),
)
