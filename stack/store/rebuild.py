"""Builds derivations under conditions that must not matter: a process that `reproduce` starts.

`python -m stack.store.rebuild`, a pickled `Order` on stdin. It puts the outputs into a folder, and
their manifests beside it; it knows nothing of the store, so that it trusts nothing that is there.
"""

import ctypes
import datetime
import json
import os
import pickle
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.store import builder, tree
from stack.store.artifact import Artifact
from stack.store.derivation import Derivation

Builder = Callable[[Derivation, Callable[[Artifact], bytes], Path], None]

CANNOT = 3
"""Exit code when the conditions are not possible here; stderr says why."""

_NEW_UTS, _NEW_USER = 0x4000000, 0x10000000  # unshare(2)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What one rebuild lives under, as far as it can bring it about itself."""

    umask: int = 0o022
    host_name: str = ""
    """Other than the machine's, in a namespace; empty to keep that."""
    mapped_to: int | None = None
    """The user id to have, in a user namespace; outside of it that stays as it is."""
    backwards: bool = False
    """Start with the last derivation."""
    workers: int = 1
    """Derivations built at the same time."""
    shuffled: bool = False
    """Folders list their entries in random order."""
    clock_s: float = 0.0
    """Added to what Python says the time is."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to build, from which folder of artifacts, into which folder, and under what. Paths are
    bytes, since the two processes may differ in how they read them."""

    derivations: tuple[Derivation, ...]
    artifacts: bytes
    place: bytes
    conditions: Conditions
    build: Builder = builder.build


def manifests_file(place: Path) -> Path:
    """JSON: store name -> the lines of its manifest."""
    return place / ".manifests.json"


def main() -> None:
    order: Order = pickle.load(sys.stdin.buffer)
    place, artifacts = (Path(os.fsdecode(path)) for path in (order.place, order.artifacts))
    try:
        _live_under(order.conditions)
        place.mkdir(parents=True)
        for artifact in {a.sha256 for each in order.derivations for a in each.artifacts}:
            (artifacts / artifact).open("rb").close()
    except OSError as error:
        print(error, file=sys.stderr)
        raise SystemExit(CANNOT) from error

    def one(derivation: Derivation) -> tuple[str, list[str]]:
        into = place / derivation.store_name
        into.mkdir()
        order.build(derivation, lambda a: (artifacts / a.sha256).read_bytes(), into)
        tree.seal(into, [place / need.store_name for need in derivation.needs])
        return derivation.store_name, list(tree.manifest(into).lines)

    step = -1 if order.conditions.backwards else 1
    with ThreadPoolExecutor(order.conditions.workers) as workers:
        made = dict(workers.map(one, order.derivations[::step]))
    manifests_file(place).write_text(json.dumps(made))


def _live_under(conditions: Conditions) -> None:
    """Raises OSError for what the kernel does not allow."""
    os.umask(conditions.umask)
    _enter_namespaces(conditions)
    if conditions.shuffled:
        _shuffle_listings()
    if conditions.clock_s:
        _turn_clock(conditions.clock_s)


def _enter_namespaces(conditions: Conditions) -> None:
    uid, gid = os.geteuid(), os.getegid()
    # Only root may take another host name without a user namespace.
    own_user = conditions.mapped_to is not None or (conditions.host_name and uid != 0)
    flags = (_NEW_UTS if conditions.host_name else 0) | (_NEW_USER if own_user else 0)
    if not flags:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"cannot get a namespace of its own: {os.strerror(code)}")
    if own_user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{conditions.mapped_to or 0} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{conditions.mapped_to or 0} {gid} 1")
    if conditions.host_name:
        socket.sethostname(conditions.host_name)


class _Entries:
    """What `os.scandir` gives, in another order."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> "_Entries":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None: ...


def _shuffle_listings() -> None:
    scandir, listdir = os.scandir, os.listdir

    def shuffled_scandir(path: Any = ".") -> _Entries:
        with scandir(path) as entries:
            found = list(entries)
        random.shuffle(found)
        return _Entries(found)

    def shuffled_listdir(path: Any = ".") -> list[Any]:
        found = listdir(path)
        random.shuffle(found)
        return found

    vars(os).update(scandir=shuffled_scandir, listdir=shuffled_listdir)


def _turn_clock(offset_s: float) -> None:
    """Python's own clock alone: the kernel's has no namespace, so files are stamped as ever."""
    real = time.time

    class Datetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Datetime":
            return cls.fromtimestamp(time.time(), tz)

    vars(time).update(
        time=lambda: real() + offset_s,
        time_ns=lambda: int((real() + offset_s) * 1e9),
    )
    vars(datetime).update(datetime=Datetime)


if __name__ == "__main__":
    main()
