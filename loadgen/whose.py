"""Whose people Locust's users are: which instance they work against when locust is started by hand.

Only its record is read: all that is known of instances besides (`stack.run`) would make each start
of a locust slower.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from loadgen.host import is_loopback_url
from stack import jsontext
from stack.loopback import HOST
from stack.paths import state_dir

DEFAULT = "default"
"""The instance that `doit up` makes."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """An instance that was made; it may run or not."""

    name: str
    folder: Path
    ports: tuple[int, ...]
    """Of its scheduler."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports[0]}"

    @property
    def secret(self) -> Path:
        """The file with the password of all seeded users."""
        return self.folder / "secrets" / "scheduler_password"


def known(instances: Path) -> Iterator[Known]:
    """By name."""
    for record in sorted(instances.glob("*/instance.json")):
        try:
            said = jsontext.read(record.read_text())["ports"]["backend"].values()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # it is being made or wiped right now
        if ports := tuple(port for port in said if isinstance(port, int)):
            yield Known(name=record.parent.name, folder=record.parent, ports=ports)


def at(host: str, instances: Path | None = None) -> Known | None:
    """The instance whose scheduler listens on the port of `host`, a URL; None without one, and for
    another machine, which may have the same port."""
    if not is_loopback_url(host):
        return None
    port = urlsplit(host).port
    every = known(instances or state_dir() / "instances")
    return next((one for one in every if port in one.ports), None)


def usual(instances: Path | None = None) -> Known | None:
    """`default`, else the only one there is; None when there is none, or no telling which."""
    every = {one.name: one for one in known(instances or state_dir() / "instances")}
    return every.get(DEFAULT) or (next(iter(every.values())) if len(every) == 1 else None)
