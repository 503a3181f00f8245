"""Runs a command in an empty root file system: `python empty_root.py ORDER`, ORDER as `Order` says.

For a process of its own: it leaves its namespaces and becomes the command. The root is a tmpfs in
a mount namespace, which the kernel takes away with the last process in it.
"""

import ctypes
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

_NEW_NAMESPACE, _NEW_USER, _NEW_NETWORK = 0x20000, 0x10000000, 0x40000000  # unshare(2)
BIND, _RECURSIVE, _PRIVATE, READ_ONLY, REMOUNT = 4096, 16384, 1 << 18, 1, 32  # mount(2)
_DEVICES = ("null", "zero", "urandom")

_LIBC = ctypes.CDLL(None, use_errno=True)


def asked(program: str) -> str:
    """The option with which a program says its version, or, where Debian built it without one,
    what it is."""
    return {"nginx": "-v", "victoria-metrics": "-help"}.get(program, "--version")


def told(program: str, version: str) -> str:
    """What it says then, of this version."""
    return program if program == "victoria-metrics" else version


@dataclass(frozen=True, kw_only=True)
class Order:
    """`root`: an empty folder; `closure`: store paths, which appear under `/store` by their names;
    `files`: path -> text; `links`: path -> target; `uid`: who runs the command, when root may
    choose. Without root, the user stays the user."""

    root: str
    closure: tuple[str, ...]
    files: dict[str, str]
    links: dict[str, str]
    uid: int
    command: tuple[str, ...]

    def argv(self) -> list[str]:
        return [sys.executable, __file__, json.dumps(asdict(self))]


def _done(code: int, what: str) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    words = [word.encode() or None for word in (source, str(target), kind)]
    _done(_LIBC.mount(*words, flags, data.encode() or None), f"mount {source} {target}")


def leave() -> None:
    uid, gid = os.geteuid(), os.getegid()
    flags = _NEW_NAMESPACE | _NEW_NETWORK | (_NEW_USER if uid else 0)
    _done(_LIBC.unshare(flags), "unshare")
    if uid:
        # Mapped to itself, not to root: PostgreSQL would refuse that.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    mount("none", Path("/"), flags=_RECURSIVE | _PRIVATE)


def _furnish(order: Order) -> None:
    root = Path(order.root)
    mount("none", root, "tmpfs", data="mode=755")
    for store_path in order.closure:
        at = root / "store" / Path(store_path).name
        at.mkdir(parents=True)
        mount(store_path, at, flags=BIND)
        if os.geteuid() == 0:
            mount("none", at, flags=BIND | REMOUNT | READ_ONLY)
    for name in ("proc", "dev", "tmp"):
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    mount("/proc", root / "proc", flags=BIND | _RECURSIVE)
    for device in _DEVICES:
        (root / "dev" / device).touch()
        mount(f"/dev/{device}", root / "dev" / device, flags=BIND)
    (root / "dev" / "shm").mkdir()
    (root / "dev" / "shm").chmod(0o1777)
    for path, text in order.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for path, target in order.links.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)


def main() -> None:
    order = Order(**json.loads(sys.argv[1]))
    leave()
    _furnish(order)
    os.chroot(order.root)
    os.chdir("/tmp")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(order.uid)
        os.setuid(order.uid)
    os.execve(order.command[0], order.command, {})


if __name__ == "__main__":
    main()
