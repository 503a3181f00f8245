"""`python -m stack.tasks TASK`: doit in this checkout, with the lab's exit codes."""

import os
import sys
from difflib import get_close_matches

from doit.doit_cmd import DoitMain


def main(arguments: list[str]) -> int:
    """Run doit; wrong use ends with 2, and an unknown task names its nearest neighbours."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    DoitMain.BIN_NAME = "doit"
    code = int(DoitMain().run(arguments))
    if code == 3:  # doit's own code for what it refuses before any task runs
        _suggest(arguments)
        return 2
    return code


def _suggest(arguments: list[str]) -> None:
    # doit has imported it by now, unless it could not.
    dodo = vars(sys.modules.get("dodo", object))
    tasks = [name[5:].replace("_", "-") for name in dodo if name.startswith("task_")]
    for word in arguments:
        near = [] if word in tasks or word.startswith("-") else get_close_matches(word, tasks)
        if near:
            print(f"  Did you mean: {', '.join(near)}?", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
