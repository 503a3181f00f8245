"""What a proof found, in the words of in-toto: a statement over the report's files, the lock and
the configuration, for whoever decides by it what may be deployed.

https://in-toto.io/attestation/test-result/v0.1 has the fields. Signed it is `attestation.json`, an
envelope; without a key `attestation.unsigned.json`, the statement alone.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import STATEMENT_TYPE_URI, Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

from scenarios.proof import kept, signing
from scenarios.proof.opening import Report
from scenarios.proof.result import Proof
from scenarios.proof.verdict import Outcome
from stack import jsontext
from stack.errors import BadInput
from stack.paths import REPO

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"

SIGNED, UNSIGNED = "attestation.json", "attestation.unsigned.json"

LOCK = "stack/lock.toml"
CONFIGURATION = "stack/config"
OF_ONE_MACHINE = (".env", "secrets", "backups", "__pycache__")
"""Files and folders of the configuration that its hash leaves out."""

ATTEST_ANEW = "Write another one with `doit verify-alerts --attest`."


@dataclass(frozen=True, kw_only=True)
class Attester:
    """Writes attestations; knows what lock and configuration were before anything was proven."""

    lock: str
    configuration: str
    by: CryptoSigner | None

    def __call__(self, proof: Proof) -> Path:
        """Write one beside the report, and return where. Raises OSError."""
        payload = json.dumps(self.statement(proof), indent=1).encode()
        file = proof.folder / (SIGNED if self.by else UNSIGNED)
        if self.by:
            payload = json.dumps(signing.enveloped(payload, self.by), indent=1).encode()
        file.write_bytes(payload + b"\n")
        return file

    def statement(self, proof: Proof) -> dict[str, Any]:
        """As JSON has it. What is blocked is not proven: it counts as failed."""
        subjects = [
            _resource(name, sha256=kept.of_bytes((proof.folder / name).read_bytes()))
            for name in (*kept.FILES, kept.NAME)
            if (proof.folder / name).exists()
        ]
        good = [one for one in proof.results if one.outcome is Outcome.PROVEN]
        passed = bool(good) and len(good) == len(proof.results) and not proof.interrupted
        predicate = TestResult(
            result="PASSED" if passed else "FAILED",
            configuration=[
                _resource(LOCK, sha256=self.lock),
                _resource(CONFIGURATION, dirHash=self.configuration),
            ],
            url=_url(),
        )
        names: dict[str, list[str]] = {
            "passedTests": sorted(one.alert for one in good if not one.earlier),
            "warnedTests": sorted(one.alert for one in good if one.earlier),
            "failedTests": sorted(one.alert for one in proof.results if one not in good),
        }
        made = Statement(subjects, TEST_RESULT, {**MessageToDict(predicate), **names})
        made.validate()
        return MessageToDict(made.pb)


def attester(config_root: Path, key: Path | None) -> Attester:
    """Of the checkout's lock and that configuration. Raises BadInput for a key that is none."""
    return Attester(
        lock=kept.of_bytes((REPO / LOCK).read_bytes()),
        configuration=tree_hash(config_root),
        by=signing.signer(key) if key else None,
    )


def tree_hash(root: Path) -> str:
    """in-toto's `dirHash`: what `find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum |
    sha256sum` prints there, without what belongs to one machine."""
    names = sorted(one.relative_to(root).as_posix().encode() for one in _files(root))
    sums = [
        f"{kept.of_bytes((root / os.fsdecode(name)).read_bytes())}  ".encode() + name + b"\n"
        for name in names
    ]
    return hashlib.sha256(b"".join(sums)).hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for one in root.rglob("*"):
        inside = one.relative_to(root).parts
        if one.is_file() and not one.is_symlink() and not set(inside) & set(OF_ONE_MACHINE):
            yield one


