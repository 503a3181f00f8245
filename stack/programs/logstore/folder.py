"""Only one store at a time in a folder."""

import contextlib
import fcntl
import os
from pathlib import Path

from stack.errors import HostCannot
from stack.programs.logstore.wal import sync_folder


def hold(folder: Path) -> int:
    """Claim the folder for this process. Raises HostCannot if another has it, or OSError."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if made:
        sync_folder(folder.parent)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(handle, 20).decode().strip() or "unknown"
        os.close(handle)
        raise HostCannot(
            f"log store `{folder}` is open in another process (PID {owner}).",
            cure="Stop that one, or choose another folder for this one.",
        ) from None
    with contextlib.suppress(OSError):  # the owner is only for the message
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle
