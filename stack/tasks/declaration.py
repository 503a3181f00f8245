"""How the tasks of `dodo.py` are declared: as data, from which come parsing, help and completion.

Python's own library only, since help is there before the virtual environment is.
"""

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stack import durations
from stack.errors import BadInput

Kind = Callable[[str], object]
"""Makes a value of a word; ValueError for one that cannot be."""


def duration(word: str) -> str:
    """A duration as Prometheus writes it, longer than nothing; the value is the word itself."""
    try:
        if durations.milliseconds(word):
            return word
    except BadInput:
        pass
    raise ValueError(word)


_IS: dict[Kind, str] = {
    int: "a whole number",
    float: "a number",
    duration: "a duration such as 90s, 5m or 1h30m",
}
_SHOWN: dict[Kind, str] = {int: "N", float: "K", duration: "DURATION", list: "NAME"}


@dataclass(frozen=True, kw_only=True)
class Option:
    """`--name` of a task. One of kind `bool` is there or not, one of kind `list` is repeatable."""

    name: str
    kind: Kind
    default: object
    text: str
    """What it is for, with its unit."""
    key: str
    """The parameter of the task's function."""
    shown: str
    """What stands for its value in help; nothing where it has none."""
    low: float | None = None
    high: float | None = None
    choices: Sequence[str] = ()
    names: str = ""
    """`module:function` that lists values that there are, for completion."""

    def value(self, word: str) -> object:
        """The value that a word means. Raises ValueError with what is wrong with the word."""
        try:
            value = word if self.kind is list else self.kind(word)
        except ValueError:
            raise ValueError(f"`{word}` is not {_IS[self.kind]}.") from None
        if self.choices and word not in self.choices:
            raise ValueError(f"`{word}` is none of {', '.join(self.choices)}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"`{word}` is not a number that anything can have.")
        if isinstance(value, int | float) and self.limits:
            low = -math.inf if self.low is None else self.low
            high = math.inf if self.high is None else self.high
            if not low <= value <= high:
                raise ValueError(f"{word} is out of range: {self.limits}.")
        return value

    @property
    def limits(self) -> str:
        """In words; empty when there are none."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return f"{self.low:g} or more" if self.low is not None else ""


@dataclass(frozen=True, kw_only=True)
class Plain:
    """What a task takes without an option's name."""

    key: str
    shown: str
    """As in a usage line: `[PACKAGE]...`."""
    text: str
    names: str = ""
    """As an option's."""
    passed_on: bool = False
    """Another program's, its options among them."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task, its words taken from the docstring of its function in `dodo.py`."""

    function: str
    """`module:name`; imported when the task runs, so that every command starts at once."""
    options: Sequence[Option]
    plain: Plain | None
    at_once: bool
    """Needs nothing but Python, and nothing of the machine: runs before anything is installed."""
    name: str = ""
    summary: str = ""
    more: Sequence[str] = ()
    """Paragraphs."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """Command → what it is for."""


VERBOSE = Option(
    name="verbose", kind=bool, default=False, key="verbose", shown="",
    text="show the traceback behind an error",
)  # fmt: skip


PROGRESS = tuple(
    Option(name=name, kind=bool, default=False, key=name, shown="", text=text)
    for name, text in (
        ("quiet", "print results alone"),
        ("json", "print events for programs, one a line"),
    )
)
"""Of tasks that take a while: how they tell how it goes."""


def option(
    name: str,
    kind: Kind,
    default: object,
    text: str,
    *,
    key: str = "",
    shown: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    names: str = "",
) -> Option:
    """An option `--name`; `low` and `high` may themselves be given."""
    if kind is not bool:
        shown = shown or "|".join(choices) or _SHOWN.get(kind) or name.upper()
    return Option(
        name=name, kind=kind, default=default, text=text, key=key or name.replace("-", "_"),
        shown=shown, low=low, high=high, choices=choices, names=names,
    )  # fmt: skip


def plain(key: str, shown: str, text: str, *, names: str = "", passed_on: bool = False) -> Plain:
    """Plain arguments, given to the parameter `key` as a list."""
    return Plain(key=key, shown=shown, text=text, names=names, passed_on=passed_on)


def task(
    function: str,
    *,
    params: Sequence[Option] = (),
    pos_arg: Plain | None = None,
    at_once: bool = False,
    shows_progress: bool = False,
) -> Task:
    """The task that calls `function` (`module:name`) with the parsed parameters.

    Plain arguments come after those of an option with the same key. Those that take a while and
    show how it goes (`shows_progress`) can be asked to do so in another way.
    """
    options = (*params, *(PROGRESS if shows_progress else ()), VERBOSE)
    return Task(function=function, options=options, plain=pos_arg, at_once=at_once)


def named(name: str, made: Task, doc: str) -> Task:
    """The task with its name and its words: a line, then paragraphs, and examples as
    `$ doit TASK …  # what for`."""
    first, _, rest = doc.strip().partition("\n")
    more, examples = [], {}
    for block in textwrap.dedent(rest).strip().split("\n\n"):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, what = line[2:].partition("  # ")
                examples[command.strip()] = what.strip()
        said = [line.strip() for line in block.splitlines() if not line.startswith("$ ")]
        if any(said):
            more.append(" ".join(said))
    return Task(
        function=made.function, options=made.options, plain=made.plain, at_once=made.at_once,
        name=name, summary=first.strip(), more=more, examples=examples,
    )  # fmt: skip
