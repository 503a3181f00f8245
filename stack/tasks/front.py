"""The command: what a command line asks for is done, and ends with its exit code.

A task's function raises `stack.errors.LabError`; the user reads its one or two lines and the
command ends with its exit code. Whatever else comes up is told in as few words.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import TextIO

from stack.errors import BadInput, LabError
from stack.progress import fitting
from stack.tasks import helping
from stack.tasks.commandline import HELP, Call, calls
from stack.tasks.declaration import PROGRESS
from stack.tasks.dodofile import declared

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells report SIGINT."""

UNREAD = 141
"""Exit code when nobody reads what is printed any more, as shells report SIGPIPE."""

DEFAULT = ("status",)
"""What `doit` alone does."""


def main(arguments: Sequence[str], *, bare: bool = False) -> int | None:
    """Do what the arguments say; the exit code. On a `bare` machine, on which only Python is there:
    None, with nothing done, where that takes more."""
    _streams()
    _end_in_order()
    os.umask(os.umask(0) | 0o022)  # nobody else writes to what is made here
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    asked: list[Call] = []
    code = _ended(lambda: asked.extend(_asked(arguments)), verbose="--verbose" in arguments)
    if bare and not all(call.help or call.task.at_once for call in asked):
        return None
    if code:
        return code
    if any(call.help for call in asked) or all(call.task.at_once for call in asked):
        return _in_turn(asked)
    # Also while doit is imported, which takes a moment, Ctrl-C is answered with a word.
    ended: list[int] = []
    code = _ended(lambda: ended.append(_by_doit(asked)), verbose="--verbose" in arguments)
    return code or ended[0]


def _in_turn(asked: Sequence[Call]) -> int:
    """Where nothing is there but Python: help, lists, completion."""
    for call in asked:
        if code := _run(call):
            return code
    return 0


def _by_doit(asked: Sequence[Call]) -> int:
    from stack.tasks.engine import run

    codes: list[int] = []

    def action(call: Call) -> Callable[[], bool]:
        return lambda: codes.append(_run(call)) or not codes[-1]  # type: ignore[func-returns-value]

    # doit does a task once, whoever asks for it twice means it.
    run({f"{nth} {call.task.name}": action(call) for nth, call in enumerate(asked)})
    return max(codes)


def _run(call: Call) -> int:
    return _ended(lambda: _do(call), verbose=call.values["verbose"])


def _asked(arguments: Sequence[str]) -> list[Call]:
    if arguments and arguments[0] in HELP:
        arguments = ["help", *arguments[1:]]
    tasks, _ = declared()
    return calls(arguments or DEFAULT, tasks)


def _do(call: Call) -> None:
    if call.help:
        print("\n".join(helping.help_of(call.task)))
        return
    module, name = call.task.function.split(":")
    ours = {"verbose", *(one.key for one in PROGRESS)}
    values = {key: value for key, value in call.values.items() if key not in ours}
    if asked := [one.name for one in PROGRESS if call.values.get(one.key)]:
        _tell_by(asked)
    getattr(import_module(module), name)(**values)


def _tell_by(asked: Sequence[str]) -> None:
    from stack import progress

    if len(asked) > 1:
        raise BadInput("--quiet and --json do not go together.", cure="Choose one of them.")
    progress.choose(progress.Way.QUIET if asked == ["quiet"] else progress.Way.EVENTS)


def _ended(action: Callable[[], object], *, verbose: bool) -> int:
    """The exit code of an action, with what went wrong said on standard error."""
    try:
        action()
        sys.stdout.flush()
    except LabError as error:
        return _failed(str(error), error.exit_code, verbose)
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED, verbose)
    except SystemExit as end:
        # Rich ends the process when nobody reads any more.
        if isinstance(end.__context__, BrokenPipeError):
            return UNREAD
        raise
    except OSError as error:
        return _refused(error, verbose)
    except Exception as error:
        return _bug(error, verbose)
    return 0


def _refused(error: OSError, verbose: bool) -> int:
    if isinstance(error, BrokenPipeError) and _Output.refused is error:
        _unwritten(sys.stdout)
        return UNREAD
    if _Output.refused is error:
        return _failed(f"the output cannot be written: {error.strerror}.", 3, verbose)
    from stack.store.disk import refused

    if trouble := refused(error):
        return _failed(str(trouble), trouble.exit_code, verbose)
    return _bug(error, verbose)


def _bug(error: Exception, verbose: bool) -> int:
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = f"unexpected {type(error).__name__} at {where.filename}:{where.lineno}: {error}"
    text += "\n  This is a bug in the lab; run again with --verbose for the traceback."
    return _failed(text, 1, verbose)


def _failed(text: str, code: int, verbose: bool) -> int:
    _unwritten(sys.stdout)
    with suppress(OSError):
        if verbose:
            traceback.print_exc()
        print(fitting(text, sys.stderr), file=sys.stderr)
    _unwritten(sys.stderr)
    return code


class _Output(TextIOWrapper):
    """Standard output, which remembers what kept it from being written."""

    refused: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            _Output.refused = error
            raise

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            _Output.refused = error
            raise


def _unwritten(stream: TextIO) -> None:
    """Nothing is written any more where that fails, since Python tries again at its end."""
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _streams() -> None:
    """A standard stream that was closed becomes one to nowhere, before a file takes its number; and
    what a terminal's encoding lacks is replaced."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    out = sys.stdout
    if isinstance(out, TextIOWrapper):
        at_once, always = out.line_buffering, out.write_through
        sys.stdout = _Output(
            out.detach(), out.encoding, "replace", line_buffering=at_once, write_through=always
        )
        # By this one Python looks for the terminal's size (`shutil.get_terminal_size`).
        setattr(sys, "__stdout__", sys.stdout)  # noqa: B010


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
