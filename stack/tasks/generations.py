"""What the tasks about generations print: `generations`, `rollback`, `diff`."""

import sys
import time

from rich.console import Console
from rich.table import Table

from stack.errors import BadInput
from stack.run.generations import Generation, chosen, generations
from stack.run.instance import Instance
from stack.run.rollback import roll_back
from stack.store.difference import difference


def show_generations(instance: str) -> None:
    """One line for each generation, the newest last; the one that the instance is in is marked."""
    stack = Instance.open(instance)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "generation", "made", "hash", "speed", "what changed"):
        table.add_column(heading, no_wrap=heading != "what changed")
    before: Generation | None = None
    for generation in generations(stack.directory):
        record = generation.record
        table.add_row(
            "*" if generation.number == stack.record.generation else "",
            str(generation.number),
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created)),
            record.hash,
            f"{record.speed:g}",
            _summary(before, generation),
        )
        before = generation
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(table)


def _summary(old: Generation | None, new: Generation) -> str:
    """In a few words what came with this generation."""
    if old is None:
        return ""
    found = difference(old.contents, new.contents)
    places = sum(line.startswith("@@") for line in found.config)
    words = [str(package) for package in found.packages]
    if old.record.ports != new.record.ports:
        words.append("other ports")
    if places:
        words.append(f"{places} place{'s' if places > 1 else ''} in the configuration")
    return ", ".join(words) or "commands"


def rollback(instance: str, number: list[str]) -> None:
    """Bring the instance back to a generation (the previous one, if none is named)."""
    if len(number) > 1:
        raise BadInput(
            "name one generation to roll back to.", cure="For example: `doit rollback 3`."
        )
    began = time.monotonic()
    stack, changed = roll_back(instance, _number(number[0]) if number else None)
    seconds = time.monotonic() - began
    restarted = ", ".join(sorted(changed)) or "nothing: it is already running that"
    print(f"instance `{instance}` is in generation {stack.record.generation} ({seconds:.1f} s)")
    print(f"restarted: {restarted}")


def diff(instance: str, numbers: list[str]) -> None:
    """What changed from one generation to another: packages, then configuration."""
    if len(numbers) != 2:
        raise BadInput("name two generations to compare.", cure="For example: `doit diff 1 2`.")
    stack = Instance.open(instance)
    old, new = (chosen(stack, _number(text)) for text in numbers)
    if old.record.speed != new.record.speed:
        print(f"speed {old.record.speed:g} -> {new.record.speed:g}")
    print(difference(old.contents, new.contents))


def _number(text: str) -> int:
    if not text.isdigit():
        raise BadInput(f"`{text}` is not a generation.", cure="`doit generations` lists them.")
    return int(text)
