"""What incidents left behind when whoever kept them was killed: undone as an instance comes up, or
before it goes down. Where there is nothing to undo, nothing is imported for it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenarios.demo.ledger import Ledger
from stack.run.instance import Instance, instances_dir, names
from stack.run.startup import OnReady

Say = Callable[[str], None]


def ledger_of(name: str) -> Ledger:
    """Of the instance of this name, whether there is one or not."""
    return Ledger(directory=instances_dir() / name)


def clear(name: str, say: Say = print) -> None:
    """Undo what was left behind on a running instance; nothing where it is down or not there.

    Raises CheckFailed when something cannot be undone.
    """
    if name in names() and ledger_of(name).left_behind() and Instance.open(name).is_running():
        from scenarios.demo.stage import Stage

        Stage(name, say)


@contextmanager
def undone(name: str, say: Say = print) -> Iterator[OnReady]:
    """Around bringing an instance up, which is told each service that is ready.

    What runs is put right before: a service may not get ready otherwise. What lies in the data of
    one that was down is undone as soon as that is possible, since others wait for it; the rest at
    the end. Raises CheckFailed when something cannot be undone.
    """
    clear(name, say)
    ready: set[str] = set()
    alone = threading.Lock()  # services get ready at the same time

    def on_ready(service: str, seconds: float) -> None:
        with alone:
            ready.add(service)
            if ledger_of(name).left_behind():
                from scenarios.demo.stage import undo_in_data

                undo_in_data(name, ready)

    yield on_ready
    clear(name, say)
