"""Whom load may be sent to: this machine and its namespaces, unless somebody means another one."""

import ipaddress
import socket
from urllib.parse import urlsplit

from loadgen import namespaces
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
    if not even_foreign and not (is_here(parts.hostname) or namespaces.is_next(parts.hostname)):
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


def is_loopback_url(url: str) -> bool:
    """As `is_loopback` of its host."""
    return is_loopback(urlsplit(url).hostname or "")


def is_here(name: str) -> bool:
    """Whether it is this machine by itself, or an address that this machine has; only such can be
    listened on. No name is looked up."""
    if is_loopback(name):
        return True
    try:
        address = ipaddress.ip_address(name)
        if address.is_unspecified:
            return False
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        with socket.socket(family) as probe:
            probe.bind((name, 0))
    except (ValueError, OSError):
        return False
    return True
