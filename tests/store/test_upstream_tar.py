"""A release in a `.tar.gz` becomes a package without the folder that everything in it lies in."""

import gzip
import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput
from stack.store import upstream
from stack.store.artifact import Artifact
from stack.store.imports import import_artifact
from stack.store.package import Package, Program
from stack.store.packages import grafana
from stack.store.packageset import realise

Member = Callable[..., tuple[tarfile.TarInfo, bytes]]

SCRIPT = b"#!/bin/sh\necho board 13.1\n"
BOARD = Package(
    name="board",
    tars=("board",),
    optional=True,
    drop=("*.map", "bin/board-cli"),
    programs=(Program(name="board", file="bin/board"),),
)


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(file.getvalue(), mtime=0)


def unpack(content: bytes, into: Path) -> list[str]:
    upstream.unpack_tar(content, into, name="board.tar.gz", wanted=lambda path: "docs" not in path)
    return sorted(str(at.relative_to(into)) for at in into.rglob("*"))


def test_first_folder_is_left_out(tmp_path: Path, make_member: Member) -> None:
    content = packed(
        make_member("board-13.1/", kind=tarfile.DIRTYPE),
        make_member("board-13.1/bin/board", SCRIPT, mode=0o775),
        make_member("board-13.1/bin/alias", kind=tarfile.SYMTYPE, link="../bin/board"),
        make_member("board-13.1/docs/README", b"not wanted"),
        make_member("board-13.1/LICENSE", b"text"),
    )
    assert unpack(content, tmp_path) == ["LICENSE", "bin", "bin/alias", "bin/board"]
    assert (tmp_path / "bin/board").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "LICENSE").stat().st_mode & 0o7777 == 0o644


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param([{"path": "/etc/passwd"}], "outside its folder", id="absolute"),
        pytest.param([{"path": "b/../../x"}], "outside its folder", id="dots"),
        pytest.param(
            # Inside the archive's folder, but that is not there any more.
            [{"path": "b/l", "kind": tarfile.SYMTYPE, "link": "../x"}], "links out", id="link out"
        ),
        pytest.param(
            [{"path": "b/d", "kind": tarfile.SYMTYPE, "link": "e"}, {"path": "b/d/f"}],
            "through the link",
            id="through a link",
        ),
        pytest.param([{"path": "b/p", "kind": tarfile.FIFOTYPE}], "device or pipe", id="pipe"),
        pytest.param([{"path": "b/su", "mode": 0o4755}], "set-user-ID", id="setuid"),
        pytest.param([{"path": "b/x"}, {"path": "b/x"}], "already there", id="twice"),
        pytest.param(
            [{"path": "b/s", "kind": tarfile.SYMTYPE, "link": "x" * 5000}], "too long", id="long"
        ),
        pytest.param([{"path": f"b/{'x' * 300}"}], "too long", id="long name"),
    ],
)  # fmt: skip
def test_hostile_archive_is_refused(
    tmp_path: Path, make_member: Member, members: list[dict[str, Any]], message: str
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(BadInput, match=message):
        unpack(packed(*(make_member(**each) for each in members)), inside)
    assert [at.name for at in tmp_path.iterdir()] == ["inside"]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda good: b"<html>log in</html>", id="a page"),
        pytest.param(lambda good: good[: len(good) // 2], id="cut off"),
        pytest.param(lambda good: gzip.compress(b"no archive" * 99), id="no tar"),
    ],
)
def test_what_is_no_archive_is_refused(
    tmp_path: Path, make_member: Member, spoil: Callable[[bytes], bytes]
) -> None:
    good = packed(make_member("b/x", bytes(range(256)) * 99))
    with pytest.raises(BadInput, match=r"`board\.tar\.gz` is not a readable \.tar\.gz archive"):
        unpack(spoil(good), tmp_path)


def test_archive_that_holds_too_much_is_refused(
    tmp_path: Path, make_member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "_LARGEST_TAR_BYTES", 1_000_000)
    bomb = packed(make_member("b/x", bytes(2_000_000)))
    with pytest.raises(BadInput, match="unpacks to more than 1000000 bytes"):
        unpack(bomb, tmp_path)


def imported(world: Any, package: Package, content: bytes, folder: Path) -> Path:
    """The store path of an optional package whose release was downloaded elsewhere: nothing is
    asked of upstream.
    """
    artifact = Artifact(
        name=package.name, version="13.1", architecture="amd64",
        path="https://nowhere.invalid/13.1_linux_amd64.tar.gz",
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    lock = replace(world.package_set.lock, artifacts=(*world.package_set.lock.artifacts, artifact))
    packages = (*world.package_set.packages, package)
    package_set = replace(world.package_set, packages=packages, lock=lock)
    file = folder / "downloaded.tar.gz"
    file.write_bytes(content)
    assert import_artifact(file, package_set) == (artifact, True)
    return realise([package.name], package_set)[package.name]


def files(path: Path) -> list[str]:
    return sorted(str(at.relative_to(path)) for at in path.rglob("*") if at.is_file())


def test_imported_release_becomes_a_package(
    world: Any, tmp_path: Path, make_member: Member
) -> None:
    content = packed(
        make_member("board-13.1/bin/board", SCRIPT, mode=0o755),
        make_member("board-13.1/bin/board-cli", SCRIPT, mode=0o755),
        make_member("board-13.1/public/app.js", b"code"),
        make_member("board-13.1/public/app.js.map", b"for debuggers"),
    )
    path = imported(world, BOARD, content, tmp_path)
    assert path.name.endswith("-board-13.1")
    assert subprocess.check_output([path / "bin" / "board"], text=True) == "board 13.1\n"
    assert files(path) == ["bin/board", "public/app.js"]


def test_plugins_that_grafana_brings_are_whole(
    world: Any, tmp_path: Path, make_member: Member
) -> None:
    """They are signed, file by file; one of which a file is missing is not loaded."""
    plugin = [f"data/plugins-bundled/loki/{name}" for name in ("MANIFEST.txt", "module.js.map")]
    backend = "data/plugins-bundled/loki/gpx_loki_linux_amd64"
    content = packed(
        make_member("grafana-13.1/bin/grafana", SCRIPT, mode=0o755),
        make_member("grafana-13.1/bin/grafana-cli", SCRIPT, mode=0o755),
        make_member("grafana-13.1/docs/README.md", b"text"),
        make_member("grafana-13.1/public/build/app.js", b"code"),
        make_member("grafana-13.1/public/build/app.js.map", b"for debuggers"),
        make_member(f"grafana-13.1/{backend}", SCRIPT, mode=0o755),
        *(make_member(f"grafana-13.1/{file}", b"signed") for file in plugin),
    )
    path = imported(world, replace(grafana.PACKAGE, needs=()), content, tmp_path)
    assert files(path) == sorted(["bin/grafana", "public/build/app.js", backend, *plugin])
    assert os.access(path / backend, os.X_OK)
