"""What the tasks about backups print: `backup`, `backups`, `restore`."""

import shutil
import time

from rich.console import Console
from rich.table import Table

from stack import progress
from stack.deploy.backup import catalogue
from stack.deploy.backup.catalogue import Backup
from stack.deploy.backup.recorded import recorded
from stack.deploy.backup.restoring import drill
from stack.deploy.backup.restoring import restore as put_back
from stack.deploy.backup.taking import take
from stack.errors import CheckFailed
from stack.paths import given
from stack.progress import amount, result
from stack.run.naming import option


def backup(instance: str, keep: int, verify: bool, recipient: str = "") -> None:
    """Back the instance up; with `verify`, restore it into a scratch instance and compare. Raises
    CheckFailed for a backup whose answers differ."""
    began = time.monotonic()
    with recorded(instance) as succeeded:
        with progress.shown("done") as report:
            made = take(instance, keep=keep, recipient=recipient, tell=report.say)
        result(
            f"{made.directory}: {amount(made.size_bytes)} in {len(made.manifest.files)} files,"
            f" {time.monotonic() - began:.1f} s",
            "backup", directory=str(made.directory), size=made.size_bytes,
        )  # fmt: skip
        result(
            f"its secrets are in it, encrypted to {recipient}"
            if recipient
            else "without secrets: a restored stack has new ones, unless --recipient names a key"
        )
        if verify:
            _prove(made)
        succeeded(made)
    if not verify:
        result(f"`doit backup --verify{option(instance)}` also proves that it can be restored")


def _prove(made: Backup) -> None:
    began = time.monotonic()
    with progress.shown("done") as report:
        found = drill(made, tell=report.say)
    for difference in found.differences:
        result(difference, "difference", said=difference)
    result(
        f"restored into a scratch instance: {found.questions - len(found.differences)} of"
        f" {found.questions} questions answered alike, RPO {found.rpo_s:.1f} s, RTO"
        f" {found.rto_s:.1f} s, the drill {time.monotonic() - began:.1f} s",
        "drill", rpo=found.rpo_s, rto=found.rto_s, differences=len(found.differences),
    )  # fmt: skip
    if found.differences:
        raise CheckFailed(
            f"the restored instance does not answer as `{made.manifest.instance}` did.",
            cure="Do not rely on this backup.",
        )


def backups(instance: str) -> None:
    """List those that there are, the newest first."""
    found = catalogue.backups(instance)
    if not found:
        result(f"there is no backup of instance `{instance}`; `doit backup{option(instance)}`"
               " makes one")  # fmt: skip
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("backup", "taken", "size", "hash", "secrets"):
        table.add_column(name, justify="right" if name == "size" else "left", no_wrap=True)
    for one in reversed(found):
        taken = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.manifest.taken))
        recipient = one.manifest.recipient
        secrets = f"for {recipient[:9]}…" if recipient else "none"
        table.add_row(one.name, taken, amount(one.size_bytes), one.manifest.hash, secrets)
    Console(width=max(80, shutil.get_terminal_size().columns), highlight=False).print(table)


def restore(names: list[str], instance: str, into: str, force: bool, identity: str = "") -> None:
    """Make an instance of a backup, the newest if none is named."""
    chosen = catalogue.chosen(names[0] if names else "latest", instance)
    began = time.monotonic()
    with progress.shown("done") as report:
        made = put_back(
            chosen, into or instance, force=force, tell=report.say,
            identity=given(identity) if identity else None,
        )  # fmt: skip
    passwords = "are those of then" if identity else "are new"
    if chosen.manifest.recipient and not identity:
        passwords += " (--identity FILE brings those of then)"
    result(
        f"instance `{made.name}` runs with what backup `{chosen.name}` holds"
        f" ({time.monotonic() - began:.1f} s); its passwords {passwords}",
        "restored", instance=made.name, backup=chosen.name,
    )  # fmt: skip
