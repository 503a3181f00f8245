"""Whom load may be sent to: this machine, unless somebody means another one."""

import ipaddress
from urllib.parse import urlsplit

from stack.errors import BadInput


def checked(host: str, *, even_foreign: bool = False) -> str:
    """The base URL without a slash at its end. Raises BadInput for what is no URL of a server, and
    for one that is not this machine's unless `even_foreign`."""
    try:
        parts = urlsplit(host)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not bare:
        raise BadInput(
            f"--host is `{host}`, which is not the address of a server.",
            cure="Write it as http://127.0.0.1:8000.",
        )
    if not even_foreign and not is_loopback(parts.hostname):
        raise BadInput(
            f"--host is `{host}`, which is not this machine: nobody is loaded by mistake.",
            cure="Give --yes-this-host if that server is yours and may be loaded.",
        )
    return host.rstrip("/")


def is_loopback(name: str) -> bool:
    """Whether a host of a URL is this machine by itself; no name is looked up."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
