"""Making and ending instances: `up`, `down`, and a fresh one for the length of a `with` block."""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from stack.errors import BadInput, HostCannot, LabError
from stack.paths import CONFIG_ROOT, cache_dir
from stack.run import backedup, generations, production, secrets, unfinished, validity
from stack.run.choice import CHOICES
from stack.run.instance import Instance, Record, instances_dir, layout_of
from stack.run.ports import PortsTaken, check_free, free, shifted
from stack.run.profile import Profile
from stack.run.remote import RemoteWrite
from stack.run.service import Layout, Service
from stack.run.services import AFTER, ALL, OPTIONAL, SERVICES
from stack.run.startup import OnReady, start_all
from stack.run.supervisor import Supervisor, processes
from stack.store import guard
from stack.store.disk import host_refuses, make_folder
from stack.store.packageset import realise
from stack.users import check_reachable


def bring_up(
    name: str = "default",
    *,
    speed: float = 1.0,
    port_offset: int = 0,
    free_ports: bool = False,
    config_root: Path = CONFIG_ROOT,
    profile: Profile | None = None,
    remote_write: RemoteWrite | None = None,
    backends: int = 1,
    on_ready: OnReady = lambda service, seconds: None,
) -> Instance:
    """The instance `name`, running, every service ready; of the `profile` that it was of, and
    with the `remote_write` that it had, where none is given.

    A running one with the same hash is left as it is (a service that was stopped is started); one
    with another hash is taken down first and keeps its data. When anything fails, all that was
    started is stopped again. Raises BadInput for configuration that cannot be used and HostCannot
    for what the host lacks.
    """
    directory = directory_of(name)
    with locked(directory), guard.in_use(cache_dir() / "store"):
        current = _current(name)
        before = current.record if current else None
        wanted = Wanted(
            speed=speed, offset=port_offset, free_ports=free_ports, config_root=config_root,
            backends=backends,
            profile=profile or (before.profile if before else Profile()),
            remote_write=remote_write or (before.remote_write if before else RemoteWrite()),
        )  # fmt: skip
        record, files = _plan(name, directory, wanted)
        if free_ports and _are_taken(record.ports):  # somebody was quicker: others are free
            record, files = _plan(name, directory, wanted)
        if current and not (current.hash == record.hash and current.is_running()):
            # Of what it holds itself nothing is taken; without the others it would be lost.
            check_free(record.ports, lambda: {process.pid for process in processes(directory)})
            current.take_down()
        if current and current.hash == record.hash:
            record = replace(record, generation=current.record.generation)
        else:
            _clear_leftovers(directory)
        instance = Instance(record, directory)
        if instance.is_running():
            start_all(instance.layout, instance.supervisor, instance.services, on_ready)
            return generations.keep(instance)
        check_free(record.ports)
        _prepare(instance, files)
        try:
            instance.supervisor.start()
            start_all(instance.layout, instance.supervisor, instance.services, on_ready)
        except BaseException:
            instance.take_down()
            raise
        return generations.keep(instance)


def bring_down(name: str, *, wipe: bool = False) -> bool:
    """Stop the instance `name`, also one whose supervisor or `doit` was killed.

    True when there was something to stop.
    """
    directory = directory_of(name)
    with locked(directory):
        supervisor = Supervisor(directory)
        was = supervisor.running() or bool(processes(directory))
        supervisor.shutdown(AFTER)
        if wipe:
            shutil.rmtree(directory, ignore_errors=True)
            guard.forget(cache_dir(), directory)
        return was


@contextmanager
def running(
    name: str,
    *,
    speed: float,
    config_root: Path = CONFIG_ROOT,
    backends: int = 1,
    keep: bool = False,
    remote_write: RemoteWrite | None = None,
) -> Iterator[Instance]:
    """A fresh instance on free ports, taken down without a trace when the block ends.

    With `keep` it keeps running after the block.
    """
    bring_down(name, wipe=True)
    try:
        up = partial(
            bring_up, name, speed=speed, free_ports=True, config_root=config_root,
            backends=backends, remote_write=remote_write,
        )  # fmt: skip
        try:
            instance = up()
        except HostCannot:
            if not _ports_lost(name):
                raise
            instance = up()
        yield instance
    except BaseException:
        bring_down(name, wipe=True)
        raise
    if not keep:
        bring_down(name, wipe=True)


def _ports_lost(name: str) -> bool:
    """Whether somebody else took a port of the instance, which is down, before it listened."""
    try:
        return _are_taken(Instance.open(name).ports)
    except BadInput:
        return False


def _are_taken(ports: Mapping[str, Mapping[str, int]]) -> bool:
    try:
        check_free(ports)
    except PortsTaken:
        return True
    return False


def directory_of(name: str) -> Path:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise BadInput(
            f"`{name}` is not a valid name for an instance.", cure="Use letters, digits, - and _."
        )
    return instances_dir() / name


def make_instances_dir() -> None:
    """Make the folder of all instances. Raises HostCannot where that, or writing to it, fails."""
    make_folder(instances_dir())


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One command at a time per instance; a second one waits.

    Raises HostCannot for what the machine refuses, within the block as well.
    """
    with host_refuses():
        make_folder(directory.parent)
        with (directory.parent / f".{directory.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _current(name: str) -> Instance | None:
    try:
        return Instance.open(name)
    except BadInput:
        return None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an instance is to be like."""

    speed: float
    offset: int
    free_ports: bool
    config_root: Path
    backends: int
    profile: Profile
    remote_write: RemoteWrite

    @property
    def services(self) -> list[Service]:
        asked = (OPTIONAL[name] for name in self.remote_write.services)
        return [*SERVICES.values(), *asked]


