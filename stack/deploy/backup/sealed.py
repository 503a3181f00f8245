"""An instance's secrets in a backup: encrypted to somebody's public key, or not there at all.

The format is age (age-encryption.org/v1), by way of rage (github.com/str4d/rage): what `age-keygen`
makes is a key, and `age --decrypt` opens the file without this lab. They are never written anywhere
in the clear but where the instance has them.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pyrage

from stack import jsontext
from stack.deploy.backup.catalogue import Backup
from stack.errors import BadInput
from stack.run.secrets import KEPT
from stack.run.service import Layout

FILE = "secrets.age"
"""In a backup that has them."""

_PUBLIC, _PRIVATE = "age1", "AGE-SECRET-KEY-1"
"""How X25519 keys begin."""


def recipient(text: str) -> str:
    """A public key as it was given. Raises BadInput for what is none, without repeating a private
    one."""
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        private = text.upper().startswith(_PRIVATE)
        shown = "the private key" if private else f"`{text}`"
        raise BadInput(
            f"--recipient is {shown}, expected a public key of age, which begins with `{_PUBLIC}`.",
            cure="`age-keygen -o FILE` makes a pair and prints the public one; keep FILE apart.",
        ) from None
    return text


def seal(layout: Layout, into: Path, key: str) -> None:
    """Write the instance's secrets into the folder of a backup, for the owner of `key` to read."""
    files = {name: layout.secret(name) for name in KEPT}
    found = {name: file.read_text() for name, file in files.items() if file.exists()}
    to = pyrage.x25519.Recipient.from_str(key)
    (into / FILE).write_bytes(pyrage.encrypt(json.dumps(found).encode(), [to]))


def opened(backup: Backup, identity: Path) -> Mapping[str, str]:
    """Name → secret, by the private key in a file as `age-keygen` writes it.

    Raises BadInput for a backup without them, a file without a key, and a key that is not theirs.
    """
    if FILE not in backup.manifest.files:
        raise BadInput(
            f"backup `{backup.name}` has no secrets.",
            cure="Restore it without --identity: the instance gets new ones.",
        )
    try:
        text = pyrage.decrypt((backup.directory / FILE).read_bytes(), _keys(identity))
    except pyrage.DecryptError:
        raise BadInput(
            f"no key in `{identity}` opens the secrets of backup `{backup.name}`, which are for"
            f" `{backup.manifest.recipient}`. Nothing was changed.",
            cure="Use the file whose public key that is, or restore it without --identity.",
        ) from None
    try:
        found = jsontext.read(text)
        # Whoever knows the public key could have written it: no other files are made of it.
        return {name: str(found[name]) for name in KEPT if name in found}
    except (ValueError, TypeError):
        raise BadInput(
            f"the secrets of backup `{backup.name}` are not those of an instance.",
            cure="Restore it without --identity: the instance gets new ones.",
        ) from None


def _keys(identity: Path) -> list["pyrage.x25519.Identity"]:
    try:
        lines = identity.read_text().split()
        found = [pyrage.x25519.Identity.from_str(one) for one in lines if one.startswith(_PRIVATE)]
    except (OSError, ValueError, pyrage.IdentityError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadInput(f"`{identity}` cannot be read as a private key of age: {why}.") from None
    if not found:
        raise BadInput(
            f"`{identity}` has no private key of age: a line that begins with `{_PRIVATE}`.",
            cure="Name the file that `age-keygen -o FILE` wrote.",
        )
    return found