@dataclass(kw_only=True)
class Checked:
    """What there is to say of an attestation."""

    said: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Of these, and not said otherwise, what is not as it must be."""

    def bad(self, words: str) -> None:
        """Say that, and that it is wrong."""
        self.said.append(words)
        self.wrong.append(words)


def check(report: Report, key: Path | None) -> Checked:
    """The attestation beside a report, if there is one: whether it is of that report, and, with a
    file that has a public key, who signed it. Raises BadInput for a file that is none."""
    wanted, found = signing.public(key) if key else None, Checked()
    signed, unsigned = report.folder / SIGNED, report.folder / UNSIGNED
    for file in (signed, unsigned):
        if not file.is_file():
            continue
        document, by = _document(file), "unsigned"
        if file == signed:
            try:
                envelope = signing.opened(document)
                document = jsontext.read(envelope.payload)
            except ValueError as error:
                raise _broken(file, error) from None
            by = f"signed by key {', '.join(one[:8] for one in envelope.signatures) or 'none'}"
            if wanted and not signing.signed_by(envelope, wanted):
                found.bad(f"`{file.name}` was not signed with the key in `{key}`,"
                          " or was changed after it was signed")  # fmt: skip
            by += " (checked)" if wanted else " (not checked: `--key FILE` names its public key)"
        troubles = _troubles(report, file.name, _statement(file, document))
        for words in troubles:
            found.bad(words)
        if not troubles and not found.wrong:
            found.said.append(f"`{file.name}` is of this report, {by}")
    if wanted and not signed.is_file():
        what = f"`{UNSIGNED}` is not signed" if unsigned.is_file() else f"there is no `{SIGNED}`"
        found.bad(f"{what}, so that `--key {key}` says nothing of this report")
    return found


def _document(file: Path) -> Any:
    try:
        return jsontext.read(file.read_bytes())
    except OSError as error:
        raise BadInput(f"`{file}` cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise _broken(file, error) from None


def _statement(file: Path, document: Any) -> Statement:
    try:
        made = Statement.copy_from_pb(
            ParseDict(document, StatementMessage(), ignore_unknown_fields=True)
        )
        made.validate()
    except (ParseError, ValueError, AttributeError, TypeError) as error:
        raise _broken(file, error) from None
    if made.pb.predicate_type != TEST_RESULT:
        raise BadInput(
            f"`{file}` is a statement of `{made.pb.predicate_type}`, expected `{TEST_RESULT}`.",
            cure=ATTEST_ANEW,
        )
    return made


def _broken(file: Path, error: Exception) -> BadInput:
    words = f"{STATEMENT_TYPE_URI}: {error}"
    return BadInput(f"`{file}` is cut short, or no attestation of {words}.", cure=ATTEST_ANEW)


def _troubles(report: Report, name: str, statement: Statement) -> list[str]:
    """Why it is not of this report; nothing when it is."""
    attested = {one.name: one.digest.get("sha256", "") for one in statement.pb.subject}
    contents = {**report.files, kept.NAME: (report.folder / kept.NAME).read_bytes()}
    are = {name: kept.of_bytes(content) for name, content in contents.items()}
    others = [one for one in are if attested.get(one) != are[one]]
    if len(others) == len(are):
        return [f"`{name}` is of another report: no file of this one is what was attested"]
    found = [f"`{one}` is not what `{name}` attests" for one in others]
    said = MessageToDict(statement.pb.predicate)
    if not found and _proven(said) != {
        one.alert for one in report.kept.results if one.verdict.outcome == Outcome.PROVEN
    }:
        found.append(f"`{name}` names others as proven than the report does")
    return found


def _proven(predicate: Mapping[str, Any]) -> set[str]:
    return {*predicate.get("passedTests", ()), *predicate.get("warnedTests", ())}


def _resource(name: str, **digest: str) -> Any:
    return ResourceDescriptor(name=name, digest=digest).pb


def _url() -> str:
    """Of the run on GitHub, where it is one; a path of this machine would lead nobody there."""
    run = [os.environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return f"{run[0]}/{run[1]}/actions/runs/{run[2]}" if all(run) else ""
