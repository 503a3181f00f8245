"""`python -m stack.tasks TASK`: doit in this checkout, with the lab's exit codes."""

import os
import re
import signal
import sys
from difflib import get_close_matches
from typing import Any, NoReturn

from doit.cmd_completion import TabCompletion
from doit.cmd_help import Help
from doit.cmd_info import Info
from doit.cmd_list import List
from doit.cmd_run import Run
from doit.cmdparse import CmdParseError
from doit.doit_cmd import DoitMain
from doit.exceptions import InvalidCommand

_NOT_HERE = ("clean", "dumpdb", "forget", "ignore", "reset-dep", "strace")
"""Commands of doit about what it remembers of tasks and files: here it remembers nothing."""


def main(arguments: list[str]) -> int:
    """Run doit; wrong use ends with 2, and an unknown name is told its nearest neighbours."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    _end_in_order()
    if arguments[:1] and arguments[0] in _NOT_HERE:
        _refuse(
            f"there is nothing to `{arguments[0]}` here: what is up to date is known by the store "
            "and the instances, not by doit.",
            "`doit list` shows the tasks; `doit gc` and `doit down --wipe` clear up.",
        )
    DoitMain.BIN_NAME = "doit"
    code = int(_Main().run(arguments))
    # 3 is doit's own code for what it refuses before any task runs.
    return 2 if code == 3 else code


def _end_in_order() -> None:
    """A terminal that is closed, and SIGTERM, end a task as Ctrl-C does: what it began is stopped.

    Whoever handles SIGTERM in another way has SIGHUP handled in that way, too.
    """

    terminals = [stream for stream in (1, 2) if os.isatty(stream)]

    def closed(number: int, frame: object) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the shell sends another one
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in terminals:  # gone: what is still said must not fail
            os.dup2(nowhere, stream)
        os.kill(os.getpid(), signal.SIGTERM)

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not under nohup
        signal.signal(signal.SIGHUP, closed)


class _Sentences:
    """Mixed into doit's commands: wrong use is a sentence with the nearest names, and 2."""

    def parse_execute(self, arguments: list[str]) -> object:
        try:
            return super().parse_execute(arguments)  # type: ignore[misc]
        except InvalidCommand as error:
            name = error.not_found
            near = get_close_matches(name, _tasks())
            mean = f"Did you mean: {', '.join(near)}? " if near else ""
            _refuse(f"there is no task `{name}`.", f"{mean}`doit list` shows them all.")
        except CmdParseError as error:
            task = next((word for word in arguments if word in _tasks()), "")
            _refuse(*_sentence(str(error), task))


def _sentence(said: str, task: str) -> tuple[str, str]:
    """What is wrong with an option, in doit's words, and what to do."""
    of = f"`doit {task}`: " if task else ""
    cure = f"`doit help {task or 'TASK'}` shows the options."
    if value := re.match(r"Error parsing parameter '(\w+)' <class '(\w+)'>", said):
        kind = {"int": "a whole number", "float": "a number"}.get(value[2], f"a {value[2]}")
        given = re.search(r": '(.*)'\s*$", said)
        what = f"`{given[1]}` is not {kind}" if given else f"its value is not {kind}"
        return f"{of}--{value[1].replace('_', '-')}: {what}.", cure
    match = re.match(r"Error parsing \w+: option (\S+) (.+?) \(parsing options", said, re.DOTALL)
    if not match:
        return f"{of}{said.partition(' (parsing options')[0]}.", cure
    option, why = match[1], match[2]
    if "not recognized" in why:
        known = [f"--{name}" for name in re.findall(r"'long':'([^']+)'", said)]
        near = get_close_matches(option, known)
        mean = f"Did you mean: {', '.join(near)}? " if near else ""
        return f"{of}there is no option `{option}`.", f"{mean}{cure}"
    if "requires argument" in why:
        return f"{of}`{option}` needs a value.", f"For example `{option} VALUE`; {cure}"
    return f"{of}option `{option}` {why}.", cure


class _Main(DoitMain):  # type: ignore[misc]  # doit is untyped
    DOIT_CMDS = tuple(
        # doit finds commands by the names of their classes.
        type(command.__name__, (_Sentences, command), {"__doc__": command.__doc__})
        for command in (Help, Run, List, Info, TabCompletion)
    )


def _tasks() -> list[str]:
    # doit has imported it by now, unless it could not.
    dodo: dict[str, Any] = dict(vars(sys.modules.get("dodo", object)))
    return [name[5:].replace("_", "-") for name in dodo if name.startswith("task_")]


def _refuse(what: str, cure: str) -> NoReturn:
    print(f"{what}\n  {cure}", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
