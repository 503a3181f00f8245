"""`python -m stack.run.revival DIR CODE`: starts everything of the instance in DIR again, whose
supervisord ended with CODE. `stack.run.keeper` becomes this.

What ran goes on running without a supervisord, and nobody would start it again: so it is ended
first. Data stay. A fault that held a service down is over.
"""

import sys
import time
from contextlib import suppress
from pathlib import Path

from stack.errors import LabError
from stack.run.instance import Instance
from stack.run.lifecycle import locked
from stack.run.services import AFTER
from stack.run.startup import start_all

_AGAIN_S = 5.0
"""What is missing, such as room on the disk, may be there later."""


def main(directory: Path, code: int) -> int:
    """0 once everything runs, or somebody else has seen to it; 1 for an instance that is gone."""
    _log(directory, "CRIT", f"supervisord ended with {code}, and nobody had asked it to")
    while directory.exists():
        try:
            with locked(directory):  # `down` ends this process meanwhile
                return _revive(directory)
        except FileNotFoundError:
            break
        except (LabError, OSError) as error:
            _log(directory, "CRIT", f"not started again yet: {error}")
            time.sleep(_AGAIN_S)
    return 1


def _revive(directory: Path) -> int:
    instance = Instance.at(directory)
    if instance.is_running():
        return 0
    instance.supervisor.sweep(AFTER)
    instance.supervisor.start()
    start_all(instance.layout, instance.supervisor, instance.services)
    _log(directory, "INFO", "all that supervisord ran is started again")
    return 0


def _log(directory: Path, level: str, said: str) -> None:
    """In supervisord's own log and form, which is collected; a full disk loses it."""
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime())
    with suppress(OSError), (directory / "logs" / "supervisord.log").open("a") as log:
        log.write(f"{now},000 {level} {' '.join(said.split())}\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
