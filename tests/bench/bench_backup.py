"""Prints what a backup takes, and a restore, of an instance with a week of data.

    python -m tests.bench.bench_backup [--minutes N]

The instance lives sixty times as fast as written: so many minutes after the first backup, which are
as many hours to it, comes the second, whose new bytes are compared with the first one's. A backup
is compared with copying the same bytes, each file to the disk.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from scenarios.demo.run import Demo
from scenarios.demo.week import week
from stack.deploy.backup.catalogue import Backup
from stack.deploy.backup.restoring import drill
from stack.deploy.backup.taking import take
from stack.run.instance import Instance
from stack.run.lifecycle import running

SPEED = 60.0
COPIES = 3


def timed_backup(instance: Instance) -> tuple[Backup, float]:
    began = time.monotonic()
    made = take(instance.name, keep=7)
    return made, time.monotonic() - began


def copied_s(backup: Backup) -> float:
    """The median of some copies of its files, each written to the disk."""

    def once() -> float:
        target = Path(tempfile.mkdtemp(dir=backup.directory.parent))
        try:
            began = time.monotonic()
            for path in backup.manifest.files:
                to = target / path
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(backup.directory / path, to)
                with to.open("rb") as written:
                    os.fsync(written.fileno())
            return time.monotonic() - began
        finally:
            shutil.rmtree(target)

    return statistics.median(once() for _ in range(COPIES))


def own_bytes(backup: Backup) -> int:
    """Of files that no other backup shares."""
    files = [backup.directory / path for path in backup.manifest.files]
    return sum(file.stat().st_size for file in files if file.stat().st_nlink == 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args()
    with running("bench-backup", speed=SPEED) as instance:
        demo = Demo(instance=instance, seed=1, say=print)
        lived = week(demo.seed, time.time(), SPEED)
        with demo.people(lived):
            demo.give_past(lived)
            first, took_s = timed_backup(instance)
            copy_s = copied_s(first)
            size = sum(one.size for one in first.manifest.files.values())
            print(
                f"first: {size / 1e6:.1f} MB in {len(first.manifest.files)} files, {took_s:.1f} s,"
                f" {took_s / copy_s:.1f} x as long as copying them ({copy_s:.1f} s)"
            )
            due = time.monotonic() + 60 * options.minutes
            while time.monotonic() < due:
                time.sleep(1)
            second, again_s = timed_backup(instance)
            print(f"second, {options.minutes:g} h of its time later: {again_s:.1f} s,"
                  f" {own_bytes(second) / size:.0%} more disk")  # fmt: skip
        began = time.monotonic()
        found = drill(second)
        print(f"drill: {time.monotonic() - began:.1f} s, of which {found.rto_s:.1f} s until the"
              " restored one answered everything")  # fmt: skip


if __name__ == "__main__":
    main()
