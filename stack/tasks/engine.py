"""doit runs what was asked for: in order, until something fails."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from doit.cmd_base import TaskLoader2
from doit.doit_cmd import DoitMain
from doit.reporter import ZeroReporter
from doit.task import Task, dict_to_task


def run(actions: Mapping[str, Callable[[], bool]]) -> None:
    """Run the actions, by the names of their tasks; none after one that returns False.

    What is up to date is known by the store and the instances, not by doit, and what a task prints
    goes straight to the terminal.
    """
    DoitMain(_Loader(actions)).run(["run", *actions])


class _Loader(TaskLoader2):  # type: ignore[misc]  # doit is untyped
    def __init__(self, actions: Mapping[str, Callable[[], bool]]) -> None:
        super().__init__()
        self._actions = actions

    def setup(self, opt_values: object) -> None:
        pass

    def load_doit_config(self) -> dict[str, Any]:
        return {"reporter": ZeroReporter, "backend": "sqlite3", "dep_file": ":memory:"}

    def load_tasks(self, cmd: object, pos_args: Sequence[str]) -> list[Task]:
        return [
            dict_to_task(
                {"name": name, "actions": [action], "uptodate": [False], "verbosity": 2,
                 "io": {"capture": False}}
            )
            for name, action in self._actions.items()
        ]  # fmt: skip
