"""`doit up`, `status` and `down`, with an eye on incidents: none stays where nobody keeps it."""

import time

from scenarios.demo import leftovers
from scenarios.demo.ledger import Ledger
from stack.errors import CheckFailed, LabError
from stack.run.instance import Instance, names
from stack.run.naming import option
from stack.tasks import instance as tasks


def up(
    instance: str,
    speed: float,
    port_offset: int,
    backends: int,
    profile: str,
    certificate: str,
    key: str,
    remote_write: str,
    remote_write_settings: str,
) -> None:
    """Bring it up; what a killed incident left behind is undone. Raises CheckFailed when that is
    not possible, and all that `stack.tasks.instance.up` does."""
    with leftovers.undone(instance) as on_ready:
        tasks.up(
            instance, speed, port_offset, backends, profile, certificate, key, remote_write,
            remote_write_settings, on_ready,
        )  # fmt: skip


def status(instance: str) -> None:
    """Show it, and which incidents go on. Raises CheckFailed when something should run that does
    not, or an incident was left behind."""
    trouble: LabError | None = None
    try:
        tasks.status(instance)
    except CheckFailed as error:
        trouble = error
    ledger = leftovers.ledger_of(instance)
    left = {one.name for one in ledger.left_behind()}
    for one in ledger.entries():
        until = time.strftime("%H:%M:%S", time.localtime(one.until))
        if one.name not in left:
            print(f"incident {one.name} is going on until {until};"
                  f" `doit incident --end{option(instance)}` ends it")  # fmt: skip
    if left:
        raise CheckFailed(
            f"incident {', '.join(sorted(left))} was left behind: whoever kept it was killed."
            + (f" {trouble.what}" if trouble else ""),
            cure=f"`{Instance.open(instance).up}` undoes it.",
        )
    if trouble:
        raise trouble


def down(instance: str, wipe: bool) -> None:
    """Stop it; incidents are ended before, so that none stays in its data."""
    if not wipe and instance in names() and Instance.open(instance).is_running():
        _end_incidents(instance, leftovers.ledger_of(instance))
    tasks.down(instance, wipe)


def _end_incidents(instance: str, ledger: Ledger) -> None:
    """Whatever cannot be undone is said, and does not keep an instance up."""
    if not ledger.entries():
        return
    from scenarios.demo.stage import Stage

    try:
        for name in Stage(instance).end():
            print(f"{name} is over")
    except LabError as error:
        print(error)
