"""What the front offers of TLS, seen by shaking hands with it."""

import socket
import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx

from stack.deploy.hardening.verdict import Said, Verdict, of
from stack.loopback import BEHIND, HOST
from stack.run import certificates
from stack.run.instance import Instance

_TIMEOUT_S = 5.0

_WEAK = "AES128-SHA:AES256-SHA:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"
"""Without forward secrecy, or in CBC mode with SHA-1 (RFC 9325, 4.2)."""

_SOON_S = 14 * 86_400


def versions(instance: Instance) -> Iterator[Said]:
    """TLS 1.2 and 1.3, and nothing older (RFC 8996)."""
    V = ssl.TLSVersion
    offered = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # to see that they are refused
        for version in (V.TLSv1, V.TLSv1_1, V.TLSv1_2, V.TLSv1_3):
            if _shakes(instance, version, version):
                offered.append(version)
    names = [one.name.replace("TLSv", "TLS ").replace("_", ".") for one in offered]
    yield of(set(offered) == {V.TLSv1_2, V.TLSv1_3}, f"it shakes hands with {', '.join(names)}")


def ciphers(instance: Instance) -> Iterator[Said]:
    """No cipher without forward secrecy and authenticated encryption."""
    V = ssl.TLSVersion
    weak = _shakes(instance, V.TLSv1_2, V.TLSv1_2, _WEAK)
    strong = _shakes(instance, V.TLSv1_2, V.TLSv1_2)
    yield of(
        bool(strong) and not weak,
        f"with TLS 1.2 it takes {strong or 'nothing'}; of weak ones {weak or 'none'}",
    )


def certificate(instance: Instance) -> Iterator[Said]:
    """It is valid for a while, and for a name by which this machine is known."""
    with socket.create_connection((HOST, instance.port("proxy")), timeout=_TIMEOUT_S) as raw:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(raw) as secure:
            served = ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")
    left = certificates.expires(served.encode()) - datetime.now(UTC)
    yield of(left.total_seconds() > _SOON_S, f"it is valid for {left.days} more days")
    name = certificates.host(instance.layout)
    try:
        found = {one[4][0] for one in socket.getaddrinfo(name, None)}
    except OSError:
        yield Verdict.UNSEEN, f"this machine finds no address for `{name}`, which it is for"
    else:
        yield of(True, f"it is for `{name}`: {', '.join(sorted(map(str, found)))}")


def behind(instance: Instance) -> Iterator[Said]:
    """Prometheus, Alertmanager and the exporters speak TLS themselves, and to a password alone."""
    context = ssl.create_default_context(cafile=str(certificates.authority(instance.layout)))
    got = {}
    for name, service in instance.services.items():
        if service.guarded:
            at = f"{BEHIND}:{instance.port(name)}"
            with httpx.Client(verify=context, trust_env=False, timeout=_TIMEOUT_S) as client:
                try:
                    got[name] = str(client.get(f"https://{at}/metrics").status_code)
                except httpx.HTTPError as error:
                    got[name] = str(error) or type(error).__name__
    said = ", ".join(f"{name} {answer}" for name, answer in got.items())
    yield of(set(got.values()) == {"401"}, f"asked over TLS without one: {said}")


def _shakes(
    instance: Instance, lowest: ssl.TLSVersion, highest: ssl.TLSVersion, ciphers: str = ""
) -> str:
    """The cipher on which both agree; "" if they do not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(f"{ciphers or 'ALL'}:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = lowest, highest
    try:
        with (
            socket.create_connection((HOST, instance.port("proxy")), timeout=_TIMEOUT_S) as raw,
            context.wrap_socket(raw) as secure,
        ):
            chosen = secure.cipher()
            return chosen[0] if chosen else ""
    except (ssl.SSLError, ConnectionError):
        return ""
