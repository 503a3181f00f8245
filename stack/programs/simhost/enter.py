"""Run a program that sees the simulated host's disks.

`python -m stack.programs.simhost.enter --root DIR --data-size BYTES -- PROGRAM ARGUMENTS…`; the
program keeps the process id. Where the machine allows no namespaces the program runs without the
disks, and one line on stderr says so. `--check` says which it would be: exit code 0 or 3.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from stack.errors import BadInput, HostCannot, LabError
from stack.paths import REPO
from stack.programs.logfmt import say
from stack.programs.simhost.namespace import make_disks, write_mounts
from stack.programs.simhost.tree import prepare

DATA_BYTES = 64 * 1024**2
# A tmpfs of size 0 has no limit at all, and what is written to it takes this machine's memory.
_DATA_BYTES_ALLOWED = range(1024**2, 1024**3 + 1)
_CURE = (
    "Disk scenarios are blocked here; run as root, "
    "or allow user namespaces (sysctl user.max_user_namespaces, AppArmor, seccomp)."
)


def disk_unavailable() -> str | None:
    """Why this machine cannot give the simulated host its disks, in one line; None when it can.

    Asks a separate process: a namespace cannot be left again.
    """
    command = [sys.executable, "-m", "stack.programs.simhost.enter", "--check"]
    done = subprocess.run(
        command, cwd=REPO, capture_output=True, text=True, timeout=30, check=False
    )
    return None if done.returncode == 0 else done.stderr.strip() or f"exit {done.returncode}"


def main(arguments: list[str]) -> int:
    """Replace this process with the program; returns an exit code only on failure or `--check`."""
    parser = argparse.ArgumentParser(prog="stack.programs.simhost.enter", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether disks are possible")
    parser.add_argument("--root", type=Path, help="folder of the simulated host")
    parser.add_argument(
        "--data-size", type=int, default=DATA_BYTES, help="bytes of /data (default: %(default)s)"
    )
    parser.add_argument("program", nargs="*", help="program and its arguments, after --")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            return _check()
        if options.root is None or not options.program:
            raise BadInput("`--root DIR` and `-- PROGRAM` are required")
        if options.data_size not in _DATA_BYTES_ALLOWED:
            raise BadInput(
                f"`--data-size` is {options.data_size}, expected 1 MiB to 1 GiB in bytes"
            )
        _enter(options.root.absolute(), options.data_size)
        os.execvp(options.program[0], options.program)
    except LabError as error:
        print(f"simulated host: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"simulated host: `{options.program[0]}`: {error.strerror}", file=sys.stderr)
        return 3


def _check() -> int:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "root").mkdir()
        reason = _tried_in_child(Path(folder), DATA_BYTES)
    if reason:
        print(reason, file=sys.stderr)
    return 3 if reason else 0


def _enter(root: Path, data_bytes: int) -> None:
    prepare(root)
    reason = _tried_in_child(root, data_bytes)
    if reason:
        say("warn", "simulated-host", f"simulated host without disks: {reason}. {_CURE}")
    else:
        make_disks(root, data_bytes)
    write_mounts(root, disks=reason is None)


def _tried_in_child(root: Path, data_bytes: int) -> str | None:
    """Make the disks in a child that then ends, with its mounts. Returns the reason for failure.

    A process that has entered a user namespace and could not map itself is `nobody`; the program
    must not start as that.
    """
    reader, writer = os.pipe()
    child = os.fork()  # safe: this program has one thread
    if child == 0:
        try:
            make_disks(root, data_bytes)
        except (HostCannot, OSError) as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        reason = pipe.read().decode()
    os.waitpid(child, 0)
    return reason or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
