"""What the machine refuses is a sentence: what, where and what to do; never a bug in the lab."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stack.errors import HostCannot
from stack.progress import Quiet
from stack.store import disk
from stack.store.disk import check_runs, host_refuses, refused, said
from stack.store.packageset import realise


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The folders by the variable that chooses them."""
    folders = {name: tmp_path / name.lower() for name in ("STACK_STATE", "STACK_CACHE")}
    for name, folder in folders.items():
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    return folders


@pytest.mark.parametrize("variable", ["STACK_STATE", "STACK_CACHE"])
@pytest.mark.parametrize(
    "code",
    [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOTDIR],
)
def test_refused_names_the_folder_and_the_cure(
    places: dict[str, Path], variable: str, code: int
) -> None:
    file = places[variable] / "deep" / "file"
    found = refused(OSError(code, os.strerror(code), str(file)))
    assert found
    assert found.exit_code == 3
    assert str(places[variable]) in found.what
    assert variable in found.cure
    full = code in (errno.ENOSPC, errno.EDQUOT)
    assert ("is full" if full else os.strerror(code)) in found.what
    assert ("quota" in found.what) == (code == errno.EDQUOT)


def test_refused_finds_the_full_disk_where_the_error_names_none(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(folder: Path) -> SimpleNamespace:
        return SimpleNamespace(free=5 if folder == places["STACK_STATE"] else 10**9)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    found = refused(OSError(errno.ENOSPC, "No space left on device"))
    assert found
    assert f"the disk of `{places['STACK_STATE']}` is full" in found.what


def test_refused_reads_what_shutil_collects(places: dict[str, Path]) -> None:
    words = "[Errno 28] No space left on device: 'b'"
    found = refused(shutil.Error([("a", "b", words)]))
    assert found
    assert "is full" in found.what


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EEXIST, errno.EINVAL, errno.EBADF])
def test_what_says_nothing_of_the_machine_stays_a_bug(code: int) -> None:
    assert refused(OSError(code, os.strerror(code), "/x")) is None
    with pytest.raises(OSError, match="Errno"), host_refuses():
        raise OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("words", "full"),
    [
        ("initdb: could not write to file: No space left on device", True),
        ("mkdir /data/wal: no space left on device", True),
        ("write: Disk quota exceeded", True),
        ("FATAL: the database system is starting up", False),
    ],
)
def test_said_reads_the_words_of_other_programs(
    places: dict[str, Path], words: str, full: bool
) -> None:
    found = said(words, places["STACK_STATE"])
    assert bool(found) == full
    assert not found or "is full" in found.what


@pytest.fixture
def noexec(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = SimpleNamespace(f_flag=os.ST_NOEXEC)
    monkeypatch.setattr(disk.os, "statvfs", lambda at: flags)


def test_a_cache_that_runs_no_programs_is_named(places: dict[str, Path], noexec: None) -> None:
    folder = places["STACK_CACHE"] / "store"
    with pytest.raises(HostCannot, match=f"started from `{folder}`: its disk is mounted `noexec`"):
        check_runs(folder)
    program = places["STACK_CACHE"] / "initdb"
    program.touch(mode=0o755)
    found = refused(PermissionError(errno.EACCES, "Permission denied", str(program)))
    assert found
    assert "mounted `noexec`" in found.what


def test_realise_says_at_once_that_the_cache_runs_no_programs(
    world: Any, mirror: Any, noexec: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stack.store.packageset.host_system", lambda: "amd64")
    with pytest.raises(HostCannot, match="mounted `noexec`"):
        realise(None, world.package_set, Quiet())
    assert mirror.requests == []


def _write(folder: Path) -> None:
    (folder / "file").write_text("x")


@pytest.mark.parametrize("deed", [_write, lambda folder: disk.make_folder(folder / "a" / "b")])
def test_make_folder_and_files_below_a_file(
    places: dict[str, Path], deed: Callable[[Path], None]
) -> None:
    (places["STACK_STATE"] / "file").touch()
    with pytest.raises(HostCannot, match="Not a directory") as caught, host_refuses():
        deed(places["STACK_STATE"] / "file")
    assert "STACK_STATE" in caught.value.cure


def test_scratch_is_where_tmpdir_says_and_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with disk.scratch() as folder:
        assert folder.parent == tmp_path
    assert not list(tmp_path.iterdir())


def _no_room(folder: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _no_writing(folder: Path) -> None:
    raise OSError(errno.EROFS, "Read-only file system", str(folder / "file"))


@pytest.mark.parametrize(
    ("deed", "says"),
    [(_no_room, "the disk of `{}` is full"), (_no_writing, "`{}` cannot be used: Read-only")],
)
def test_scratch_names_the_disk_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deed: Callable[[Path], None], says: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(HostCannot) as caught, disk.scratch() as folder:
        deed(folder)
    assert says.format(tmp_path) in caught.value.what
    assert "TMPDIR" in caught.value.cure


def test_scratch_does_not_take_the_errors_of_others_for_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk.scratch():
        (tmp_path / "nowhere").read_text()


def test_scratch_needs_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with pytest.raises(HostCannot, match=f"`{tmp_path}/nowhere` cannot be used"), disk.scratch():
        pass
