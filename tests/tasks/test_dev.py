"""`doit test` after Ctrl-C: what pytest has to put in order, it does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from stack.paths import REPO
from tests.waiting import eventually

CHILD = """
import sys, time
from pathlib import Path
Path(sys.argv[1], "began").touch()
try:
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(0.5)  # longer than Python's own `subprocess.run` waits
    Path(sys.argv[1], "in order").touch()
"""


def test_ctrl_c_waits_for_what_is_put_in_order(tmp_path: Path) -> None:
    script = (
        "import sys; from stack.tasks import dev;"
        f"dev._run([sys.executable, '-c', {CHILD!r}, {str(tmp_path)!r}], 'tests')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPO, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    eventually(lambda: (tmp_path / "began").exists(), within_s=20)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.wait(20) != 0
    assert (tmp_path / "in order").exists()
