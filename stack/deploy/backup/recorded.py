"""What came of a backup, for Prometheus to know (`stack.run.backedup`) and BackupTooOld and
BackupFailed to fire."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from stack.deploy.backup import catalogue
from stack.deploy.backup.catalogue import Backup
from stack.errors import BadInput
from stack.run import backedup
from stack.run.backedup import BackedUp
from stack.run.instance import Instance
from stack.run.service import Layout


@contextmanager
def recorded(name: str) -> Iterator[Callable[[Backup], None]]:
    """Hand out what records a success; any failure in the block is recorded, and raised.

    Wrong use is no failure (the instance is down, another backup is being taken), nor is Ctrl-C:
    if it stays so, the newest backup is too old one day.
    """
    instance = Instance.open(name)
    try:
        yield lambda made: _succeeded(instance.layout, made)
    except BadInput:
        raise
    except Exception:
        # Half a backup is gone by now: there is room for a line even on a disk that was full.
        with suppress(OSError):
            backedup.tell(
                instance.layout, replace(backedup.told(instance.layout), successful=False)
            )
        raise


def recall(instance: Instance) -> None:
    """Of an instance that was made anew, record the newest backup that there is of its name."""
    if found := catalogue.backups(instance.name):
        _succeeded(instance.layout, found[-1])


def _succeeded(layout: Layout, made: Backup) -> None:
    backedup.tell(layout, BackedUp(taken=made.manifest.taken, size_bytes=made.size_bytes))
