"""Signs and checks in the envelope of in-toto: DSSE, with Ed25519 keys in PEM files.

https://github.com/secure-systems-lab/dsse has the format. A key's id is a hint, nothing relies on
it.
"""

from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import CryptoSigner, Signature, SSlibKey  # type: ignore[attr-defined]

from stack.errors import BadInput

PAYLOAD_TYPE = "application/vnd.in-toto+json"

MAKE_ONE = "`openssl genpkey -algorithm ed25519 -out FILE` makes a private key,"
MAKE_ONE += " `openssl pkey -in FILE -pubout` prints its public one."


def signer(file: Path) -> CryptoSigner:
    """Signs with the private key in that file. Raises BadInput for what is none."""
    try:
        key = load_pem_private_key(_content(file, "--attest-key"), password=None)
    except TypeError:
        raise BadInput(
            f"`--attest-key {file}` is encrypted with a password, which nobody can type here.",
            cure="Name a file with the key itself, which only you can read.",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput(f"`--attest-key {file}` is no private Ed25519 key in PEM.", cure=MAKE_ONE)
    return CryptoSigner(key)


def public(file: Path) -> SSlibKey:
    """The public key in that file. Raises BadInput for what is none."""
    try:
        key = load_pem_public_key(_content(file, "--key"))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput(f"`--key {file}` is no public Ed25519 key in PEM.", cure=MAKE_ONE)
    return SSlibKey.from_crypto(key)


def enveloped(payload: bytes, by: CryptoSigner) -> dict[str, Any]:
    """The payload, signed, as the JSON of an envelope."""
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(by)
    return envelope.to_dict()


def opened(document: Any) -> Envelope:
    """An envelope from its JSON, not checked yet. Raises ValueError for what is none."""
    try:
        signatures = [{"keyid": "", **one} for one in document["signatures"]]
        envelope = Envelope.from_dict({**document, "signatures": signatures})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no envelope: {type(error).__name__}: {error}") from None
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ValueError(f"its payload is `{envelope.payload_type}`, expected `{PAYLOAD_TYPE}`")
    return envelope


def signed_by(envelope: Envelope, key: SSlibKey) -> bool:
    """Whether one of its signatures is this key's, over this payload."""
    for signature in envelope.signatures.values():
        try:
            # The id is a hint that nobody signed; the library insists on it.
            key.verify_signature(Signature(key.keyid, signature.signature), envelope.pae())
        except (UnverifiedSignatureError, VerificationError):
            continue
        return True
    return False


def _content(file: Path, option: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"`{option} {file}` cannot be read: {error.strerror}.") from None
