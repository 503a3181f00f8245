"""An attestation says what was proven of what, and nothing of any other report."""

import base64
import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from scenarios.proof.attestation import SIGNED, UNSIGNED, attester, tree_hash
from scenarios.tasks.verify_alerts import verify_alerts
from scenarios.tasks.verify_report import verify_report
from stack.errors import BadInput, CheckFailed
from stack.paths import REPO
from tests.scenarios.proof.sealed import OTHER, edited, with_lines, written
from tests.scenarios.proof.test_verdict import ALERT

Keys = tuple[Path, Path]
"""Files with the private and the public one."""


def made(folder: Path, how: KeySerializationEncryption | None = None) -> Keys:
    key = Ed25519PrivateKey.generate()
    private, public = folder / "lab.pem", folder / "lab.pub"
    folder.mkdir(exist_ok=True)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how or NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return made(tmp_path / "keys")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A configuration."""
    root = tmp_path / "config"
    (root / "rules").mkdir(parents=True)
    (root / "rules" / "a.yml").write_text("a")
    (root / "b b.yml").write_text("b")
    (root / ".env").write_text("PASSWORD=x")
    (root / "secrets").mkdir()
    (root / "secrets" / "password").write_text("x")
    return root


def attested(tmp_path: Path, root: Path, key: Path | None, *, good: bool = True) -> Path:
    """The folder of a report with an attestation."""
    proof = written(tmp_path / "reports" / "one", good=good)
    attester(root, key)(proof)
    return proof.folder


def payload(folder: Path) -> dict[str, Any]:
    envelope = json.loads((folder / SIGNED).read_text())
    statement: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return statement


def test_statement_names_report_lock_and_configuration(tmp_path: Path, root: Path) -> None:
    folder = attested(tmp_path, root, None)
    statement = json.loads((folder / UNSIGNED).read_text())
    assert not (folder / SIGNED).exists()
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    names = {"evidence.jsonl", "junit.xml", "report.html", "proof.json"}
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names
    }
    lock = hashlib.sha256((REPO / "stack/lock.toml").read_bytes()).hexdigest()
    assert statement["predicate"] == {
        "result": "PASSED",
        "configuration": [
            {"name": "stack/lock.toml", "digest": {"sha256": lock}},
            {"name": "stack/config", "digest": {"dirHash": tree_hash(root)}},
        ],
        "passedTests": [ALERT],
        "warnedTests": [],
        "failedTests": [],
    }


def test_hash_of_the_configuration_is_what_a_shell_computes(root: Path) -> None:
    line = "find . -type f -not -name .env -not -path './secrets/*' | cut -c3- | LC_ALL=C sort |"
    line += " tr '\\n' '\\0' | xargs -0 sha256sum | sha256sum | cut -f1 -d' '"
    done = subprocess.run(["sh", "-c", line], cwd=root, capture_output=True, text=True, check=True)
    assert tree_hash(root) == done.stdout.strip()


def test_what_is_not_proven_or_interrupted_has_failed(tmp_path: Path, root: Path) -> None:
    proof = written(tmp_path / "one")
    predicate = attester(root, None).statement(proof)["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["failedTests"] == ["DiskFull", OTHER]
    assert predicate["passedTests"] == [ALERT, "routing/critical"]
    good = written(tmp_path / "two", good=True)
    assert attester(root, None).statement(good)["predicate"]["result"] == "PASSED"
    ended = replace(good, interrupted=True)
    assert attester(root, None).statement(ended)["predicate"]["result"] == "FAILED"
    again = replace(good, results=[replace(good.results[0], earlier=("it was overloaded",))])
    predicate = attester(root, None).statement(again)["predicate"]
    assert (predicate["result"], predicate["warnedTests"]) == ("PASSED", [ALERT])


def test_run_is_named_where_others_can_see_it(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SERVER_URL", "https://git.example"), ("REPOSITORY", "a/b"),
                        ("RUN_ID", "7")):  # fmt: skip
        monkeypatch.setenv(f"GITHUB_{name}", value)
    proof = written(tmp_path / "one", good=True)
    predicate = attester(root, None).statement(proof)["predicate"]
    assert predicate["url"] == "https://git.example/a/b/actions/runs/7"


def test_signature_is_over_what_dsse_says(tmp_path: Path, root: Path, keys: Keys) -> None:
    """Checked without the library that made it."""
    folder = attested(tmp_path, root, keys[0])
    envelope = json.loads((folder / SIGNED).read_text())
    body = base64.b64decode(envelope["payload"])
    kind = b"application/vnd.in-toto+json"
    assert envelope["payloadType"].encode() == kind
    [signature] = envelope["signatures"]
    key = load_pem_public_key(keys[1].read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    signed = b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(body), body])
    key.verify(base64.b64decode(signature["sig"]), signed)


@pytest.mark.parametrize(
    ("signed", "checked", "said"),
    [
        (False, False, f"`{UNSIGNED}` is of this report, unsigned\n"),
        (True, False, "(not checked: `--key FILE` names its public key)\n"),
        (True, True, "(checked)\n"),
    ],
)
def test_attestation_of_this_report_is_good(
    tmp_path: Path, root: Path, keys: Keys, signed: bool, checked: bool, said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = attested(tmp_path, root, keys[0] if signed else None, good=False)
    verify_report([str(folder)], key=str(keys[1]) if checked else "")
    assert said in capsys.readouterr().out


def test_signature_of_another_key_is_named(tmp_path: Path, root: Path, keys: Keys) -> None:
    folder = attested(tmp_path, root, made(tmp_path / "others")[0])
    with pytest.raises(CheckFailed, match=f"`{SIGNED}` was not signed with the key in `"):
        verify_report([str(folder)], key=str(keys[1]))


def test_statement_changed_after_it_was_signed_is_named(
    tmp_path: Path, root: Path, keys: Keys
) -> None:
    folder = attested(tmp_path, root, keys[0], good=False)
    statement = payload(folder)
    statement["predicate"]["result"] = "PASSED"
    forged = base64.b64encode(json.dumps(statement).encode()).decode()
    edited(folder, lambda envelope: envelope.update(payload=forged), SIGNED)
    with pytest.raises(CheckFailed, match="or was changed after it was signed"):
        verify_report([str(folder)], key=str(keys[1]))


def test_other_id_of_the_key_changes_nothing(tmp_path: Path, root: Path, keys: Keys) -> None:
    """It is a hint, as DSSE has it, and not signed."""
    folder = attested(tmp_path, root, keys[0])
    edited(folder, lambda envelope: envelope["signatures"][0].pop("keyid"), SIGNED)
    verify_report([str(folder)], key=str(keys[1]))


def test_attestation_of_another_report_is_named(tmp_path: Path, root: Path, keys: Keys) -> None:
    folder = attested(tmp_path, root, keys[0], good=True)
    other = written(tmp_path / "reports" / "two").folder
    (folder / SIGNED).rename(other / SIGNED)
    with pytest.raises(CheckFailed, match="is of another report: no file of this one"):
        verify_report([str(other)], key=str(keys[1]))


def test_file_changed_after_it_was_attested_is_named(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = attested(tmp_path, root, None)
    with_lines(folder, lambda lines: lines.pop())
    with pytest.raises(CheckFailed):
        verify_report([str(folder)])
    assert f"`evidence.jsonl` is not what `{UNSIGNED}` attests\n" in capsys.readouterr().out


def test_attestation_that_praises_more_than_the_report_is_named(tmp_path: Path, root: Path) -> None:
    folder = attested(tmp_path, root, None, good=False)
    edited(folder, lambda one: one["predicate"]["passedTests"].append(OTHER), UNSIGNED)
    with pytest.raises(CheckFailed, match="names others as proven than the report does"):
        verify_report([str(folder)])


@pytest.mark.parametrize("attest", [True, False], ids=["unsigned", "none"])
def test_key_without_a_signature_says_nothing(
    tmp_path: Path, root: Path, keys: Keys, attest: bool
) -> None:
    folder = attested(tmp_path, root, None)
    if not attest:
        (folder / UNSIGNED).unlink()
    what = f"`{UNSIGNED}` is not signed" if attest else f"there is no `{SIGNED}`"
    with pytest.raises(CheckFailed, match=what):
        verify_report([str(folder)], key=str(keys[1]))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


BROKEN: list[tuple[str, Callable[[Path], object], str]] = [
    (SIGNED, lambda f: _cut(f / SIGNED), "is cut short, or no attestation"),
    (UNSIGNED, lambda f: _cut(f / UNSIGNED), "is cut short, or no attestation"),
    (SIGNED, lambda f: edited(f, lambda one: one.pop("signatures"), SIGNED), "no envelope"),
    (SIGNED, lambda f: edited(f, lambda one: one.update(payloadType="text/plain"), SIGNED),
     "its payload is `text/plain`, expected `application/vnd.in-toto"),
    (UNSIGNED, lambda f: edited(f, lambda one: one.update(subject=[]), UNSIGNED),
     "At least one subject required"),
    (UNSIGNED, lambda f: edited(f, lambda one: one.update(_type="x"), UNSIGNED), "Wrong statement"),
    (UNSIGNED, lambda f: edited(f, lambda one: one.update(predicateType="x/v2"), UNSIGNED),
     "is a statement of `x/v2`, expected `https://in-toto.io/attestation/test-result/v0.1`"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "said"), BROKEN)
def test_what_is_no_attestation_is_refused(
    tmp_path: Path, root: Path, keys: Keys, name: str, change: Callable[[Path], object], said: str
) -> None:
    folder = attested(tmp_path, root, keys[0] if name == SIGNED else None)
    change(folder)
    with pytest.raises(BadInput, match=said):
        verify_report([str(folder)])


def test_key_is_read_before_anything_is_proven(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"`--attest-key .*` cannot be read"):
        verify_alerts([ALERT], attest_key=str(tmp_path / "none"), reports=tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_key_that_is_none_is_refused(tmp_path: Path, root: Path, keys: Keys) -> None:
    folder = attested(tmp_path, root, None)
    rsa = tmp_path / "rsa.pem"
    rsa.write_bytes(
        generate_private_key(65537, 2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )
    locked, _ = made(tmp_path / "locked", BestAvailableEncryption(b"x"))
    for key, said in (
        (keys[1], "is no private Ed25519 key in PEM"),
        (rsa, "is no private Ed25519 key in PEM"),
        (tmp_path / "none", "cannot be read: No such file"),
        (locked, "is encrypted with a password"),
    ):
        with pytest.raises(BadInput, match=said):
            attester(root, key)
    for key, said in ((keys[0], "is no public Ed25519 key"), (tmp_path, "cannot be read")):
        with pytest.raises(BadInput, match=said):
            verify_report([str(folder)], key=str(key))
