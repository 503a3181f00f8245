"""`doit reload`: a running instance takes over what was edited, checked first, without a restart of
what can do without.

Packages, ports and speed stay: for those there is `up`.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stack.errors import BadInput, HostCannot
from stack.run import generations
from stack.run.instance import Instance
from stack.run.lifecycle import directory_of, locked, planned
from stack.run.services import ALL


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of one service."""

    service: str
    files: tuple[str, ...]
    """Rendered ones that are other than before, in its folder."""
    restarted: bool
    """It cannot take over a configuration while it runs."""


def reload(name: str) -> list[Change]:
    """Take over the files that people edit, service by service; returns what changed.

    Raises BadInput for what cannot be used, by file and line, and for an instance that does not
    run; HostCannot for what does not come back. What ran before runs then as it did.
    """
    instance = Instance.open(name)
    with locked(directory_of(name)):
        if not instance.is_running():
            raise BadInput(
                f"instance `{name}` is down, so there is nothing to reload.",
                cure=f"`{instance.up}` starts it, with the files as they are now.",
            )
        record, files = planned(instance.record, instance.directory)
        changes = [
            _taken_over(instance, service, texts)
            for service, texts in _changed(instance, files).items()
        ]
        if changes:
            made = Instance(replace(record, generation=0, created=time.time()), instance.directory)
            made.record.write(made.directory)
            generations.keep(made)
        return changes


Texts = Mapping[str, str | None]
"""Path in a service's folder → its text; None for a file that is to go."""


def _changed(instance: Instance, files: Mapping[str, str]) -> dict[str, Texts]:
    """By service, in the stack's order: what differs from what was rendered before."""
    changed: dict[str, Texts] = {}
    for service in ALL:
        folder = instance.layout.config(service)
        new = {
            path.removeprefix(f"{service}/"): text
            for path, text in files.items()
            if path.startswith(f"{service}/")
        }
        there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
        texts: dict[str, str | None] = {
            path: text for path, text in new.items() if _text(folder / path) != text
        }
        texts |= dict.fromkeys(sorted(there - set(new)))
        if texts:
            changed[service] = texts
    return changed


def _taken_over(instance: Instance, service: str, texts: Texts) -> Change:
    reloads = ALL[service].reload
    with _written(instance.layout.config(service), texts) as undo:
        if reloads and (complaint := reloads(instance.layout)):
            undo()
            reloads(instance.layout)
            raise BadInput(
                f"`{service}` refuses its configuration: {complaint}",
                cure="It goes on with the one before.",
            )
        if not reloads:
            try:
                instance.restart_service(service)
            except HostCannot:
                undo()
                instance.restart_service(service)
                raise
    return Change(service=service, files=tuple(sorted(texts)), restarted=not reloads)


class _Undo:
    def __init__(self, folder: Path, before: Texts) -> None:
        self._folder, self._before = folder, before

    def __call__(self) -> None:
        for path, text in self._before.items():
            _put(self._folder / path, text)


@contextmanager
def _written(folder: Path, texts: Texts) -> Iterator[_Undo]:
    """The files as they are to be; as they were, if that is interrupted or `undo` is called."""
    undo = _Undo(folder, {path: _text(folder / path) for path in texts})
    try:
        for path, text in texts.items():
            _put(folder / path, text)
        yield undo
    except BaseException:
        undo()
        raise


def _text(file: Path) -> str | None:
    return file.read_text() if file.exists() else None


def _put(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.part")
    partial.write_text(text)
    partial.chmod(0o644)
    partial.replace(file)
