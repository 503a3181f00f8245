"""The lock is made from signed metadata only, and stays as it was when anything fails."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.store import lock as locks
from stack.store import repin

INDEX = "dists/test/main/binary-{}/Packages.xz"


def test_update_pins_artifacts_and_outputs_for_all_systems(world: Any, suite: Any) -> None:
    changes = [str(change) for change in repin.repin(world.package_set).changes]
    new = locks.load(world.lock.file)
    assert (new.release, new.snapshot) == ("2", "20261123T000000Z")
    assert set(new.outputs) == {(s, p) for s in ("amd64", "arm64") for p in ("base", "tool")}
    assert {k: v for k, v in new.outputs.items() if k[0] == "amd64"} == world.lock.outputs
    assert len(new.artifacts) == 6
    assert any(change.startswith("tool (arm64): not there -> 1.0 ") for change in changes)
    assert not any(change.startswith("tool (amd64)") for change in changes)


def test_update_twice_changes_nothing(world: Any, suite: Any) -> None:
    repin.repin(world.package_set)
    text = world.lock.file.read_text()
    assert repin.repin(world.pinned_by(locks.load(world.lock.file)).package_set).changes == ()
    assert world.lock.file.read_text() == text


def test_update_shows_what_changed(
    world: Any, mirror: Any, suite: Any, make_deb: Any, make_member: Any
) -> None:
    mirror.files["pool/libtool_1.0_amd64.deb"] = make_deb(make_member("usr/lib/libtool.so", b"2"))
    suite()
    changes = {
        str(change).partition(" (amd64)")[0] for change in repin.repin(world.package_set).changes
    }
    assert {"libtool", "output tool"} <= changes
    assert not {"libbase", "output base"} & changes


def _tampered_index(mirror: Any) -> None:
    mirror.files[INDEX.format("arm64")] += b"x"


def _lagging(mirror: Any) -> None:
    release = mirror.files["dists/test/InRelease"]
    mirror.files["dists/test/InRelease"] = release.replace(b" 2026 ", b" 2025 ")


def _package_gone(mirror: Any, suite: Callable[[], None]) -> None:
    del mirror.files["pool/libtool_1.0_amd64.deb"]
    suite()


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda mirror, suite: mirror.files.clear(), HostCannot, "no mirror has.*404"),
        (lambda mirror, suite: _lagging(mirror), HostCannot, "older than what the lock pins"),
        (
            lambda mirror, suite: _tampered_index(mirror),
            CheckFailed,
            "binary-arm64.*InRelease expects",
        ),
        (_package_gone, BadInput, "the suite has no libtool for amd64"),
        (
            lambda mirror, suite: mirror.files.update({"pool/tool_1.0_amd64.deb": b"swapped"}),
            HostCannot,
            "tool 1.0",
        ),
    ],
    ids=["no mirror", "mirror lags", "index tampered with", "package gone", "artifact swapped"],
)
def test_update_that_fails_leaves_the_lock(
    world: Any, mirror: Any, suite: Any, spoil: Any, error: type[Exception], message: str
) -> None:
    before = world.lock.file.read_text()
    spoil(mirror, suite)
    with pytest.raises(error, match=f"(?s){message}"):
        repin.repin(world.package_set)
    assert world.lock.file.read_text() == before
    assert not list(world.cache.glob("lock-*"))


def test_update_needs_gpgv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostCannot, match=r"(?s)`gpgv` is missing.*Install the package `gpgv`"):
        repin.verified(b"", tmp_path)


def test_update_needs_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    with pytest.raises(HostCannot, match=r"(?s)keyring `.*none`.*debian-archive-keyring"):
        repin.verified(b"", tmp_path / "none")


def test_a_signature_that_cannot_be_checked_on_a_full_disk_is_not_called_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpgv = tmp_path / "gpgv"
    gpgv.write_text("#!/bin/sh\necho 'gpgv: write failed: No space left on device' >&2; exit 2\n")
    gpgv.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(gpgv))
    with pytest.raises(HostCannot, match="is full"):
        repin.verified(b"", gpgv)


@pytest.mark.skipif(not (shutil.which("gpg") and shutil.which("gpgv")), reason="needs GnuPG")
def test_verified_gives_only_what_was_signed(tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    text, keyring = tmp_path / "text", tmp_path / "keyring.gpg"
    text.write_text("Version: 1\n")

    def gpg(*arguments: str) -> None:
        command = ["gpg", "--homedir", str(home), "--batch", "--passphrase", "", "--yes"]
        subprocess.run([*command, *arguments], check=True, capture_output=True, timeout=60)

    gpg("--quick-generate-key", "test", "ed25519", "sign")
    gpg("--output", str(keyring), "--export")
    gpg("--output", str(tmp_path / "signed"), "--clearsign", str(text))
    gpg("--version")
    signed = (tmp_path / "signed").read_bytes()
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, timeout=60)

    assert repin.verified(b"Version: 0\n" + signed, keyring) == "Version: 1\n"
    with pytest.raises(CheckFailed, match="no good signature"):
        repin.verified(signed.replace(b"Version: 1", b"Version: 2"), keyring)
    with pytest.raises(CheckFailed, match="no good signature"):
        repin.verified(b"Version: 1\n", keyring)


def test_update_asks_a_busy_mirror_again(world: Any, mirror: Any, suite: Any) -> None:
    mirror.answers["dists/test/InRelease"] = [(503, {"Retry-After": "0"}, b"")]
    mirror.answers[INDEX.format("amd64")] = [(429, {"Retry-After": "0"}, b"")]
    assert repin.repin(world.package_set).lock.release == "2"


def test_update_says_that_a_portal_answered(world: Any, mirror: Any, suite: Any) -> None:
    mirror.answers["dists/test/InRelease"] = [(200, {}, b"<html>log in</html>")]
    with pytest.raises(HostCannot, match="a captive portal or proxy answered"):
        repin.repin(world.package_set)
