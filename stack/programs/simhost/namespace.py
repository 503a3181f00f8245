"""A private mount namespace with the simulated host's two disks, made by system calls.

Python 3.11 has no `os.unshare`, and `unshare` differs between util-linux and busybox, so this calls
the C library. The mounts live exactly as long as the processes in the namespace.
"""

import ctypes
import errno
import os
import sys
from pathlib import Path

from stack.errors import HostCannot
from stack.programs.simhost.tree import replace_text

# linux/sched.h, linux/mount.h
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x8, 0x4000, 0x40000

ROOT_DISK_BYTES = 16 * 1024**2
FILL_FILE = "fill"
"""Grown and shrunk by `disk.py`. Created here, because a user unknown in the namespace, such as
root from outside, may write to a file in it but not create one."""
_USED_AT_FIRST = 0.3  # share of each disk; an idle lab pays for it in memory

_MOUNTS = {"/": "/dev/vda1", "/data": "/dev/vdb1"}


def make_disks(root: Path, data_bytes: int) -> None:
    """Enter a namespace of its own and mount the disks `root`/root and `root`/root/data in it.

    Leaves this process in that namespace. After HostCannot the process can no longer run a
    program: try it in a child first.
    """
    _unshare()
    _mount("tmpfs", root / "root", size_bytes=ROOT_DISK_BYTES)
    (root / "root/data").mkdir()
    _mount("tmpfs", root / "root/data", size_bytes=data_bytes)
    for disk in (root / "root", root / "root/data"):
        size = os.statvfs(disk)
        with (disk / "used").open("wb") as used:
            os.posix_fallocate(
                used.fileno(), 0, int(size.f_blocks * size.f_frsize * _USED_AT_FIRST)
            )
        (disk / FILL_FILE).touch()


def write_mounts(root: Path, *, disks: bool) -> None:
    """Tell node_exporter about the disks, or that there are none.

    The process that mounts writes the list, so that it never names a disk that does not exist.
    node_exporter takes them for ext4, and asks the mounted tmpfs for its real size.
    """
    mounted = _MOUNTS if disks else {}
    info = "".join(
        f"{20 + n} 1 253:{16 * n + 1} / {point} rw,relatime - ext4 {device} rw\n"
        for n, (point, device) in enumerate(mounted.items())
    )
    mounts = "".join(f"{dev} {point} ext4 rw,relatime 0 0\n" for point, dev in mounted.items())
    for process in ("1", "self"):
        replace_text(root / "proc" / process / "mountinfo", info)
        replace_text(root / "proc" / process / "mounts", mounts)


def _unshare() -> None:
    """A mount namespace alone where allowed (root), else with a user namespace around it."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        _call("unshare", _CLONE_NEWNS)
    except PermissionError:
        try:
            _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNS)
            # The user keeps their identity: no fake root, and exec drops the capabilities.
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        except OSError as error:
            # The kernel says "no space left" when the sysctl is exhausted.
            spent = error.errno == errno.ENOSPC
            why = "the limit user.max_user_namespaces is reached" if spent else error.strerror
            raise HostCannot(f"no user namespace for uid {uid}: {why}") from error
    except OSError as error:
        raise HostCannot(f"no mount namespace: {error.strerror}") from error
    try:
        _call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    except OSError as error:
        # EINVAL: in a chroot whose root is not a mount. Mounts would then be visible to everyone.
        raise HostCannot(f"mounts cannot be made private: {error.strerror}") from error


def _mount(kind: str, target: Path, *, size_bytes: int) -> None:
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    # The kernel's own number of inodes depends on the real machine's memory.
    data = f"size={size_bytes},nr_inodes={size_bytes // 16384},mode=0755".encode()
    try:
        _call("mount", kind.encode(), bytes(target), kind.encode(), flags, data)
    except OSError as error:
        raise HostCannot(f"{kind} cannot be mounted at `{target}`: {error.strerror}") from error


def _call(name: str, *arguments: object) -> None:
    """Call a function of the C library that returns 0 or sets errno. Raises OSError."""
    if not sys.platform.startswith("linux"):
        raise OSError(errno.ENOSYS, f"{sys.platform} has no mount namespaces")
    library = ctypes.CDLL(None, use_errno=True)
    converted = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(library, name)(*converted) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
