"""A backup of what runs."""

import time
from collections.abc import Callable

import httpx

from stack.deploy.backup import catalogue, questions, sealed
from stack.deploy.backup.catalogue import Backup
from stack.deploy.backup.parts import PARTS, connected, dump
from stack.errors import BadInput, HostCannot
from stack.run.choice import CHOICES
from stack.run.instance import Instance

DATABASE = "rows"
"""The question whose answers come from the database itself."""


def take(
    name: str, *, keep: int, recipient: str = "", tell: Callable[[str], None] = lambda part: None
) -> Backup:
    """Back the instance up, while it runs; older backups than the newest `keep` go.

    Its secrets are in it, encrypted, if a `recipient` is given: a public key of age. Raises
    BadInput for what is none and for an instance that is down, HostCannot for a full disk; earlier
    backups stay whole.
    """
    if recipient:
        sealed.recipient(recipient)
    instance = Instance.open(name)
    if not instance.is_running():
        raise BadInput(
            f"instance `{name}` is down: it is backed up while it runs.",
            cure=f"`{instance.up}` starts it.",
        )
    for choice in CHOICES:
        if choice.of(instance.layout.packages) == choice.real:
            raise BadInput(
                f"{choice.what} of instance `{name}` are kept by the real program, which backups do"
                " not know yet.",
                cure=f"`{choice.variable}={choice.own} {instance.up}` has the lab's own keep them.",
            )
    with catalogue.one_at_a_time(name) as folder, catalogue.coming(folder) as made:
        before = next(reversed(catalogue.backups(name)), None)
        taken = time.time()
        if recipient:
            sealed.seal(instance.layout, made, recipient)
        for part in PARTS:
            tell(part.service)
            (made / part.service).mkdir(mode=0o700)
            part.take(instance, made / part.service)
        with connected(instance.layout) as database:
            database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            row = database.execute("SELECT pg_export_snapshot()").fetchone()
            dump(instance.layout, made / "postgresql" / "dump", str(row[0]) if row else "")
            rows = questions.rows(database)
        tell("questions")
        try:
            answers = questions.ask(instance.layout, taken)
        except httpx.HTTPError as error:
            raise HostCannot(
                f"the instance cannot be asked what it holds: {error}",
                cure="`doit health` says which part is not well.",
            ) from error
        backup = catalogue.seal(
            made, before, instance=name, speed=instance.speed, taken=taken, hash=instance.hash,
            answers={**answers, DATABASE: rows}, recipient=recipient,
        )  # fmt: skip
        catalogue.prune(name, keep)
        return backup
