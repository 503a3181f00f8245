"""`python -m stack.run.keeper DIR`: runs the supervisord of the instance in DIR, and sees that one
which ends without having been asked to (killed for its memory, say) is started again.

It imports next to nothing, since it is there for as long as the instance is. What is started again,
and how, is `stack.run.revival`'s.
"""

import os
import sys
import time

STEADY_S = 5.0
"""One that ends sooner would end again: whoever started it is told instead."""


def main(directory: str) -> int:
    """supervisord's exit code, if it ended in order or too soon; otherwise this process becomes the
    revival."""
    began = time.monotonic()
    settings = f"{directory}/supervisord.conf"
    command = [sys.executable, "-m", "stack.run.supervisord", "-c", settings]
    supervisor = os.spawnv(os.P_NOWAIT, sys.executable, command)
    code = os.waitstatus_to_exitcode(os.waitpid(supervisor, 0)[1])
    if code and time.monotonic() - began >= STEADY_S:
        again = [sys.executable, "-m", "stack.run.revival", directory, str(code)]
        os.execv(sys.executable, again)
    return code if code >= 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
