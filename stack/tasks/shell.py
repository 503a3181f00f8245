"""What `doit shell` does: a shell, or one command, beside an instance."""

import os
import signal
import subprocess

from stack.errors import HostCannot
from stack.run.shell import environment, startup_file
from stack.tasks.instance import running


def shell(instance: str, arguments: list[str]) -> None:
    """An interactive shell, or `arguments` in one: a single one is a line of shell, several are a
    program and what it is given. The task's exit code is the command's.

    Raises BadInput when the instance does not run, HostCannot without bash.
    """
    layout = running(instance).layout
    variables = {**os.environ, **environment(layout)}
    called_from = variables.pop("STACK_CALLED_FROM", None)
    if len(arguments) > 1:
        command = ["env", *arguments]
    elif arguments:
        command = ["bash", "-c", arguments[0]]
    else:
        command = ["bash", "--rcfile", str(startup_file(layout)), "-i"]
        print(f"psql, amtool, promtool and doit speak to instance `{instance}`; $PROMETHEUS,")
        print(
            "$ALERTMANAGER, $BACKEND … are its addresses, $INSTANCE is its folder. `exit` leaves."
        )
    # Ctrl-C is for what runs in the shell, not for us.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = subprocess.run(
            command,
            env=variables,
            cwd=called_from,
            check=False,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    except FileNotFoundError:
        raise HostCannot(f"`{command[0]}` is not installed on this host.") from None
    finally:
        signal.signal(signal.SIGINT, before)
    code = done.returncode
    if code:
        raise SystemExit(128 - code if code < 0 else code)
