"""How tasks are declared: between doit and our functions, with their messages and exit codes.

A task's function raises `stack.errors.LabError`; the user reads its one or two lines and the
command ends with its exit code. doit itself knows only 1 and 2, so the code leaves through the
reporter, after doit has closed its books.
"""

import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from doit import doit_cmd
from doit.cmdparse import CmdOption, CmdParseError, TaskParse
from doit.exceptions import TaskFailed
from doit.reporter import ZeroReporter

from stack.errors import BadInput, LabError
from stack.store.disk import refused

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells report SIGINT."""

PASSED_ON = "arguments"
"""Plain arguments of this name are another program's, its options among them."""

Param = dict[str, Any]

VERBOSE: Param = {
    "name": "verbose",
    "long": "verbose",
    "type": bool,
    "default": False,
    "help": "show the traceback behind an error",
}


class Reporter(ZeroReporter):  # type: ignore[misc]  # doit is untyped
    """Prints nothing but what tasks print, and ends the process with the worst exit code."""

    exit_code = 0

    def complete_run(self) -> None:
        super().complete_run()
        sys.stdout.flush()
        if Reporter.exit_code:
            raise SystemExit(Reporter.exit_code)


def option(name: str, kind: type, default: object, text: str) -> Param:
    """A parameter `--name` of a task; `text` names the unit."""
    return {
        "name": name.replace("-", "_"), "long": name, "type": kind, "default": default, "help": text
    }  # fmt: skip


def task(
    function: str, *, params: list[Param] | None = None, pos_arg: str | None = None
) -> dict[str, Any]:
    """The doit task that calls `function` (`module:name`) with the parsed parameters, uncaptured.

    The module is imported when the task runs, so that every command starts at once. Plain
    arguments go to the parameter `pos_arg`, after those of an option of that name. What is up to
    date is known by the store and the instances, not by doit.
    """
    names = {param["name"] for param in params or []} | ({pos_arg} if pos_arg else set())
    return {
        "actions": [(_shielded(function, names), [])],
        "params": [*(params or []), VERBOSE],
        "pos_arg": pos_arg,
        "verbosity": 2,
        "io": {"capture": False},
        "uptodate": [False],
    }


def _shielded(function: str, names: set[str]) -> Callable[..., object]:
    def call(task: Any) -> object:
        given = dict(task.options or {})
        try:
            given = _given(task)
            module, name = function.split(":")
            getattr(import_module(module), name)(**{name: given[name] for name in names})
        except LabError as error:
            return _failed(str(error), error.exit_code, given["verbose"])
        except KeyboardInterrupt:
            return _failed("interrupted", INTERRUPTED, given["verbose"])
        except OSError as error:
            trouble = refused(error)
            if trouble is None:
                return _bug(error, given["verbose"])
            return _failed(str(trouble), trouble.exit_code, given["verbose"])
        except Exception as error:
            return _bug(error, given["verbose"])
        return True

    return call


def _given(task: Any) -> dict[str, Any]:
    """The parameters as given. doit stops at the first plain argument; options may follow it."""
    given = dict(task.options or {})
    if not task.pos_arg:
        return given
    parser = TaskParse([CmdOption(param) for param in task.params])
    plain, rest = [], list(task.pos_arg_val or [])
    while rest:
        try:
            options, after = parser.parse_only(rest, {task.pos_arg: [], **given})
        except CmdParseError as error:  # not ours: meant for whom the task calls, if for anyone
            if rest[0].startswith("--") and task.pos_arg != PASSED_ON:
                raise _wrong_option(task, rest[0], error) from None
            after, options = rest, given
        given |= options
        plain += after[:1]
        rest = after[1:]
    given[task.pos_arg] = [*given.get(task.pos_arg, []), *plain, *_taken_for_variables()]
    return given


def _wrong_option(task: Any, option: str, error: CmdParseError) -> BadInput:
    known = [f"--{param['long']}" for param in task.params]
    name = option.partition("=")[0]
    near = get_close_matches(name, known)
    cure = f"`doit help {task.name}` shows the options."
    if name in known:
        why = "needs a value" if "requires argument" in str(error) else "cannot have this value"
        return BadInput(f"`doit {task.name}`: `{name}` {why}.", cure=cure)
    mean = f"Did you mean: {', '.join(near)}? " if near else ""
    return BadInput(f"`doit {task.name}`: there is no option `{name}`.", cure=f"{mean}{cure}")


def _taken_for_variables() -> list[str]:
    """Plain arguments that hold a `=`, such as a LogQL query: doit takes them for settings of
    variables (`doit_cmd.DoitMain.process_args`), which nothing here has.
    """
    return [f"{name}={value}" for name, value in (doit_cmd._CMDLINE_VARS or {}).items()]


def _bug(error: Exception, verbose: bool) -> TaskFailed:
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = f"unexpected {type(error).__name__} at {where.filename}:{where.lineno}: {error}"
    text += "\n  This is a bug in the lab; run again with --verbose for the traceback."
    return _failed(text, 1, verbose)


def _failed(text: str, code: int, verbose: bool) -> TaskFailed:
    if verbose:
        traceback.print_exc()
    sys.stdout.flush()
    print(text, file=sys.stderr)
    Reporter.exit_code = max(Reporter.exit_code, code)
    return TaskFailed(text, report=False)
