"""Secrets in a backup: for the one who has the key, and for nobody else."""

from pathlib import Path

import pyrage
import pytest

from stack.deploy.backup import sealed
from stack.deploy.backup.catalogue import Backup, Manifest, Stored
from stack.errors import BadInput
from stack.run import secrets
from stack.run.secrets import KEPT
from stack.run.service import Layout

KEY = pyrage.x25519.Identity.generate()
PUBLIC = str(KEY.to_public())


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    secrets.bring(tmp_path / "instance", {name: f"{name} of then" for name in KEPT})
    return Layout(
        name="default", directory=tmp_path / "instance", config_root=tmp_path, speed=1.0, ports={},
        addresses={}, packages={},
    )  # fmt: skip


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file as `age-keygen` writes it."""
    file = tmp_path / "key.txt"
    file.write_text(f"# created: 2026-01-01T00:00:00Z\n# public key: {PUBLIC}\n{KEY}\n")
    return file


def backup(folder: Path, recipient: str = PUBLIC, content: bytes = b"") -> Backup:
    if content:
        (folder / sealed.FILE).write_bytes(content)
    manifest = Manifest(
        format=1, instance="default", speed=1.0, taken=1.0, hash="abc", answers={},
        files={sealed.FILE: Stored(size=1, sha256="")} if recipient else {}, recipient=recipient,
    )  # fmt: skip
    return Backup(directory=folder, manifest=manifest)


def encrypted(content: bytes) -> bytes:
    return pyrage.encrypt(content, [KEY.to_public()])


def test_who_has_the_key_has_the_secrets(layout: Layout, key: Path, tmp_path: Path) -> None:
    sealed.seal(layout, tmp_path, PUBLIC)
    assert b"of then" not in (tmp_path / sealed.FILE).read_bytes()
    assert sealed.opened(backup(tmp_path), key) == {name: f"{name} of then" for name in KEPT}


def test_instance_begins_with_the_secrets_that_it_is_given(layout: Layout) -> None:
    folder = layout.secret("")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == sorted(KEPT)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("me", "`me`"), ("age1", "`age1`"), (PUBLIC[:-1], f"`{PUBLIC[:-1]}`"),
     (str(KEY), "the private key"), (str(KEY).lower(), "the private key")],
    ids=("a word", "a beginning", "cut short", "private", "private in small letters"),
)  # fmt: skip
def test_what_is_no_public_key_is_refused_and_a_private_one_not_repeated(
    given: str, shown: str
) -> None:
    with pytest.raises(BadInput, match=f"--recipient is {shown}, expected a public key") as error:
        sealed.recipient(given)
    assert str(KEY)[20:] not in str(error.value).upper()
    assert "age-keygen" in error.value.cure


def test_file_without_a_key_is_named(tmp_path: Path) -> None:
    made = backup(tmp_path, content=encrypted(b"{}"))
    file = tmp_path / "key"
    for text in ("", "# public key: age1\n", PUBLIC):
        file.write_text(text)
        with pytest.raises(BadInput, match=f"`{file}` has no private key of age"):
            sealed.opened(made, file)
    file.write_text("AGE-SECRET-KEY-1NONSENSE\n")
    with pytest.raises(BadInput, match=f"`{file}` cannot be read as a private key of age"):
        sealed.opened(made, file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read as a private key"):
        sealed.opened(made, file)
    with pytest.raises(BadInput, match=r"cannot be read as .* No such file or directory"):
        sealed.opened(made, tmp_path / "nowhere")


def test_key_of_somebody_else_opens_nothing(tmp_path: Path) -> None:
    made = backup(tmp_path, content=encrypted(b"{}"))
    other = tmp_path / "other"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(BadInput, match=f"no key in `{other}` opens .* are for `{PUBLIC}`"):
        sealed.opened(made, other)


def test_backup_without_secrets_says_so(tmp_path: Path, key: Path) -> None:
    with pytest.raises(BadInput, match="has no secrets") as error:
        sealed.opened(backup(tmp_path, recipient=""), key)
    assert "without --identity" in error.value.cure


def test_what_others_encrypted_makes_no_other_files(tmp_path: Path, key: Path) -> None:
    made = backup(tmp_path, content=encrypted(b'{"../../x": "y", "slack_token": "t"}'))
    assert sealed.opened(made, key) == {"slack_token": "t"}


@pytest.mark.parametrize("content", [b"", b"{", b"7", b"\xff"])
def test_what_is_not_those_of_an_instance_is_refused(
    tmp_path: Path, key: Path, content: bytes
) -> None:
    made = backup(tmp_path, content=encrypted(content))
    with pytest.raises(BadInput, match="are not those of an instance"):
        sealed.opened(made, key)
