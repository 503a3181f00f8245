"""An update is tried out first: the lock moves on whole, or stays as it was."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput, CheckFailed
from stack.progress import Quiet
from stack.store import fetch
from stack.store import lock as locks
from stack.store.artifact import Artifact
from stack.store.package import Package
from stack.store.packageset import PackageSet, realise
from stack.tasks.lock import pin_all, pin_outputs, update_packages
from tests.store.conftest import PACKAGES


def content(package_set: PackageSet) -> None:
    """A check that finds nothing."""


def artifact(lock: locks.Lock, name: str) -> Artifact:
    return lock.artifact(name, "amd64")


def test_update_moves_everything_and_tells_it(
    world: Any, ahead: None, capsys: pytest.CaptureFixture[str]
) -> None:
    update_packages(package_set=world.package_set, check=content)
    new = locks.load(world.lock.file)
    assert [artifact(new, name).version for name in ("libbase", "libtool", "tool")] == [
        "2.0",
        "2.0",
        "1.0",
    ]
    assert capsys.readouterr().out == (
        "base 1.0 -> 2.0\n"
        "tool\n"
        "    libtool 1.0 -> 2.0\n"
        f"{world.lock.file} is written: Debian 2 (test)\n"
    )
    # What the new lock names is in the store already.
    paths = realise(None, world.pinned_by(new).package_set, Quiet())
    assert (paths["tool"] / "usr/lib/libtool.so").read_bytes() == b"newer"


def test_update_of_one_package_leaves_the_others(
    world: Any, ahead: None, capsys: pytest.CaptureFixture[str]
) -> None:
    update_packages(["base"], world.package_set, content)
    new = locks.load(world.lock.file)
    assert artifact(new, "libbase").version == "2.0"
    kept = artifact(new, "libtool")
    # It is no longer in the archive as of the new lock's moment, so it keeps its own.
    assert (kept.version, kept.snapshot) == ("1.0", world.lock.snapshot)
    assert artifact(new, "tool").snapshot == ""
    assert new.outputs["amd64", "tool"] == world.lock.outputs["amd64", "tool"]
    assert "libtool" not in capsys.readouterr().out
    # The next one catches up, and the moment is that of the lock again.
    update_packages((), world.pinned_by(new).package_set, content)
    assert artifact(locks.load(world.lock.file), "libtool").snapshot == ""


def test_update_with_nothing_newer_writes_nothing(
    world: Any, suite: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = world.lock.file.read_text()
    update_packages(package_set=world.package_set, check=content)
    assert world.lock.file.read_text() == before
    assert "nothing to update" in capsys.readouterr().out


def test_update_checks_with_the_new_packages(world: Any, ahead: None) -> None:
    seen: list[str] = []

    def check(package_set: PackageSet) -> None:
        assert locks.load(world.lock.file) == world.lock
        seen.append(
            (realise(["base"], package_set, Quiet())["base"] / "usr/lib/libbase.so").read_text()
        )

    update_packages(["base"], world.package_set, check)
    assert seen == ["newer"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (None, "promtool finds fault"),
        ("pool/libbase_2.0_amd64.deb", "libbase 2.0"),
        ("dists/test/main/binary-arm64/Packages.xz", "InRelease expects"),
    ],
    ids=["check fails", "artifact swapped", "index tampered with"],
)
def test_update_that_fails_changes_nothing(
    world: Any, mirror: Any, ahead: None, spoil: str | None, said: str
) -> None:
    before = world.lock.file.read_text()

    def check(package_set: PackageSet) -> None:
        raise CheckFailed("promtool finds fault")

    if spoil:
        mirror.files[spoil] += b"x"
    with pytest.raises(Exception, match=f"(?s){said}"):
        update_packages(package_set=world.package_set, check=check)
    assert world.lock.file.read_text() == before
    assert not list(world.cache.glob("lock-*"))
    # What was pinned before can still be realised, from the cache alone.
    mirror.files.clear()
    assert set(realise(None, world.package_set, Quiet())) == {"base", "tool"}


def test_update_of_an_unknown_package_suggests_the_nearest(world: Any, ahead: None) -> None:
    with pytest.raises(BadInput, match=r"(?s)there is no package `tol`.*Did you mean tool"):
        update_packages(["tol"], world.package_set, content)


def test_pinning_all_prints_what_changed(
    world: Any, suite: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pin_all(world.package_set)
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("libbase (arm64): not there -> 1.0 ")
    assert last == f"5 changes: Debian 2 (test), {world.lock.file}"


def test_pinning_one_package_builds_that_alone(
    world: Any, suite: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pin_all(world.package_set)
    before = locks.load(world.lock.file)
    tool = Package(name="tool", debs=("tool", "libtool"))  # which keeps its documents now
    changed = replace(world.package_set, lock=before, packages=(PACKAGES[0], tool))
    capsys.readouterr()
    pin_outputs(["tool"], changed)
    after = locks.load(world.lock.file)
    moved = {key for key, output in after.outputs.items() if output != before.outputs[key]}
    assert moved == {("amd64", "tool"), ("arm64", "tool")}
    assert after.artifacts == before.artifacts
    assert capsys.readouterr().out.endswith(f"2 changes: {world.lock.file}\n")
    pin_outputs(["tool"], replace(changed, lock=after))
    assert capsys.readouterr().out == f"0 changes: {world.lock.file}\n"


def test_pinning_an_unknown_package_suggests_the_nearest(world: Any) -> None:
    with pytest.raises(BadInput, match=r"(?s)there is no package `tol`.*Did you mean tool"):
        pin_outputs(["tol"], world.package_set)


def test_lock_with_a_moment_of_its_own_for_an_artifact_is_read_again(
    world: Any, tmp_path: Path
) -> None:
    lock = world.pinning("libtool", snapshot="20250101T000000Z").lock
    lock.file.write_text(locks.text(lock))
    assert artifact(locks.load(lock.file), "libtool").snapshot == "20250101T000000Z"


def test_artifact_with_a_moment_of_its_own_comes_from_the_archive_of_then(
    world: Any, mirror: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = artifact(world.lock, "libtool").path
    mirror.files[f"archive/20250101T000000Z/{path}"] = mirror.files.pop(path)
    monkeypatch.setattr(fetch, "ARCHIVE", f"{mirror.url}/archive")
    earlier = world.pinning("libtool", snapshot="20250101T000000Z")
    assert set(realise(None, earlier.package_set, Quiet())) == {"base", "tool"}
