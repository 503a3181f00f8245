"""Which processes belong to which container, and what these use, without asking Docker.

For a container that sees the machine's processes (`pid: host`) and has the user of the others, but
neither Docker's socket nor any capability. The kernel says which container a process is in (man 7
cgroups), the environment of its first process which service that is.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import psutil

from stack.programs.cadvisor.census import Seen, Usage, look, total

_ID = re.compile(r"\b([0-9a-f]{64})\b")

_SERVICE = b"SERVICE="
"""Environment variable of each image of the lab's own."""


class Containers:
    """The containers of images of the lab's own that run on this machine."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._names: dict[str, str] = {}
        """Container → service, "" for a stranger's."""
        self._used: dict[str, float] = {}
        """Container → CPU seconds when it was last looked at."""

    def take(self) -> list[Usage]:
        """What each uses now, by service. Raises OSError where /proc cannot be read."""
        inside: dict[str, list[Seen]] = {}
        for seen in look(self._processes()):
            if container := self._container(seen.process.pid):
                inside.setdefault(container, []).append(seen)
        self._names = {one: self._names.get(one) or self._name(of) for one, of in inside.items()}
        self._used = {one: self._used.get(one, 0.0) for one in inside}
        used = [self._usage(one, of) for one, of in inside.items() if self._names[one]]
        return sorted(used, key=lambda usage: usage.name)

    def _usage(self, container: str, inside: list[Seen]) -> Usage:
        cpu_s, memory_bytes = total(inside)
        # A process whose parent did not wait for it takes its seconds with it.
        self._used[container] = max(self._used[container], cpu_s)
        return Usage(
            name=self._names[container],
            started=round(min(seen.process.create_time() for seen in inside), 2),
            cpu_s=self._used[container],
            memory_bytes=memory_bytes,
        )

    def _processes(self) -> Iterator[psutil.Process]:
        for at in self._proc.iterdir():
            if at.name.isdecimal():
                try:
                    yield psutil.Process(int(at.name))
                except psutil.NoSuchProcess:
                    continue

    def _container(self, pid: int) -> str:
        """Its 64 hex digits, in either version of cgroups; "" outside of containers."""
        try:
            found = _ID.search((self._proc / str(pid) / "cgroup").read_text())
        except OSError:
            return ""
        return found[1] if found else ""

    def _name(self, inside: list[Seen]) -> str:
        """The service, as one of its processes was told; "" where none can be asked."""
        for seen in inside:
            try:
                environment = (self._proc / str(seen.process.pid) / "environ").read_bytes()
            except OSError:
                continue
            for entry in environment.split(b"\0"):
                if entry.startswith(_SERVICE):
                    return entry.removeprefix(_SERVICE).decode(errors="replace")
        return ""
