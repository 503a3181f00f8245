"""Which processes belong to which service, and what they use.

Supervisord's direct children are the services; everything else is below them. It is asked for their
names only when one came or went, so that a scrape costs it nothing.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import psutil

from stack.programs.cadvisor.descendants import Descendants


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one running service uses."""

    name: str
    started: float
    """Unix seconds at which its process was started."""
    cpu_s: float
    """CPU seconds since then, including those of children that ended; never falls."""
    memory_bytes: int


@dataclass(kw_only=True)
class _Life:
    """One run of a service, from its start to its end."""

    name: str
    started: float
    cpu_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One process."""

    process: psutil.Process
    parent: int
    cpu_s: float
    """Its own, and that of children that it waited for."""
    own_bytes: int
    shared_bytes: int


_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Census:
    """The services of one instance.

    `pids` asks supervisord for the PID of each service by name (0 when it does not run),
    `supervisor_pid` finds supervisord itself.
    """

    def __init__(
        self, pids: Callable[[], Mapping[str, int]], supervisor_pid: Callable[[], int]
    ) -> None:
        self._pids = pids
        self._descendants = Descendants(supervisor_pid)
        self._lives: dict[psutil.Process, _Life] = {}
        self._known: set[psutil.Process] = set()
        """Children when supervisord was last asked, services or not."""

    def take(self) -> list[Usage]:
        """What each running service uses now, by name.

        Raises psutil.NoSuchProcess when supervisord does not run.
        """
        supervisor, processes = self._descendants.of()
        below: dict[int, list[Seen]] = {}
        for seen in look(processes):
            below.setdefault(seen.parent, []).append(seen)
        services = below.get(supervisor, [])
        self._name([seen.process for seen in services])
        used = [
            _usage(life, seen, below)
            for seen in services
            if (life := self._lives.get(seen.process))
        ]
        return sorted(used, key=lambda usage: usage.name)

    def _name(self, services: list[psutil.Process]) -> None:
        """Forget those that are gone, and learn the names of those that are new."""
        if self._known == set(services):
            return
        self._lives = {one: self._lives[one] for one in services if one in self._lives}
        new = {one.pid: one for one in services if one not in self._lives}
        # Also asked when one is gone: the question wakes supervisord, which would otherwise take
        # up to a second to notice that there is something to restart.
        for name, pid in self._pids().items():
            if process := new.get(pid):
                started = round(process.create_time(), 2)
                self._lives[process] = _Life(name=name, started=started)
        self._known = set(services)


def look(processes: Iterable[psutil.Process]) -> Iterator[Seen]:
    """What each uses, in the given order (parents before children); skips those that have ended.

    The kernel adds the CPU time of a child that ended, and of its children, to the process that
    waited for it (man 2 times, `tms_cutime`), so that nothing is lost, not even for children that
    lived only between two looks. Since a parent is read first, a child that ends in between is
    missed once and never counted twice.
    """
    for process in processes:
        try:
            # man 5 proc. psutil would read the first of the two three times.
            stat = _read(f"/proc/{process.pid}/stat").rpartition(b")")[2].split()
            resident, shared = _read(f"/proc/{process.pid}/statm").split()[1:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if stat[0] == b"Z":
            continue
        yield Seen(
            process=process,
            parent=int(stat[1]),
            cpu_s=sum(map(int, stat[11:15])) / _TICKS_PER_S,
            own_bytes=(int(resident) - int(shared)) * _PAGE_BYTES,
            shared_bytes=int(shared) * _PAGE_BYTES,
        )


def _read(path: str) -> bytes:
    """A short file in /proc; a file object would take longer than the kernel does."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 4096)
    finally:
        os.close(file)


def _usage(life: _Life, main: Seen, below: Mapping[int, list[Seen]]) -> Usage:
    family = [main]
    for seen in family:  # grows in the loop
        family += below.get(seen.process.pid, ())
    cpu_s, memory_bytes = total(family)
    life.cpu_s = max(life.cpu_s, cpu_s)
    return Usage(name=life.name, started=life.started, cpu_s=life.cpu_s, memory_bytes=memory_bytes)


def total(family: Sequence[Seen]) -> tuple[float, int]:
    """CPU seconds and bytes of memory of processes that belong together."""
    # Pages that processes share (code, PostgreSQL's buffers) count once, as in a cgroup.
    memory_bytes = sum(one.own_bytes for one in family) + max(one.shared_bytes for one in family)
    return sum(one.cpu_s for one in family), memory_bytes
