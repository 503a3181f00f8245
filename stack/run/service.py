"""What a service module declares, and the layout of the instance that it declares it for.

A service module (`stack/run/services/`) is a pure description: functions from a `Layout` to texts
and argument lists. Starting, waiting and stopping is `stack.run.instance`'s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.loopback import HOST
from stack.run.profile import Profile
from stack.run.remote import RemoteWrite


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where one instance lives and what it is made of; all that services may depend on."""

    name: str
    directory: Path
    config_root: Path
    """Folder with `prometheus/`, `alertmanager/` … that people edit; the checkout's `stack/`."""
    speed: float
    """How many times faster than written the instance lives; 1 is faithful."""
    ports: Mapping[str, Mapping[str, int]]
    """Service name → port name → port on 127.0.0.1."""
    addresses: Mapping[str, str]
    """`name:default port`, as the checked-in files say it → `127.0.0.1:port`."""
    packages: Mapping[str, Path]
    """Package name → store path."""
    profile: Profile = field(default_factory=Profile)
    remote_write: RemoteWrite = field(default_factory=RemoteWrite)
    backends: int = 1
    """Processes of the scheduler, which share its port."""
    guarded: bool = True
    """Whether nginx stands before the services that say so; alone, they listen for themselves."""

    def port(self, service: str, name: str = "") -> int:
        """The port called `name`, or the only one."""
        ports = self.ports[service]
        return ports[name] if name else next(iter(ports.values()))

    def url(self, service: str, name: str = "") -> str:
        """Base URL without a trailing slash."""
        return f"http://{HOST}:{self.port(service, name)}"

    def program(self, package: str, program: str) -> str:
        return str(self.packages[package] / "bin" / program)

    def config(self, service: str) -> Path:
        return self.directory / "config" / service

    def data(self, service: str) -> Path:
        return self.directory / "data" / service

    def secret(self, name: str) -> Path:
        """File that holds a password or key generated for this instance alone."""
        return self.directory / "secrets" / name

    def control(self, service: str) -> Path:
        """JSON file through which faults reach a service that offers one."""
        return self.directory / "control" / f"{service}.json"

    def log(self, service: str) -> Path:
        return self.directory / "logs" / f"{service}.log"


OWN_MEMORY_BYTES = 300_000_000
"""What one of the lab's own programs is given; the largest uses a fifth of it."""

Probe = Callable[[Layout], str | None]
"""Asks a service in its own protocol; None when ready, else what it is waiting for."""


Check = Callable[[Layout, Path | None], None]
"""Raises BadInput, with file and line, for configuration with which the program would not run: for
the files that people edit and, in the folder if one is given, for what became of them."""


def _nothing(layout: Layout) -> dict[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Service:
    """One long-running process of the stack."""

    name: str
    about: str
    """A few words for `doit status`."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Port name → default port, as the checked-in files and Compose address it."""
    package: str | None = None
    """Package in the store that it runs from; None for the lab's own Python programs."""
    command: Callable[[Layout], list[str]]
    ready: Probe
    config: Callable[[Layout], dict[str, str]] = _nothing
    """Relative path → text, written to `layout.config(name)`; pure."""
    check: Check | None = None
    """Asked before anything is started or stopped for that configuration."""
    environment: Callable[[Layout], dict[str, str]] = _nothing
    """May read secrets, so it is asked only when the instance exists."""
    init: Callable[[Layout], None] | None = None
    """Run once before the first start, when `layout.data(name)` does not exist; makes it."""
    renew: Callable[[Layout], None] | None = None
    """Asked before each start with data that are there: they may be older than what `init` makes
    today."""
    after: tuple[str, ...] = ()
    """Services that must be ready before this one is started."""
    guarded: bool = False
    """It answers anybody, so it listens where `stack.run.guard` says, and nginx in its place."""
    unprivileged: bool = False
    """Refuses to run as root; then it runs under the unprivileged user."""
    stop_signal: str = "TERM"
    steady_after_s: int = 1
    """Whole seconds after which it counts as started: one that ends later is started again at
    once, one that ends sooner waits, each time a second longer. 0: always at once."""
    processes: Callable[[Layout], int] = lambda layout: 1
    """How many share its work; limits are those of each."""
    cpu_limit: float | None = None
    """Cores that it is given. Declared, as under Compose, and exported; nothing enforces it: what
    an ordinary user can set (nice, RLIMIT_CPU) is not a share of a core."""
    memory_limit_bytes: int | None = None
    """Memory that it is given. Declared, as under Compose, and exported; the lab's own programs
    keep to it (`stack.programs.memory`)."""
    reload: Callable[[Layout], str | None] | None = None
    """Takes over its configuration while it runs, and gives what it complains of; without, it is
    restarted."""
    health: tuple[str, ...] = ()
    """Paths at which it says over HTTP whether it is well: what a probe may ask for."""
    page: str = ""
    """Path of a page worth opening in a browser."""
