"""The shape of every fault, and what a fault needs from an instance."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from stack import jsontext
from stack.run.service import Layout


class FaultFailed(Exception):
    """A fault that could not be injected or undone although nothing blocked it."""


class Target(Protocol):
    """The part of `stack.run.instance.Instance` that faults act on."""

    layout: Layout

    def pid(self, service: str) -> int: ...
    def service_running(self, service: str) -> bool: ...
    def stop_service(self, service: str) -> None: ...
    def start_service(self, service: str) -> None: ...
    def control_file(self, service: str) -> Path: ...


class Fault(Protocol):
    """A cause that can be injected and undone."""

    @property
    def touches(self) -> frozenset[str]:
        """Services and resources that behave differently while the fault is in force."""

    @property
    def shows_after_s(self) -> float:
        """Real seconds, at any speed, before which no scrape can show it."""

    @property
    def shows_within_s(self) -> float:
        """Real seconds, at any speed, from injection until a scrape can show it."""

    @property
    def lingers_s(self) -> float:
        """Real seconds, at any speed, for which its effect lasts after `undo`."""

    def blocked(self, instance: Target) -> str | None:
        """Why this machine cannot run the fault; None when it can."""

    def inject(self, instance: Target) -> None:
        """Make it happen; returns once it is in force. Raises FaultFailed."""

    def undo(self, instance: Target) -> None:
        """Undo it; harmless if it was never injected. Raises FaultFailed."""

    def verify(self, instance: Target) -> str | None:
        """What is still wrong after `undo`; None when everything is as before."""


def lies_in(fault: Fault) -> frozenset[str]:
    """Services that must run to undo it although the instance was down meanwhile: it changed what
    they keep. Empty for what ends with the instance, as nearly all do."""
    kept: frozenset[str] = getattr(fault, "lies_in", frozenset())
    return kept


def wears(fault: Fault) -> bool:
    """Whether it leaves a trace that is found only later: what had it is not as new again."""
    return bool(getattr(fault, "wears", False))


UNDONE_WITHIN_S = 15.0
"""Real seconds in which an undone fault must be seen to be gone."""

LOOK_EVERY_S = 0.2


def undo(fault: Fault, instance: Target) -> None:
    """Undo a fault, and return once it is seen to be gone. Raises FaultFailed with what is still
    wrong, and whatever the fault's own code raises."""
    give_up = time.monotonic() + UNDONE_WITHIN_S
    fault.undo(instance)
    while wrong := fault.verify(instance):
        if time.monotonic() > give_up:
            raise FaultFailed(wrong)
        time.sleep(LOOK_EVERY_S)


def write_control(path: Path, content: Mapping[str, object]) -> None:
    """Replace a service's control file in one step, so that the service never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        json.dump(content, file)
    Path(name).chmod(0o644)
    Path(name).replace(path)


def read_control(path: Path) -> Mapping[str, object]:
    """The control file's content; empty if the file is absent, which means healthy, or says nothing
    that a service could obey: a fault must be undone all the same."""
    try:
        content = jsontext.read(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def update_control(
    path: Path, *, put: Mapping[str, object] | None = None, drop: Collection[str] = ()
) -> None:
    """Change some keys of a control file; the others belong to the faults that wrote them.

    Two faults at once, in threads or processes, do not lose each other's changes: the folder is
    locked meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        kept = {key: value for key, value in read_control(path).items() if key not in drop}
        write_control(path, {**kept, **(put or {})})
    finally:
        os.close(folder)
