"""A bundle is the same everywhere, holds what a closure needs, and never spoils another file."""

import hashlib
import io
import json
import os
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput, HostCannot
from stack.progress import Lines, Quiet
from stack.store import archive, bundle, imports
from stack.store.archive import Archive
from stack.store.artifact import Artifact
from stack.store.package import Package


def write(world: Any, file: Path, *packages: str, wheels: list[Path] | None = None) -> Path:
    contents = bundle.gathered(list(packages), wheels or [], Quiet(), world.package_set)
    size = bundle.write(contents, file, Quiet())
    assert size == file.stat().st_size
    return file


def names(file: Path) -> list[str]:
    return list(Archive(io.BytesIO(file.read_bytes()), file.name).members)


def test_bundle_holds_the_artifacts_and_their_part_of_the_lock(world: Any, tmp_path: Path) -> None:
    file = write(world, tmp_path / "x.tar", "base")
    artifact = world.artifacts["libbase"]
    assert names(file) == [f"artifacts/{artifact.sha256}", "bundle.json", "lock.toml"]
    read = Archive(io.BytesIO(file.read_bytes()), "x.tar")
    label = json.loads(b"".join(read.chunks(read.members["bundle.json"])))
    assert (label["packages"], label["system"]) == (["base"], "amd64")
    part = tomllib.loads(b"".join(read.chunks(read.members["lock.toml"])).decode())
    assert [each["sha256"] for each in part["artifact"]] == [artifact.sha256]
    assert list(part["output"]["amd64"]) == ["base"]


def test_bundle_of_all_is_the_same_from_another_place_umask_and_order(
    world: Any, tmp_path: Path
) -> None:
    first = write(world, tmp_path / "x.tar")
    before = os.umask(0o077)
    try:
        second = write(world.elsewhere(tmp_path / "other"), tmp_path / "y.tar", "tool", "base")
    finally:
        os.umask(before)
    assert first.read_bytes() == second.read_bytes()
    assert second.stat().st_mode & 0o777 == 0o644
    assert sum(name.startswith("artifacts/") for name in names(first)) == 3


def test_bundle_takes_wheels_along(world: Any, tmp_path: Path) -> None:
    wheel = tmp_path / f"{'w' * 110}-1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    assert f"wheels/{wheel.name}" in names(write(world, tmp_path / "x.tar", wheels=[wheel]))


def test_bundle_of_an_unknown_package_suggests_the_nearest(world: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"(?s)`tol`.*Did you mean tool\?"):
        write(world, tmp_path / "x.tar", "tol")
    assert list(tmp_path.glob("*.tar*")) == []


def test_bundle_says_which_artifact_cannot_be_had(world: Any, mirror: Any, tmp_path: Path) -> None:
    mirror.files.clear()
    with pytest.raises(HostCannot, match="is not available"):
        write(world, tmp_path / "x.tar")


def test_bundle_that_fails_half_way_leaves_the_earlier_one(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(world, tmp_path / "x.tar", "base")
    good = file.read_bytes()

    def broken(made: Any, contents: Any, told: Any) -> int:
        made.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patched.setattr(archive, "write", broken)
        write(world, file, "tool")
    assert file.read_bytes() == good
    assert list(tmp_path.glob(".x.tar*")) == []
    assert write(world, file, "tool").read_bytes() != good


def test_bundle_does_not_overwrite_another_file(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.tar"
    thesis.write_text("years of work")
    with pytest.raises(BadInput, match="is not a bundle; it was left as it is"):
        bundle.target(thesis, "bundle.tar")
    assert thesis.read_text() == "years of work"
    assert bundle.target(tmp_path, "bundle.tar") == tmp_path / "bundle.tar"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(28, "cannot be written: No space left on device .9 bytes", id="full"),
        pytest.param(30, "cannot be written: Read-only file system\n", id="read-only"),
    ],
)
def test_bundle_says_why_it_cannot_be_written(tmp_path: Path, error: int, told: str) -> None:
    with pytest.raises(HostCannot, match=told), bundle.aside(tmp_path / "x.tar", 9):
        raise OSError(error, os.strerror(error))
    assert list(tmp_path.iterdir()) == []


def test_bundle_says_which_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"), bundle.aside(tmp_path / "no" / "x.tar"):
        pass


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(zipfile.ZipInfo("extra"), b"#!/bin/sh\n")
    return file.getvalue()


@pytest.fixture
def with_optional(world: Any) -> Any:
    """The world with a package of an upstream release that nobody here can reach."""
    release = Artifact(
        name="extra",
        version="2.0",
        architecture="all",
        path="http://127.0.0.1:9/extra.zip",
        sha256=hashlib.sha256(zipped()).hexdigest(),
    )
    extra = Package(name="extra", zips=("extra",), optional=True)
    lock = replace(world.lock, artifacts=(*world.lock.artifacts, release))
    package_set = replace(
        world.package_set, lock=lock, packages=(*world.package_set.packages, extra)
    )
    return replace(world, package_set=package_set)


def test_bundle_leaves_out_and_names_what_upstream_does_not_give(
    with_optional: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = bundle.gathered([], [], Lines(), with_optional.package_set)
    assert json.loads(bytes(contents["bundle.json"]))["packages"] == ["base", "tool"]
    assert "extra left out: " in capsys.readouterr().err


def test_bundle_holds_what_is_on_demand_only_if_it_is_named(world: Any) -> None:
    base, tool = world.package_set.packages
    rare = replace(world.package_set, packages=(base, replace(tool, on_demand=True)))

    def packages(*names: str) -> list[str]:
        held: list[str] = json.loads(
            bytes(bundle.gathered([*names], [], Lines(), rare)["bundle.json"])
        )["packages"]
        return held

    assert packages() == ["base"]
    assert packages("tool") == ["tool"]


def test_bundle_carries_an_upstream_release_that_is_here(
    with_optional: Any, tmp_path: Path
) -> None:
    download = tmp_path / "extra.zip"
    download.write_bytes(zipped())
    imports.import_artifact(download, with_optional.package_set)
    file = write(with_optional, tmp_path / "x.tar")
    there = with_optional.elsewhere(tmp_path / "there")
    paths, new = imports.import_bundle(file, Quiet(), there.package_set)
    assert new == 4
    assert (paths["extra"] / "extra").read_text() == "#!/bin/sh\n"
