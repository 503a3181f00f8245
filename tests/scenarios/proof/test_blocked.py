"""A host that allows no namespaces: the stack comes up without the disk, and the proof says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.proof.reports import reports_dir
from stack.paths import REPO

ORDINARY = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps"]
FORBID = "echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all \
--inh-caps=-all --ambient-caps=-all --no-new-privs "


def can_forbid() -> bool:
    return os.geteuid() == 0 and not subprocess.run([*ORDINARY, "true"], check=False).returncode


@pytest.mark.skipif(not can_forbid(), reason="namespaces cannot be forbidden here")
def test_scenario_that_needs_a_namespace_is_blocked(state_dir: Path) -> None:
    words = f"{FORBID} {sys.executable} -m stack.tasks verify-alerts --only DiskSpaceWarning"
    done = subprocess.run(
        [*ORDINARY, "sh", "-c", words],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "blocked on this host: DiskSpaceWarning" in done.stderr
    assert "max_user_namespaces" in done.stdout
    assert (reports_dir() / "latest" / "report.html").is_file(), "not in the checkout"
