"""`doit watch`: check, then prove what has changed, after every save below the configuration.

Both are processes of their own, since code that is edited meanwhile has to be read anew.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stack.paths import CONFIG_ROOT, REPO, short

LOOK_EVERY_S = 0.5

SETTLED_LOOKS = 2
"""An editor, and git, write several files: after so many looks that found the same it is over."""

ENDS_S = 90.0
"""For undoing faults and taking instances down."""

_NO_SAVE = (".swp", ".swx", ".tmp", ".part", "~")
"""What editors write beside a file."""

State = Mapping[Path, tuple[int, int]]
"""File → when it was saved, and how long it is."""

Run = Callable[[Sequence[str]], int]
"""Runs a task with these words, and says with which code it ended."""


def watch(only: Sequence[str] = ()) -> None:
    """Of the alerts called `only`, all when it is empty; until Ctrl-C."""
    words = list(only)
    Watch(CONFIG_ROOT, words, run).forever(time.sleep)


class Watch:
    """Looks at a folder, and acts when something in it was saved."""

    def __init__(self, root: Path, only: Sequence[str], run: Run) -> None:
        self._root = root
        self._only = only
        self._run = run
        self._seen = state(root)

    def forever(self, sleep: Callable[[float], None]) -> None:
        """Begins with what has changed before. Ends by what `sleep` or a run raises."""
        self.act()
        while True:
            sleep(LOOK_EVERY_S)
            if saved := self.saved(sleep):
                print(f"\nsaved: {', '.join(saved)}", flush=True)
                self.act()

    def saved(self, sleep: Callable[[float], None]) -> list[str]:
        """Files that were saved, or removed, since it last acted; once nothing more comes."""
        now = state(self._root)
        if now == self._seen:
            return []
        same = 0
        while same < SETTLED_LOOKS:
            sleep(LOOK_EVERY_S)
            later = state(self._root)
            same = same + 1 if later == now else 0
            now = later
        names = sorted(
            str(file.relative_to(self._root))
            for file in {*now, *self._seen}
            if now.get(file) != self._seen.get(file)
        )
        self._seen = now
        return names

    def act(self) -> None:
        """What is saved while it acts, is acted upon afterwards."""
        if self._run(["check"]) == 0:
            self._run(["verify-alerts", "--changed", *self._only])
        where = short(self._root)
        print(f"watching `{where}`; Ctrl-C ends it", flush=True)


def state(root: Path) -> State:
    """Of all files below a folder, but for those that editors and Python write beside them."""
    found = {}
    for file in root.rglob("*"):
        if "__pycache__" in file.parts or file.name.endswith(_NO_SAVE):
            continue
        try:
            said = file.stat()
        except OSError:
            continue  # it is being replaced
        if file.is_file():
            found[file] = (said.st_mtime_ns, said.st_size)
    return found


def run(words: Sequence[str]) -> int:
    """A task, on this terminal. Ctrl-C reaches it as well: it is waited for."""
    with subprocess.Popen([sys.executable, str(REPO / "dodo.py"), *words], cwd=REPO) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            try:
                process.wait(ENDS_S)
            except BaseException:  # too long, or a second Ctrl-C
                process.kill()
            raise
