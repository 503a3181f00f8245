"""An instance made from a backup, and the proof that it answers as the one before did."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from stack.deploy.backup import questions, sealed
from stack.deploy.backup.catalogue import Backup
from stack.deploy.backup.parts import PARTS, connected
from stack.deploy.backup.recorded import recall
from stack.deploy.backup.taking import DATABASE
from stack.errors import BadInput, CheckFailed
from stack.run import secrets
from stack.run.instance import Instance, names
from stack.run.lifecycle import bring_down, bring_up, directory_of
from stack.run.naming import offset_of
from stack.run.services import SERVICES
from stack.run.startup import start_all

_WRITES = ("backend", "worker")
"""They use the database, and must not while it is replaced."""


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What came of a restore into a scratch instance."""

    differences: list[str]
    rto_s: float
    """From the decision to restore until the instance answers everything."""
    rpo_s: float
    """From the newest sample that is in it to the moment of the backup."""
    questions: int


def restore(
    backup: Backup, into: str, *, force: bool = False, free_ports: bool = False,
    identity: Path | None = None, tell: Callable[[str], None] = lambda part: None,
) -> Instance:  # fmt: skip
    """The instance `into`, running, with what is in the backup and nothing else.

    What it had is gone. Its secrets are new, or those of the backup, which the private key in the
    file `identity` opens. Raises BadInput for a damaged backup, for a key that is not theirs, and
    for an instance that runs unless `force`.
    """
    backup.verify()
    known = sealed.opened(backup, identity) if identity else {}
    there = Instance.open(into) if into in names() else None
    if there and there.is_running() and not force:
        raise BadInput(
            f"instance `{into}` is running, and all that it has would be replaced.",
            cure="Stop it first, choose another one with --into, or add --force.",
        )
    offset = offset_of(there.record.ports) if there else 0
    bring_down(into, wipe=True)
    secrets.bring(directory_of(into), known)
    tell(f"starting `{into}`, empty")
    # What was a server's stays one: nothing is open meanwhile.
    instance = bring_up(
        into, speed=backup.manifest.speed, port_offset=offset, free_ports=free_ports,
        profile=there.record.profile if there else None,
        remote_write=there.record.remote_write if there else None,
        backends=there.record.backends if there else 1,
    )  # fmt: skip
    try:
        _put_back(backup, instance, tell)
        recall(instance)
    except BaseException:
        bring_down(into)  # half of a backup is none
        raise
    return instance


def _put_back(backup: Backup, instance: Instance, tell: Callable[[str], None]) -> None:
    at_rest = [*_WRITES, *(part.service for part in PARTS if not part.runs)]
    with ThreadPoolExecutor(len(at_rest)) as pool:
        list(pool.map(instance.stop_service, at_rest))
    for part in PARTS:
        tell(f"putting {part.service}'s data back")
        part.put(backup.directory / part.service, instance.layout)
    start_all(instance.layout, instance.supervisor, {name: SERVICES[name] for name in at_rest})


def drill(backup: Backup, tell: Callable[[str], None] = lambda part: None) -> Drill:
    """Restore into a scratch instance, ask it what the one was asked that was backed up, compare;
    nothing of it stays. Raises as `restore`, CheckFailed where it does not answer."""
    began = time.monotonic()
    with _scratch(backup, tell) as instance:
        rto_s = time.monotonic() - began
        manifest = backup.manifest
        tell("questions")
        newest = int(manifest.answers["messages"]["newest"])
        try:
            answers = questions.ask(instance.layout, manifest.taken, newest_message=newest)
            sampled = questions.newest_sample(instance.layout, manifest.taken)
        except httpx.HTTPError as error:
            raise CheckFailed(f"the restored instance does not answer: {error}.") from error
        with connected(instance.layout) as database:
            answers[DATABASE] = questions.rows(database)
        return Drill(
            differences=questions.differences(manifest.answers, answers),
            rto_s=rto_s,
            rpo_s=manifest.taken - sampled,
            questions=len(manifest.answers),
        )


@contextmanager
def _scratch(backup: Backup, tell: Callable[[str], None]) -> Iterator[Instance]:
    name = f"drill-{os.getpid()}"
    try:
        yield restore(backup, name, free_ports=True, tell=tell)
    finally:
        bring_down(name, wipe=True)
