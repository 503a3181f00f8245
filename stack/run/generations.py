"""The generations of an instance: what it ran, kept so that it can be run again.

A generation is the folder `generations/NUMBER` of the instance, with its record, its rendered
configuration and the supervisor's settings, that is every command and environment. These hold
passwords, so the folder is its owner's alone. Data, logs and secrets belong to the instance and
are no part of it; the lab's own Python programs are those of the checkout.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from stack.errors import BadInput
from stack.run.instance import FILE, Instance, Record
from stack.run.supervisor import copy_settings, programs
from stack.store.difference import Contents

KEPT = 20
"""Generations that an instance keeps. The oldest go, and with them what only they need."""

CONFIG = "config"
_FOLDER = "generations"
_COMING = ".new"
_GOING = ".old"


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One generation of one instance; `record` is that of the instance at the time."""

    number: int
    directory: Path
    record: Record

    @property
    def contents(self) -> Contents:
        return Contents(packages=self.record.packages, config=self.directory / CONFIG)


def generations(directory: Path) -> list[Generation]:
    """Those of the instance in `directory`, the oldest first. Raises BadInput for a broken one."""
    numbers = [int(at.name) for at in (directory / _FOLDER).glob("[0-9]*") if at.name.isdigit()]
    return [_read(directory / _FOLDER / str(number), number) for number in sorted(numbers)]


def chosen(instance: Instance, number: int) -> Generation:
    """The generation `number`. Raises BadInput, naming those that there are."""
    kept = generations(instance.directory)
    for generation in kept:
        if generation.number == number:
            return generation
    known = ", ".join(str(generation.number) for generation in kept) or "none"
    raise BadInput(
        f"instance `{instance.name}` has no generation {number} (it has: {known}).",
        cure="`doit generations` lists them.",
    )


def previous(instance: Instance) -> Generation:
    """The one before that which the instance runs; the newest, if what it should run never came up.

    Raises BadInput when there is none.
    """
    current = instance.record.generation
    before = [g for g in generations(instance.directory) if not current or g.number < current]
    if not before:
        raise BadInput(
            f"instance `{instance.name}` has no generation before "
            f"{f'its generation {current}' if current else 'this one'}.",
            cure="Every `doit up` with other packages, configuration, ports or speed makes one.",
        )
    return before[-1]


def keep(instance: Instance) -> Instance:
    """Make what has just come up a generation, unless it is one; its number goes into the record.

    It is one as well if a `doit` was killed between keeping it and writing the number down.
    """
    directory = instance.directory
    kept = generations(directory)
    same = [
        generation
        for generation in kept
        if generation.number == instance.record.generation or generation is kept[-1]
        if _is_same(generation, instance)
    ]
    if same:
        number = same[0].number
    else:
        number = kept[-1].number + 1 if kept else 1
        _make(directory, replace(instance.record, generation=number))
    if number == instance.record.generation:
        return instance
    record = replace(instance.record, generation=number)
    record.write(directory)
    return Instance(record, directory)


def copy(source: Path, target: Path, record: Record) -> None:
    """Bring configuration, settings and `record` from one folder into another that exists.

    Programs that have moved since are started where they are now. The record comes last: a folder
    whose copy was cut off does not claim what it lacks.
    """
    shutil.rmtree(target / CONFIG, ignore_errors=True)
    shutil.copytree(source / CONFIG, target / CONFIG)
    copy_settings(source, target)
    record.write(target)


def _read(folder: Path, number: int) -> Generation:
    try:
        return Generation(number=number, directory=folder, record=Record.read(folder))
    except (OSError, ValueError) as error:
        raise BadInput(
            f"`{folder / FILE}` cannot be read: {error}.",
            cure=f"Without it generation {number} is lost; remove its folder.",
        ) from None


def _is_same(generation: Generation, instance: Instance) -> bool:
    """Also with the same hash, the code may give a service another command."""
    same = programs(generation.directory) == programs(instance.directory)
    return generation.record.hash == instance.hash and same


def _make(directory: Path, record: Record) -> None:
    folder = directory / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    coming, going = folder / _COMING, folder / _GOING
    for leftover in (coming, going):
        shutil.rmtree(leftover, ignore_errors=True)
    coming.mkdir()
    copy(directory, coming, record)
    coming.rename(folder / str(record.generation))
    for old in generations(directory)[:-KEPT]:
        old.directory.rename(going)
        shutil.rmtree(going)
