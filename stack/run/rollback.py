"""Bringing an instance back to one of its generations; data and logs stay as they are.

Only services whose command, environment or configuration differs are restarted. While files are
exchanged the instance's record carries a hash that nothing has: a `doit` killed there leaves an
instance that the next `up` or `rollback` takes for another one and starts from scratch.
"""

import shutil
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from stack.errors import HostCannot, LabError
from stack.run.generations import CONFIG, Generation, chosen, copy, previous
from stack.run.instance import Instance
from stack.run.lifecycle import directory_of, locked
from stack.run.moved import renamed
from stack.run.ports import check_free
from stack.run.services import AFTER, ALL
from stack.run.startup import OnReady, start_all
from stack.run.supervisor import Supervisor, last, programs

_UNFINISHED = "unfinished"
_BEFORE = ".before"


def roll_back(
    name: str, number: int | None, on_ready: OnReady = lambda service, seconds: None
) -> tuple[Instance, frozenset[str]]:
    """The instance as it was in generation `number` (the previous one unless given), running and
    ready; and the services that were stopped or started for it.

    When that fails, what ran before runs again, and the error says so: LabError of the kind that
    the failure was. Raises BadInput when there is no such generation, HostCannot when one of its
    packages is not in the store.
    """
    directory = directory_of(name)
    with locked(directory):
        instance = Instance.open(name)
        target = previous(instance) if number is None else chosen(instance, number)
        _check(target)
        changed = frozenset(_changed(directory, target.directory))
        with _kept(instance) as before:
            if not instance.is_running() or instance.hash == _UNFINISHED:
                return _start_fresh(instance, before, target, on_ready), frozenset(
                    target.record.ports
                )
            _check_ports(instance, target)
            try:
                return _switch(instance, target, changed, on_ready), changed
            except BaseException as error:
                _return(instance, before, changed, error, target.number)
                raise


def _check(target: Generation) -> None:
    for name, path in target.record.packages.items():
        if not Path(path).is_dir():
            raise HostCannot(
                f"generation {target.number} runs {name} from `{path}`, which does not exist.",
                cure="Check out the commit that it was made from and run `doit build`. Nothing was "
                "changed.",
            )


def _check_ports(instance: Instance, target: Generation) -> None:
    mine = {port for named in instance.ports.values() for port in named.values()}
    check_free(
        {
            service: {name: port for name, port in named.items() if port not in mine}
            for service, named in target.record.ports.items()
        }
    )


def _changed(directory: Path, target: Path) -> Iterator[str]:
    """Services of either folder that are not the same in both."""
    old = programs(directory)
    new = {name: renamed(program) for name, program in programs(target).items()}
    for name in sorted({*old, *new}):
        configs = (_texts(folder / CONFIG / name) for folder in (directory, target))
        if old.get(name) != new.get(name) or next(configs) != next(configs):
            yield name


def _texts(folder: Path) -> dict[str, bytes]:
    return {
        str(at.relative_to(folder)): at.read_bytes() for at in folder.rglob("*") if at.is_file()
    }


@contextmanager
def _kept(instance: Instance) -> Iterator[Path]:
    """A copy of what the instance is now, for the way back."""
    before = instance.directory / _BEFORE
    shutil.rmtree(before, ignore_errors=True)
    before.mkdir(mode=0o700)
    copy(instance.directory, before, instance.record)
    try:
        yield before
    finally:
        shutil.rmtree(before)


def _start_fresh(
    instance: Instance, before: Path, target: Generation, on_ready: OnReady
) -> Instance:
    """From standstill: there is nothing to go on running, only files to put back."""
    instance.take_down()
    check_free(target.record.ports)
    copy(target.directory, instance.directory, target.record)
    new = Instance(target.record, instance.directory)
    try:
        new.supervisor.start()
        _start(new, on_ready)
    except BaseException:
        new.take_down()
        copy(before, instance.directory, instance.record)
        raise
    return new


def _switch(
    instance: Instance, target: Generation, changed: Collection[str], on_ready: OnReady
) -> Instance:
    _exchange(instance, target.directory, changed)
    new = Instance(target.record, instance.directory)
    _start(new, on_ready)
    new.record.write(new.directory)
    return new


def _exchange(instance: Instance, source: Path, changed: Collection[str]) -> None:
    """Stop what changes and put the files of `source` into the instance's folder."""
    unfinished = replace(instance.record, hash=_UNFINISHED)
    unfinished.write(instance.directory)
    _stop(instance.supervisor, changed)
    copy(source, instance.directory, unfinished)
    instance.supervisor.reload()


def _return(
    instance: Instance, before: Path, changed: Collection[str], error: BaseException, number: int
) -> None:
    """Run again what ran before. Raises LabError that says why, and how that went."""
    said = str(error) if isinstance(error, LabError) else type(error).__name__
    kind = type(error) if isinstance(error, LabError) else None
    try:
        _exchange(instance, before, changed)
        _start(instance, lambda service, seconds: None)
        instance.record.write(instance.directory)
    except LabError as second:
        instance.take_down()
        raise HostCannot(
            f"generation {number} did not come up: {said}\nNeither did what ran before: {second}",
            cure=f"The instance is down, its data is unchanged; `{instance.up}` starts it again.",
        ) from error
    if kind:
        raise kind(
            f"generation {number} did not come up, so what ran before is running again: {said}"
        ) from error


def _stop(supervisor: Supervisor, names: Collection[str]) -> None:
    known = supervisor.states()
    going = {name for name in names if name in known}
    with ThreadPoolExecutor(max(len(going), 1)) as pool:
        while going:
            now = last(going, AFTER)
            list(pool.map(supervisor.stop_process, now))
            going -= now


def _start(instance: Instance, on_ready: OnReady) -> None:
    """Start what the settings name; services that the lab has no longer are not waited for."""
    names = programs(instance.directory)
    services = {name: service for name, service in ALL.items() if name in names}
    for name, service in services.items():
        if not service.init:
            instance.layout.data(name).mkdir(exist_ok=True)
    for name in names:
        if name not in services:
            instance.supervisor.start_process(name)
    start_all(instance.layout, instance.supervisor, services, on_ready)
