"""One running stack: its folder, its ports, its speed, its processes.

`Instance.open` attaches to one; `stack.run.lifecycle` makes and ends them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path

from stack import jsontext
from stack.errors import BadInput
from stack.loopback import HOST
from stack.names import choose, meant
from stack.paths import state_dir
from stack.run import naming
from stack.run.ports import Ports
from stack.run.profile import Profile
from stack.run.remote import RemoteWrite
from stack.run.service import Layout, Service
from stack.run.services import AFTER, ALL
from stack.run.startup import start_all
from stack.run.supervisor import Supervisor

FILE = "instance.json"
"""Name of the file, in an instance's folder, that says what it is."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What `instance.json` keeps, so that another command finds the instance again."""

    name: str
    speed: float
    ports: Ports
    packages: dict[str, str]
    config_root: str
    hash: str
    created: float
    """Unix seconds."""
    profile: Profile = field(default_factory=Profile)
    remote_write: RemoteWrite = field(default_factory=RemoteWrite)
    backends: int = 1
    """Processes of the scheduler."""
    generation: int = 0
    """Number of the generation that it runs; 0 until it came up for the first time."""

    @classmethod
    def read(cls, directory: Path) -> "Record":
        """Raises OSError or ValueError where there is none that can be read."""
        found = jsontext.made(cls, jsontext.read((directory / FILE).read_text()))
        for service, ports in found.ports.items():
            for name, port in ports.items():
                if not 0 < port < 65536:
                    raise ValueError(f"`ports.{service}.{name}` is {port}")
        if not 0 < found.speed < inf or not 0 <= found.created < inf or found.backends < 1:
            raise ValueError("`speed`, `created` or `backends` is not a number above 0")
        return found

    def write(self, directory: Path) -> None:
        partial = directory / f"{FILE}.part"
        partial.write_text(json.dumps(asdict(self), indent=1))
        partial.replace(directory / FILE)


class Instance:
    """An instance that was made; its processes may run or not."""

    def __init__(self, record: Record, directory: Path) -> None:
        self.record = record
        self.layout = layout_of(record, directory)
        self.supervisor = Supervisor(directory)

    @classmethod
    def open(cls, name: str) -> "Instance":
        """The instance called `name`. Raises BadInput when there is none, naming the others."""
        try:
            return cls.at(instances_dir() / name)
        except FileNotFoundError:
            known = ", ".join(f"`{other}`" for other in names()) or "none"
            raise BadInput(
                f"there is no instance `{name}` (there is: {known}).",
                cure=meant(name, names()) or f"`{naming.up(name)}` starts one.",
            ) from None

    @classmethod
    def at(cls, directory: Path) -> "Instance":
        """The instance in `directory`. Raises FileNotFoundError, BadInput for a broken record."""
        try:
            return cls(Record.read(directory), directory)
        except ValueError as error:
            raise BadInput(
                f"`{directory / FILE}` cannot be read: {error}.",
                cure=f"Stop it with `doit down{naming.option(directory.name)}`,"
                f" then `{naming.up(directory.name)}`.",
            ) from None

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def directory(self) -> Path:
        return self.layout.directory

    @property
    def speed(self) -> float:
        return self.record.speed

    @property
    def up(self) -> str:
        """The command that brings it up as it is, or was."""
        return naming.up(self.name, self.speed, self.record.ports, self.record.backends)

    @property
    def ports(self) -> Mapping[str, Mapping[str, int]]:
        return self.layout.ports

    @property
    def hash(self) -> str:
        """Digest of packages, configuration, ports and speed: the same inputs, the same hash."""
        return self.record.hash

    @property
    def services(self) -> dict[str, Service]:
        """Name → service, of those that it has."""
        return {name: service for name, service in ALL.items() if name in self.ports}

    @property
    def config_dir(self) -> Path:
        """Folder of the rendered configuration, one folder per service."""
        return self.directory / "config"

    @property
    def logs_dir(self) -> Path:
        return self.directory / "logs"

    def port(self, service: str, name: str = "") -> int:
        return self.layout.port(service, name)

    def url(self, service: str) -> str:
        return self.layout.url(service, "http")

    def control_file(self, service: str) -> Path:
        return self.layout.control(service)

    def pid(self, service: str) -> int:
        """PID of a running service; 0 when it does not run."""
        state = self.supervisor.states().get(known_service(service))
        return state.pid if state else 0

    def service_running(self, service: str) -> bool:
        return self.pid(service) != 0

    def stop_service(self, service: str) -> None:
        """Stop a service and hold it down; returns when it is gone."""
        self.supervisor.stop_process(known_service(service))

    def start_service(self, service: str) -> None:
        """Start a service and return when it is ready. Raises HostCannot when it is not in time."""
        start_all(self.layout, self.supervisor, {service: ALL[known_service(service)]})

    def restart_service(self, service: str) -> None:
        self.stop_service(service)
        self.supervisor.find_moved(service)
        self.start_service(service)

    def is_running(self) -> bool:
        return self.supervisor.running()

    def take_down(self) -> None:
        """Stop everything; the data stay."""
        self.supervisor.shutdown(AFTER)


def instances_dir() -> Path:
    return state_dir() / "instances"


def names() -> list[str]:
    """Names of the instances that exist, running or not."""
    return sorted(path.parent.name for path in instances_dir().glob(f"*/{FILE}"))


def existing(name: str) -> Instance | None:
    """The instance called `name`; None for `default` when nobody has started it yet.

    Raises BadInput for any other name that none has: it was mistyped.
    """
    return None if name == "default" and name not in names() else Instance.open(name)


def known_service(name: str) -> str:
    """`name` if the stack has that service. Raises BadInput that suggests the nearest names."""
    if name not in ALL:
        choose([name], ALL, what="service")
    return name


def layout_of(record: Record, directory: Path) -> Layout:
    """The layout of an instance in `directory`."""
    return Layout(
        name=record.name,
        directory=directory,
        config_root=Path(record.config_root),
        speed=record.speed,
        ports=record.ports,
        addresses={
            f"{service.name}:{default}": f"{HOST}:{record.ports[service.name][name]}"
            for service in ALL.values()
            # One made before a service was added, or a port of it, does not have it.
            for name, default in service.ports.items()
            if name in record.ports.get(service.name, {})
        },
        packages={name: Path(path) for name, path in record.packages.items()},
        profile=record.profile,
        remote_write=record.remote_write,
        backends=record.backends,
    )
