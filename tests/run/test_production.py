"""`doit up --profile production` starts with nothing that a server must not have."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stack.errors import BadInput
from stack.run import certificates, front, production, secrets
from stack.run.instance import Record, layout_of
from stack.run.ports import shifted
from stack.run.profile import PRODUCTION, Profile
from stack.run.service import Layout
from stack.run.services import SERVICES
from stack.tasks.instance import _profile

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


def key_for(folder: Path, name: str = "key.pem") -> ec.EllipticCurvePrivateKey:
    made = ec.generate_private_key(ec.SECP256R1())
    file = folder / name
    file.write_bytes(
        made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    file.chmod(0o600)
    return made


def certificate_for(
    folder: Path,
    own: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...] = ("monitoring.example.com",),
    begins: dt.datetime = NOW - DAY,
    ends: dt.datetime = NOW + 90 * DAY,
) -> None:
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "monitoring")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(own.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        listed = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(listed, critical=False)
    made = builder.sign(own, hashes.SHA256())
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Of an instance with a good certificate of its owner's, and what its first start makes."""
    certificate_for(tmp_path, key_for(tmp_path))
    record = Record(
        name="server", speed=1, ports=shifted(SERVICES.values(), 0), packages={}, hash="",
        config_root=str(tmp_path), created=0,
        profile=Profile(
            name=PRODUCTION,
            certificate=str(tmp_path / "certificate.pem"),
            key=str(tmp_path / "key.pem"),
        ),
    )  # fmt: skip
    made = layout_of(record, tmp_path / "instance")
    for folder in (made.secret(""), made.data("proxy"), made.data("loki")):
        folder.mkdir(parents=True, mode=0o700)
    secrets.generate(made)
    front.write_users(made)
    return made


def test_new_instance_holds_no_default_password_and_nothing_that_is_open(layout: Layout) -> None:
    production.check(layout)


Break = Callable[[Layout, Path], object]

BROKEN: dict[str, tuple[Break, str]] = {
    "default password": (
        lambda layout, folder: layout.secret("grafana_admin_password").write_text("admin"),
        "grafana_admin_password` is the default, `admin`",
    ),
    "short password": (
        lambda layout, folder: front.password_file(layout, "operator").write_text("x" * 15),
        "proxy_password_operator` is shorter than 16 characters",
    ),
    "plain password in the users' file": (
        lambda layout, folder: front.users(layout).write_text("mary:a long password of hers\n"),
        "users:1: the password of `mary` stands there in the clear",
    ),
    "secret that others read": (
        lambda layout, folder: layout.secret("web_password").chmod(0o640),
        "web_password` can be read by other users",
    ),
    "folder with data that others read": (
        lambda layout, folder: layout.data("loki").chmod(0o755),
        "loki` can be read by other users",
    ),
    "expired certificate": (
        lambda layout, folder: certificate_for(
            folder, key_for(folder), begins=NOW - 9 * DAY, ends=NOW - DAY
        ),
        "expired on",
    ),
    "certificate of tomorrow": (
        lambda layout, folder: certificate_for(folder, key_for(folder), begins=NOW + DAY),
        "is not valid before",
    ),
    "certificate without a name": (
        lambda layout, folder: certificate_for(folder, key_for(folder), names=()),
        "is for no host name",
    ),
    "key of another certificate": (
        lambda layout, folder: key_for(folder),
        "does not fit the certificate",
    ),
    "key that others read": (
        lambda layout, folder: (folder / "key.pem").chmod(0o644),
        "key.pem` can be read by other users",
    ),
    "no key": (lambda layout, folder: (folder / "key.pem").unlink(), "is not a key: no such file"),
    "no certificate": (
        lambda layout, folder: (folder / "certificate.pem").unlink(),
        "is not a certificate: no such file",
    ),
    "certificate cut short": (
        lambda layout, folder: (folder / "certificate.pem").write_text("-----BEGIN CERTIFICATE-"),
        "is not a certificate",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_it_does_not_start_with_a(what: str, layout: Layout, tmp_path: Path) -> None:
    broken, said = BROKEN[what]
    broken(layout, tmp_path)
    with pytest.raises(BadInput) as refused:
        production.check(layout)
    assert said in refused.value.what
    assert "Nothing was started." in refused.value.cure


def test_all_that_is_wrong_is_said_at_once(layout: Layout) -> None:
    layout.secret("grafana_admin_password").write_text("admin")
    layout.data("loki").chmod(0o755)
    with pytest.raises(BadInput) as refused:
        production.check(layout)
    assert len(refused.value.what.splitlines()) == 2


def test_people_reach_it_by_the_name_in_its_certificate(layout: Layout) -> None:
    assert front.public(layout) == "https://monitoring.example.com:8443"
    assert "--web.external-url=https://monitoring.example.com:8443/prometheus" in front.reached_by(
        layout, "prometheus"
    )


def test_development_makes_its_own_certificate_and_is_reached_on_this_machine(
    layout: Layout,
) -> None:
    development = replace(layout, profile=Profile())
    assert front.public(development) == "https://127.0.0.1:8443"
    assert certificates.certificate(development).parent == development.secret("")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("production", "a.pem", ""), "--certificate and --key go together"),
        (("", "a.pem", "k.pem"), "is for the production profile"),
        (("development", "a.pem", "k.pem"), "is for the production profile"),
    ],
)
def test_options_that_do_nothing_together_are_refused(
    words: tuple[str, str, str], said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        _profile(*words)
    assert said in refused.value.what