def _plan(name: str, directory: Path, wanted: Wanted) -> tuple[Record, dict[str, str]]:
    """What the instance will be, before anything is touched: its record and rendered files."""
    services = wanted.services
    packages = {package: str(path) for package, path in _realised(services).items()}
    record = Record(
        name=name, speed=wanted.speed, packages=packages, config_root=str(wanted.config_root),
        ports=free(services) if wanted.free_ports else shifted(services, wanted.offset),
        hash="", created=time.time(), profile=wanted.profile, backends=wanted.backends,
        remote_write=wanted.remote_write,
    )  # fmt: skip
    return planned(record, directory)


def planned(record: Record, directory: Path) -> tuple[Record, dict[str, str]]:
    """The record, with its hash, and the rendered files of an instance that is as the record says.

    Raises BadInput, with file and line, for configuration that cannot be used.
    """
    config_root = Path(record.config_root)
    layout = layout_of(record, directory)
    try:
        files = _files(layout, config_root)
    except BadInput as error:
        raise unfinished.told(error, config_root) from None
    return replace(record, hash=_hash(record, directory, files)), files


def _files(layout: Layout, config_root: Path) -> dict[str, str]:
    """The rendered files, with which each service's own program is content. Raises LabError."""
    try:
        files = _render(layout)
    except (LabError, TypeError, ValueError, LookupError, AttributeError) as error:
        validity.check_sources(layout, _services(layout))  # the programs' words name the line
        if isinstance(error, BadInput):
            raise validity.with_line(error) from None
        if isinstance(error, LabError):
            raise
        raise BadInput(
            f"the configuration in `{config_root}` has not the shape that is expected: {error}.",
            cure="`doit check` may say more. Nothing was started or stopped.",
        ) from error
    validity.check(layout, _services(layout), files)
    return files


def _services(layout: Layout) -> dict[str, Service]:
    """Those of an instance."""
    return {name: service for name, service in ALL.items() if name in layout.ports}


def _realised(services: Iterable[Service]) -> dict[str, Path]:
    """The store paths of what an instance runs from, without those of a stand-in that are not
    available here: it does what it can without them. Raises LabError."""
    wanted = [service.package for service in services if service.package]
    wanted += [package for choice in CHOICES for package in choice.needed()]
    spare = {package for choice in CHOICES for package in choice.own_packages} & set(wanted)
    try:
        return realise(wanted)
    except LabError as error:
        if not spare or isinstance(error, BadInput):
            raise
        found = realise([package for package in wanted if package not in spare])
        for choice in CHOICES:
            if spare & set(choice.own_packages):
                choice.warn_incomplete(error)
        return found


def _render(layout: Layout) -> dict[str, str]:
    return {
        f"{service.name}/{path}": text
        for service in _services(layout).values()
        for path, text in service.config(layout).items()
    }


def _hash(record: Record, directory: Path, files: Mapping[str, str]) -> str:
    """Digest (12 hex digits) that does not depend on where the instance or the store lies."""
    packages = {name: Path(path).name for name, path in record.packages.items()}
    anywhere = {path: text.replace(str(directory), "/instance") for path, text in files.items()}
    inputs = [packages, record.ports, record.speed, record.backends, anywhere]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]


def _clear_leftovers(directory: Path) -> None:
    """End what a killed supervisor or `doit` left running."""
    if directory.exists():
        Supervisor(directory).sweep(AFTER)


def _make_folders(directory: Path) -> None:
    """Closed to other users of the machine, whatever the umask. Root's can be passed through, not
    listed: its PostgreSQL runs as another user, who has to get to its own data."""
    passed = 0o711 if os.geteuid() == 0 else 0o700
    for folder, mode in ("data", passed), ("logs", 0o700), ("control", 0o700), (".", passed):
        make_folder(directory / folder)
        (directory / folder).chmod(mode)


def _prepare(instance: Instance, files: Mapping[str, str]) -> None:
    """Write the instance's folder: record, configuration, secrets, supervisor's settings."""
    directory = instance.directory
    _make_folders(directory)
    check_reachable(directory)
    if instance.layout.profile.is_production:
        production.check(instance.layout)
    shutil.rmtree(instance.config_dir, ignore_errors=True)
    for path, text in files.items():
        rendered = instance.config_dir / path
        rendered.parent.mkdir(parents=True, exist_ok=True)
        rendered.write_text(text)
        rendered.chmod(0o644)
        rendered.parent.chmod(0o755)
    instance.config_dir.chmod(0o755)
    secrets.generate(instance.layout)
    backedup.begin(instance.layout)
    for service in instance.services.values():
        if not service.init:
            own = instance.layout.data(service.name)
            own.mkdir(exist_ok=True)
            own.chmod(0o700)
    for stale in (directory / "control").iterdir():
        stale.unlink()
    instance.supervisor.write_settings(instance.layout, instance.services)
    guard.register(cache_dir(), directory)
    instance.record.write(directory)
