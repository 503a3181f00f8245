"""One measurement at a time: two of them would measure each other."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from stack.errors import HostCannot
from stack.run.instance import instances_dir
from stack.run.lifecycle import make_instances_dir
from stack.store.disk import host_refuses


@contextmanager
def only_one() -> Iterator[None]:
    """Nobody else measures while the block runs. Raises HostCannot if somebody does.

    The lock goes with the process, however it ends.
    """
    make_instances_dir()
    with host_refuses():
        lock = (instances_dir() / ".capacity.measuring").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HostCannot(
                "another `doit capacity` is under way: each would measure the other.",
                cure="Wait until it has ended, or end it with Ctrl-C.",
            ) from None
        yield
