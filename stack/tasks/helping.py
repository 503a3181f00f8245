"""`doit help` and `doit list`, and `--help` after a task."""

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from stack.errors import BadInput
from stack.names import meant
from stack.tasks.declaration import Option, Task
from stack.tasks.dodofile import declared

EXIT_CODES = {
    0: "good",
    1: "a verdict or check failed",
    2: "wrong use or bad input",
    3: "this machine cannot do it",
    130: "interrupted",
}
"""Of every task."""

_MOST = 100
_NARROW = 60
"""Below so many columns, what is said of a thing stands below its name."""

_UNGROUPED = "Other"

_UNBROKEN = "\N{NO-BREAK SPACE}"

Groups = Mapping[str, Sequence[str]]


def show_list() -> None:
    """Print the tasks by what one wants to do."""
    tasks, groups = declared()
    print("\n".join(listing(tasks, groups)))


def show_help(names: Sequence[str]) -> None:
    """Print the help of the tasks called so; of all of `doit` when none is. Raises BadInput."""
    tasks, groups = declared()
    if unknown := [name for name in names if name not in tasks]:
        cure = " ".join(filter(None, [meant(unknown[0], tasks), "`doit list` shows them all."]))
        raise BadInput(f"there is no task `{unknown[0]}`.", cure=cure)
    if not names:
        print("\n".join(overview(tasks, groups)))
    for name in names:
        print("\n".join(help_of(tasks[name])))


def overview(tasks: Mapping[str, Task], groups: Groups) -> Iterator[str]:
    """Lines: how `doit` is used, then the tasks."""
    yield "Usage: doit TASK [OPTIONS] [ARGUMENTS]"
    yield ""
    yield from listing(tasks, groups)
    yield ""
    yield from _wrapped(
        "`doit TASK --help` shows what a task takes, with examples; `doit` alone is"
        " `doit status`. Without .venv/bin in your PATH: `python3 dodo.py TASK`."
    )
    yield ""
    yield from _codes()


def listing(tasks: Mapping[str, Task], groups: Groups) -> Iterator[str]:
    """Lines: the tasks in their groups, those of none at the end."""
    in_one = {name for names in groups.values() for name in names}
    rest = [name for name in tasks if name not in in_one]
    shown = {**groups, _UNGROUPED: rest}
    width = max(len(name) for name in tasks)
    first = True
    for title, names in shown.items():
        there = {name: tasks[name].summary for name in names if name in tasks}
        if not there:
            continue
        if not first:
            yield ""
        first = False
        yield f"{title}:"
        yield from _rows(there, width)


def help_of(task: Task) -> Iterator[str]:
    """Lines: usage, what it does, what it takes, examples, exit codes."""
    takes = f" {task.plain.shown}" if task.plain else ""
    yield from _wrapped(f"Usage: doit {task.name} [OPTIONS]{takes}", after="    ")
    end = "" if task.summary.endswith("?") else "."
    for paragraph in (f"{task.summary[:1].upper()}{task.summary[1:]}{end}", *task.more):
        yield ""
        yield from _wrapped(paragraph, "  ")
    if task.plain:
        yield ""
        yield "Arguments:"
        yield from _rows({task.plain.shown: task.plain.text})
    yield ""
    yield "Options:"
    options = {_typed(one): f"{one.text}{_note(one)}" for one in task.options}
    yield from _rows({**options, "-h, --help": "show this"})
    if task.examples:
        yield ""
        yield "Examples:"
        for command, what in task.examples.items():
            if what:
                yield from _wrapped(f"# {what}", "  ")
            yield f"  {command}"
    yield ""
    yield from _codes()


def _typed(option: Option) -> str:
    return f"--{option.name} {option.shown}".strip()


def _note(option: Option) -> str:
    """What is true of its value: ` [default: 1, 1 or more]`."""
    notes = []
    if option.kind is list:
        notes.append("repeatable")
    elif option.kind is not bool and option.default not in (None, ""):
        shown = option.default
        notes.append(f"default: {shown:g}" if isinstance(shown, float) else f"default: {shown}")
    if option.limits:
        notes.append(option.limits)
    return f"  [{', '.join(notes)}]".replace(" ", _UNBROKEN) if notes else ""


def _codes() -> Iterator[str]:
    codes = ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())
    yield from _wrapped(f"Exit codes: {codes}.")


def _columns() -> int:
    return min(shutil.get_terminal_size().columns, _MOST)


def _rows(rows: Mapping[str, str], width: int = 0) -> Iterator[str]:
    """Names and what is said of them, in two columns where there is room."""
    width = width or max(map(len, rows))
    narrow = _columns() < _NARROW
    for name, text in rows.items():
        beside = "      " if narrow else " " * (width + 4)
        lines = list(_wrapped(text, beside)) or [""]
        if narrow:
            yield f"  {name}"
            yield from lines
        else:
            yield f"  {name:{width}}  {lines[0].strip()}".rstrip()
            yield from lines[1:]


def _wrapped(text: str, indent: str = "", after: str = "") -> list[str]:
    """Lines within the terminal, indented; those after the first also by `after`."""
    lines = textwrap.wrap(
        text, max(_columns(), len(indent) + 20),
        initial_indent=indent, subsequent_indent=indent + after,
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip
    return [line.replace(_UNBROKEN, " ") for line in lines]
