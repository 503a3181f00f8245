"""The front's certificate: the instance's own, signed by an authority of its own, until somebody
gives a real one.

Key and certificate are ECDSA P-256, which every browser of today knows and which is the cheapest to
shake hands with. Who may serve what name: RFC 5280, 4.2.1.6; a browser takes no certificate that is
valid for longer than 398 days (cabforum.org, Ballot SC31).
"""

import ipaddress
import socket
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


def authority(layout: Layout) -> Path:
    """Certificate of the instance's own authority, PEM: whoever trusts it trusts the front."""
    return layout.secret("authority.pem")


def certificate(layout: Layout) -> Path:
    """What the front serves, PEM."""
    return layout.secret("certificate.pem")


def key(layout: Layout) -> Path:
    return layout.secret("certificate.key")


def texts(layout: Layout) -> dict[Path, str]:
    """The files of an instance that has none yet, or whose certificate has run out."""
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


def expires(file: Path) -> datetime:
    """When the first certificate in a PEM file runs out. Raises OSError, ValueError."""
    from cryptography import x509

    return x509.load_pem_x509_certificates(file.read_bytes())[0].not_valid_after_utc


def _runs(layout: Layout) -> bool:
    try:
        return expires(certificate(layout)) > datetime.now(UTC)
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
