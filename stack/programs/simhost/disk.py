"""Fill and clear the simulated host's /data from outside, through `/proc/PID/root`.

`pid` is the process that `stack.programs.simhost.enter` became, `root` the simulated host's folder.
What is opened is compared with the kernel's list of that process's mounts before a byte is written,
so that no disk of the real machine can be filled by mistake.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.programs.simhost.namespace import FILL_FILE


def fill(pid: int, root: Path, *, free_percent: float) -> None:
    """Write or release blocks until `free_percent` of /data is available.

    Never leaves more free than asked, and at most one block less. Raises BadInput if that much was
    not free to begin with, otherwise as `usage`.
    """
    with _fill_file(pid, root) as file:
        disk = os.fstatvfs(file)
        free_at_most = disk.f_bavail + os.fstat(file).st_blocks * 512 // disk.f_frsize
        most_percent = 100 * free_at_most / disk.f_blocks
        if not 0 <= free_percent <= most_percent:
            raise BadInput(f"/data: {free_percent:g} % free, expected 0 to {most_percent:.1f} %")
        blocks = free_at_most - int(disk.f_blocks * free_percent / 100)
        os.ftruncate(file, blocks * disk.f_frsize)
        if blocks:
            os.posix_fallocate(file, 0, blocks * disk.f_frsize)


def clear(pid: int, root: Path) -> None:
    """Release everything that `fill` wrote. Raises as `usage`."""
    with _fill_file(pid, root) as file:
        os.ftruncate(file, 0)


def usage(pid: int, root: Path) -> tuple[int, int]:
    """Size and available bytes of /data.

    Raises CheckFailed if the process is gone, HostCannot if it has no such disk or may not be
    inspected.
    """
    with _fill_file(pid, root) as file:
        disk = os.fstatvfs(file)
        return disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize


@contextmanager
def _fill_file(pid: int, root: Path) -> Iterator[int]:
    """A descriptor of /data's fill file, known to lie on the simulated disk."""
    # The kernel's list of mounts has symbolic links resolved.
    point = root.resolve() / "root/data"
    device = _device_mounted_at(pid, point)
    inside = Path(f"/proc/{pid}/root{point}") / FILL_FILE
    try:
        file = os.open(inside, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise HostCannot(f"`{inside}` cannot be opened: {error.strerror}") from error
    try:
        if os.fstat(file).st_dev != device:
            raise HostCannot(f"`{inside}` is not on the simulated disk")
        yield file
    finally:
        os.close(file)


def _device_mounted_at(pid: int, point: Path) -> int:
    """Device number of the tmpfs that process `pid` has at `point`."""
    try:
        lines = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise CheckFailed(
            f"process {pid} of the simulated host is gone", cure="start node-exporter again"
        ) from error
    except OSError as error:
        raise HostCannot(f"mounts of process {pid}: {error.strerror}") from error
    # proc(5): id, parent, major:minor, root, mount point, options, …, -, type, source, options.
    # The kernel writes spaces in names as octal.
    escaped = str(point).replace("\\", "\\134").replace(" ", "\\040")
    for fields in map(str.split, reversed(lines)):
        if fields[4] == escaped and fields[fields.index("-") + 1] == "tmpfs":
            major, minor = fields[2].split(":")
            return os.makedev(int(major), int(minor))
    raise HostCannot(
        f"process {pid} has no disk of its own at `{point}`",
        cure="`python -m stack.programs.simhost.enter --check` says why",
    )
