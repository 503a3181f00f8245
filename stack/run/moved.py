"""Programs under the module names that older commits gave them.

An instance or a generation keeps the commands that it was started with, and runs the programs of
its checkout as that is now.
"""

import re
from collections.abc import Mapping
from pathlib import Path

_MODULES = {
    **{
        f"stack.{name}": f"stack.programs.{name}"
        for name in ("dblink", "inbox", "logship", "logstore", "scheduler", "simhost", "worker")
    },
    "stack.containers": "stack.programs.cadvisor",
}
"""Former name → name since November 2026."""

_RUN = re.compile(rf" -m ({'|'.join(map(re.escape, _MODULES))})(?=[. ])")


def renamed(program: Mapping[str, str]) -> dict[str, str]:
    """A program's settings, with a command that finds it where the checkout has it today.

    The checkout is the `directory` of the settings; one that still has the program under its
    former name is left alone.
    """
    settings = dict(program)
    if (Path(program.get("directory", "")) / "stack" / "programs").is_dir():
        settings["command"] = _RUN.sub(
            lambda found: f" -m {_MODULES[found[1]]}", program.get("command", "")
        )
    return settings
