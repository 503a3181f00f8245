"""The front's certificate: the instance's own, signed by an authority of its own, until somebody
gives a real one.

Key and certificate are ECDSA P-256, which every browser of today knows and which is the cheapest to
shake hands with. Who may serve what name: RFC 5280, 4.2.1.6; a browser takes no certificate that is
valid for longer than 398 days (cabforum.org, Ballot SC31).
"""

import ipaddress
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from stack.loopback import HOST
from stack.run.service import Layout

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

VALID = timedelta(days=397)
_AUTHORITY_VALID = timedelta(days=3650)
_BEFORE = timedelta(hours=1)
"""It counts as valid from then on: clocks differ."""


FILES = ("authority.pem", "authority.key", "certificate.pem", "certificate.key")
"""Among an instance's secrets, where it has its own."""


def authority(layout: Layout) -> Path:
    """Certificate of the instance's own authority, PEM: whoever trusts it trusts the front."""
    return layout.secret("authority.pem")


def certificate(layout: Layout) -> Path:
    """What the front serves, PEM."""
    given = layout.profile.certificate
    return Path(given) if given else layout.secret("certificate.pem")


def key(layout: Layout) -> Path:
    given = layout.profile.key
    return Path(given) if given else layout.secret("certificate.key")


def host(layout: Layout) -> str:
    """The name by which people reach the front: the first one in the certificate that it was given,
    or the machine's."""
    if not layout.profile.is_production:
        return HOST
    given = layout.profile.certificate
    named = _names(Path(given).read_bytes()) if given else []
    return (named or [socket.gethostname()])[0]


def problems(layout: Layout) -> Iterator[tuple[str, str]]:
    """What is wrong with the certificate that the instance was given: what, and the cure."""
    if not layout.profile.certificate:
        return
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    file, key_file = certificate(layout), key(layout)
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())[0]
    except (OSError, ValueError) as error:
        yield f"`{file}` is not a certificate: {_said(error)}.", "It must be PEM."
        return
    now, begins, ends = datetime.now(UTC), found.not_valid_before_utc, found.not_valid_after_utc
    if ends < now:
        yield f"the certificate `{file}` expired on {ends:%Y-%m-%d %H:%M} UTC.", "Renew it."
    if begins > now:
        yield (
            f"the certificate `{file}` is not valid before {begins:%Y-%m-%d %H:%M} UTC.",
            "Is the clock of this machine right (`date`)?",
        )
    if not _names(file.read_bytes()):
        yield (
            f"the certificate `{file}` is for no host name.",
            "Browsers read `subjectAltName` alone.",
        )
    try:
        held = load_pem_private_key(key_file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        yield f"`{key_file}` is not a key: {_said(error)}.", "It must be PEM, without a passphrase."
        return
    if held.public_key() != found.public_key():
        yield f"the key `{key_file}` does not fit the certificate `{file}`.", "Name its own."
    if key_file.stat().st_mode & 0o077:
        yield (
            f"the key `{key_file}` can be read by other users of this machine.",
            f"`chmod go-rwx {key_file}`, and have a new one signed.",
        )


def _said(error: Exception) -> str:
    """The reason in a line; what a library says of a file that is no PEM fills a paragraph."""
    if isinstance(error, OSError):
        return str(error.strerror).lower()
    return str(error).partition(".")[0].partition("\n")[0]


def _names(pem: bytes) -> list[str]:
    """The host names that it is for. Raises ValueError where it is none."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(pem)[0].extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return []
    return list(found.value.get_values_for_type(x509.DNSName))


def texts(layout: Layout) -> dict[Path, str]:
    """The files of an instance that has none yet, or whose certificate has run out; nothing for one
    that was given a certificate."""
    if layout.profile.certificate:
        return {}
    if certificate(layout).exists() and key(layout).exists() and _runs(layout):
        return {}
    return signed(layout, VALID)


def signed(layout: Layout, valid: timedelta) -> dict[Path, str]:
    """Key and certificate for the front that are valid for so long from now on, and the authority
    that signed it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    ours, our_key = _authority(layout)
    own = ec.generate_private_key(ec.SECP256R1())
    host = socket.gethostname()
    names: list[x509.GeneralName] = [
        x509.DNSName(host),
        x509.DNSName("localhost"),
        x509.DNSName("proxy"),
        x509.IPAddress(ipaddress.ip_address(HOST)),
    ]
    made = (
        _builder(host, ours.subject, valid)
        .public_key(own.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(our_key, hashes.SHA256())
    )
    return {
        _authority_key(layout): _pem_key(our_key),
        authority(layout): _pem(ours),
        key(layout): _pem_key(own),
        certificate(layout): _pem(made) + _pem(ours),
    }


def expires(pem: bytes) -> datetime:
    """When the first certificate in a PEM text runs out. Raises ValueError where there is none."""
    from cryptography import x509

    return x509.load_pem_x509_certificates(pem)[0].not_valid_after_utc


def _runs(layout: Layout) -> bool:
    try:
        return expires(certificate(layout).read_bytes()) > datetime.now(UTC)
    except ValueError:
        return False


def _authority_key(layout: Layout) -> Path:
    return layout.secret("authority.key")


def _authority(layout: Layout) -> "tuple[x509.Certificate, EllipticCurvePrivateKey]":
    """The one that is there, or a new one."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    if authority(layout).exists() and _authority_key(layout).exists():
        there = x509.load_pem_x509_certificate(authority(layout).read_bytes())
        held = serialization.load_pem_private_key(_authority_key(layout).read_bytes(), None)
        if isinstance(held, ec.EllipticCurvePrivateKey):
            return there, held
    own = ec.generate_private_key(ec.SECP256R1())
    name = f"{socket.gethostname()}: instance {layout.name}"
    made = (
        _builder(name, None, _AUTHORITY_VALID)
        .public_key(own.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(own, hashes.SHA256())
    )
    return made, own


def _builder(name: str, issuer: "x509.Name | None", valid: timedelta) -> "x509.CertificateBuilder":
    from cryptography import x509

    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name[:64])])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + valid)
    )


def _pem(made: "x509.Certificate") -> str:
    from cryptography.hazmat.primitives import serialization

    return made.public_bytes(serialization.Encoding.PEM).decode()


def _pem_key(own: "EllipticCurvePrivateKey") -> str:
    from cryptography.hazmat.primitives import serialization

    return own.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
