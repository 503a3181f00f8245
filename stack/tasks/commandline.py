"""What a command line asks for, or a sentence on what is wrong with it and what comes nearest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stack.errors import BadInput
from stack.names import meant
from stack.tasks.declaration import Option, Task

HELP = ("--help", "-h")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A task and the values that its function gets."""

    task: Task
    values: Mapping[str, Any]
    help: bool = False
    """Its help is asked for instead."""


def calls(words: Sequence[str], tasks: Mapping[str, Task]) -> list[Call]:
    """The tasks that the words name, in their order, with their values. Where a task takes no
    plain arguments, one is the next task's name. Raises BadInput."""
    found: list[Call] = []
    rest = list(words)
    while rest:
        name = rest.pop(0)
        if name not in tasks:
            raise _no_task(name, tasks, found[-1].task if found else None)
        found.append(_call(tasks[name], rest))
    return found


def _call(task: Task, rest: list[str]) -> Call:
    """Takes from `rest` what is the task's."""
    by_name = {one.name: one for one in task.options}
    values: dict[str, Any] = {
        one.key: list(one.default) if isinstance(one.default, list) else one.default
        for one in task.options
    }
    given: list[str] = []
    helped = False
    while rest and (task.plain or rest[0].startswith("-")):
        word = rest.pop(0)
        name, has_value, value = word.removeprefix("--").partition("=")
        if word == "--":
            if not task.plain:
                raise BadInput(f"`doit {task.name}` takes no plain arguments.", cure=_see(task))
            given += rest
            rest.clear()
        elif word in HELP:
            helped = True
        elif word.startswith("--") and name in by_name:
            option = by_name[name]
            if option.kind is bool:
                if has_value:
                    raise _wrong(task, option, "takes no value.")
                values[option.key] = True
                continue
            if not has_value:
                if not rest:
                    raise _wrong(task, option, f"needs a value: `--{name} {option.shown}`.")
                value = rest.pop(0)
            _take(task, option, value, values)
        elif _is_option(word) and not (task.plain and task.plain.passed_on):
            raise _no_option(task, word)
        else:
            given.append(word)
    if task.plain:
        values[task.plain.key] = [*values.get(task.plain.key, []), *given]
    return Call(task=task, values=values, help=helped)


def _take(task: Task, option: Option, word: str, values: dict[str, Any]) -> None:
    try:
        value = option.value(word)
    except ValueError as error:
        raise _wrong(task, option, f"{error}", separator=": ") from None
    if option.kind is list:
        values[option.key].append(value)
    else:
        values[option.key] = value


def _is_option(word: str) -> bool:
    return re.match(r"-(?![\d.])\S", word) is not None


def _wrong(task: Task, option: Option, why: str, separator: str = " ") -> BadInput:
    return BadInput(f"`doit {task.name}`: `--{option.name}`{separator}{why}", cure=_see(task))


def _no_option(task: Task, word: str) -> BadInput:
    option = word.partition("=")[0]
    known = [f"--{one.name}" for one in task.options]
    cure = " ".join(filter(None, [meant(option, known), _see(task)]))
    return BadInput(f"`doit {task.name}`: there is no option `{option}`.", cure=cure)


def _no_task(name: str, tasks: Mapping[str, Task], before: Task | None) -> BadInput:
    if name.startswith("-"):
        cure = "Options follow the task's name; `doit help` shows the tasks."
        return BadInput(f"there is no option `{name.partition('=')[0]}` before a task.", cure=cure)
    cure = " ".join(filter(None, [meant(name, tasks), "`doit list` shows them all."]))
    takes = f"`doit {before.name}` takes no arguments, and " if before else ""
    return BadInput(f"{takes}there is no task `{name}`.", cure=cure)


def _see(task: Task) -> str:
    return f"`doit {task.name} --help` shows the options."
