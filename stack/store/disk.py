"""Folders that other users can read, locks between processes, and a disk that says no.

What the operating system refuses becomes a sentence here and nowhere else: `unusable` where it is
known what was being written, `refused` where any OSError may have come up, `said` for the words of
other programs.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stack.errors import HostCannot
from stack.paths import cache_dir, state_dir

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_OF_HOST = frozenset(
    {
        *_NO_ROOM, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE,
        errno.ENOMEM, errno.EAGAIN, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ESTALE,
    }
)  # fmt: skip
"""What says something of the machine, and nothing of the lab."""


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, readable by all whatever the umask: services may run as
    another user. Raises HostCannot if it cannot be made or written to.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        if not os.access(folder, os.W_OK):
            read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
            code = errno.EROFS if read_only else errno.EACCES
            raise OSError(code, os.strerror(code))
    except OSError as error:
        raise unusable(error, folder) from error


def unusable(error: OSError, folder: Path, needed: int = 0) -> HostCannot:
    """What to say about an error in `folder`. `needed` is in bytes, 0 if unknown."""
    code, at, variable = _code(error), _path(error) or folder, _variable(folder)
    if code in _NO_ROOM:
        wants = f"{needed or 'more'} bytes are needed"
        try:
            wants += f", {shutil.disk_usage(folder).free} are free"
        except OSError:
            wants += ", and it is not known how much is free"
        kept = " Nothing was left behind." if variable == "STACK_CACHE" else ""
        quota = "your quota on the" if code == errno.EDQUOT else "the"
        return HostCannot(
            f"{quota} disk of `{folder}` is full: {wants}",
            cure=f"Make room, or choose another disk with {variable}.{kept}",
        )
    if code == errno.EACCES and at.is_file() and at.stat().st_mode & 0o111 and runs_nothing(at):
        return _noexec(folder)
    if variable == "STACK_STATE":
        return HostCannot(
            f"cannot write `{at}`: {os.strerror(code) if code else error}.",
            cure="Set STACK_STATE to a folder that you can write to.",
        )
    return HostCannot(
        f"`{folder}` cannot be used: {os.strerror(code) if code else error}",
        cure=f"Choose a folder that you may write to with {variable}.",
    )


def refused(error: OSError) -> HostCannot | None:
    """What to say about an error wherever it came up; None where it says nothing of the machine."""
    code = _code(error)
    if code not in _OF_HOST:
        return None
    if at := _path(error):
        for folder in (state_dir(), cache_dir(), temporary()):
            if at.is_relative_to(folder):
                return unusable(error, folder)
        return HostCannot(
            f"`{at}` cannot be used: {os.strerror(code)}.",
            cure="Make it usable for your user, or choose another place.",
        )
    if code in _NO_ROOM:
        return unusable(error, min(_writable(), key=lambda folder: shutil.disk_usage(folder).free))
    return HostCannot(
        f"this machine refuses: {os.strerror(code)}.",
        cure="Its limits (`ulimit -a`) or its kernel's log say more.",
    )


def said(words: str, folder: Path) -> HostCannot | None:
    """What to say where another program, which was writing to `folder`, reports such an error."""
    for code in (*_NO_ROOM, errno.EROFS, errno.EIO):
        if os.strerror(code).lower() in words.lower():
            return unusable(OSError(code, os.strerror(code)), folder)
    return None


@contextlib.contextmanager
def host_refuses() -> Iterator[None]:
    """Raise HostCannot for what the machine refuses within the block."""
    try:
        yield
    except OSError as error:
        if trouble := refused(error):
            raise trouble from error
        raise


def temporary() -> Path:
    """Where programs put what they need for a moment: TMPDIR, or /tmp.

    `tempfile` is not asked: where that disk is full it silently takes another, or raises an error
    that does not say so.
    """
    return Path(os.environ.get("TMPDIR") or "/tmp").absolute()


@contextlib.contextmanager
def scratch(prefix: str = "lab-") -> Iterator[Path]:
    """A folder for a moment. Raises HostCannot where it cannot be made or written to."""
    home = temporary()
    try:
        with tempfile.TemporaryDirectory(prefix=prefix, dir=home) as made:
            yield Path(made)
    except OSError as error:
        at = _path(error)
        # A write that fails names no file.
        ours = at.is_relative_to(home) if at else _code(error) in _NO_ROOM
        if ours and (_code(error) in _OF_HOST or not home.is_dir()):
            raise unusable(error, home) from error
        raise


def check_runs(folder: Path) -> None:
    """Raise HostCannot where no program can be started from a folder, which need not exist yet."""
    at = next(path for path in (folder, *folder.parents) if path.exists())
    if runs_nothing(at):
        raise _noexec(folder)


def runs_nothing(at: Path) -> bool:
    return bool(os.statvfs(at).f_flag & os.ST_NOEXEC)


def _noexec(folder: Path) -> HostCannot:
    return HostCannot(
        f"no program can be started from `{folder}`: its disk is mounted `noexec`.",
        cure="Choose another folder with STACK_CACHE, or mount that disk with `exec`.",
    )


def _code(error: OSError) -> int:
    """Its number; shutil.Error has it only in the words for each file."""
    if error.errno:
        return error.errno
    found = re.search(r"\[Errno (\d+)\]", str(error))
    return int(found[1]) if found else 0


def _path(error: OSError) -> Path | None:
    named = error.filename
    return Path(os.fsdecode(named)) if isinstance(named, str | bytes) and named else None


def _variable(folder: Path) -> str:
    """The environment variable that chooses another folder."""
    if folder.is_relative_to(state_dir()):
        return "STACK_STATE"
    return "TMPDIR" if folder == temporary() else "STACK_CACHE"


def _writable() -> list[Path]:
    """Where the lab writes, as far as it is there."""
    folders = (state_dir(), cache_dir(), temporary())
    return [next(path for path in (at, *at.parents) if path.exists()) for at in folders]


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock `file` against other threads and processes; wait for it."""
    with file.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def locked_if_free(file: Path) -> Iterator[bool]:
    """Hold the lock `file` if nobody else does; false means that somebody does."""
    with file.open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def sync(folder: Path) -> None:
    """Write what is dirty on the folder's filesystem to the disk: one call, whatever the number
    of files, where an fsync for each of them would take seconds.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(handle)
