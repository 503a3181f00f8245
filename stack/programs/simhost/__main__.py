"""Keep a simulated host alive: `python -m stack.programs.simhost --root DIR --control FILE`."""

import argparse
import signal
import sys
import time
from pathlib import Path

from stack.errors import LabError
from stack.programs.control import ControlFile
from stack.programs.logfmt import say
from stack.programs.memory import within
from stack.programs.simhost.model import advance, first_state, levels_at, targets
from stack.programs.simhost.tree import load, prepare, write

_INTERVAL_S = 0.2


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="stack.programs.simhost", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder for proc, sys and root")
    parser.add_argument("--control", type=Path, required=True, help="JSON file of targets")
    parser.add_argument("--seed", type=int, default=1, help="seed of the healthy day (default: 1)")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        _live(options.root.absolute(), options.control, options.seed)
    except LabError as error:
        print(f"simulated-host: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"simulated-host: `{error.filename}`: {error.strerror}", file=sys.stderr)
        return 3
    return 0


def _live(root: Path, control_path: Path, seed: int) -> None:
    prepare(root)
    control = ControlFile(control_path, targets, who="simulated-host")
    state = load(root) or first_state(time.time(), seed)
    # The host kept running while this process was away.
    state = advance(
        state, levels_at(state.uptime_s, seed, control.value()), time.time() - state.saved_at_s
    )
    # From here on the monotonic clock: a step of the wall clock must not show in the rates.
    before = time.monotonic()
    say("info", "simulated-host", "running", seed=seed, uptime_s=round(state.uptime_s))
    while True:
        levels = levels_at(state.uptime_s, seed, control.value())
        now = time.monotonic()
        state, before = advance(state, levels, now - before), now
        write(root, state, levels)
        time.sleep(_INTERVAL_S)


if __name__ == "__main__":
    sys.exit(within("simulated-host", main))
