"""The tasks that `dodo.py` declares."""

import traceback
from functools import cache
from importlib import import_module

from stack.errors import BadInput
from stack.tasks.declaration import Task, named

Groups = dict[str, tuple[str, ...]]
"""What one wants to do → names of tasks."""


@cache
def declared() -> tuple[dict[str, Task], Groups]:
    """The tasks by name, in the order of the file, and their groups. Raises BadInput when the file
    cannot be read."""
    try:
        dodo = import_module("dodo")
        tasks = {
            name: named(name, make(), make.__doc__ or "")
            for variable, make in vars(dodo).items()
            if variable.startswith("task_")
            for name in [variable.removeprefix("task_").replace("_", "-")]
        }
    except Exception as error:
        raise BadInput(
            f"`dodo.py` cannot be read: {_where(error)}{type(error).__name__}: {error}.",
            cure="Fix it there; `git diff dodo.py` shows what was changed.",
        ) from error
    return tasks, getattr(dodo, "GROUPS", {})


def _where(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return ""  # it says so itself
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{at.filename}:{at.lineno}: "
