"""Folders that other users can read, locks between processes, and a disk that says no."""

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from stack.errors import HostCannot, LabError


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


def unusable(error: OSError, folder: Path, needed: int = 0) -> LabError:
    """What to say about an error in `folder`. `needed` is in bytes, 0 if unknown."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        wants = f"{needed} bytes are needed" if needed else "more is needed"
        try:
            wants += f", {shutil.disk_usage(folder).free} are free"
        except OSError:
            wants += ", and it is not known how much is free"
        return HostCannot(
            f"the disk of `{folder}` is full: {wants}",
            cure="Make room, or choose another disk with STACK_CACHE. Nothing was left behind.",
        )
    return HostCannot(
        f"`{folder}` cannot be used: {error.strerror or error}",
        cure="Choose a folder that you may write to with STACK_CACHE.",
    )


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
