"""From a bundle to a proven alert on a machine that has no network at all."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.paths import REPO

_ALERT = "DiskSpaceWarning"

# Brings the loopback up (there is no `ip` in a bare system): netdevice(7).
_LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
os.execvp(sys.argv[1], sys.argv[1:])
"""
_NAMESPACE = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--net"]


def offline(*command: str) -> list[str]:
    """The command in a network namespace whose only interface is the loopback."""
    return [*_NAMESPACE, sys.executable, "-c", _LOOPBACK, *command]


def can_cut_off() -> bool:
    return bool(shutil.which("unshare")) and subprocess.run(offline("true")).returncode == 0


@pytest.fixture
def clone(open_folder: Path) -> Iterator[Path]:
    """The checkout as it is, with no environment of its own and nothing else."""
    made = open_folder / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=REPO, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\0"):
        if (REPO / name).is_file():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPO / name, made / name)
    return made


def run(clone: Path, *arguments: str, cut_off: bool = True) -> subprocess.CompletedProcess[str]:
    python = str(Path(sys.base_prefix) / "bin" / "python3")
    command = [python, "dodo.py", *arguments]
    folder = clone.parent
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "STACK_CACHE": str(folder / "cache"),
        "STACK_STATE": str(folder / "state"),
        # The host's own settings may name files on this machine, which would be no network either.
        "PIP_CONFIG_FILE": os.devnull,
    }
    return subprocess.run(
        offline(*command) if cut_off else command,
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_namespace_has_no_way_out() -> None:
    if not can_cut_off():
        pytest.skip("no network namespaces here")
    address = socket.inet_ntoa(bytes([192, 0, 2, 1]))  # TEST-NET-1 (RFC 5737)
    code = f"import socket; socket.create_connection(('{address}', 80), 5)"
    ran = subprocess.run(
        offline(sys.executable, "-c", code), capture_output=True, text=True, timeout=60, check=False
    )
    assert "Network is unreachable" in ran.stderr


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.alone
def test_an_alert_is_proven_from_a_bundle_without_a_network(clone: Path) -> None:
    if not can_cut_off():
        pytest.skip("no network namespaces here")
    bundle = clone.parent / "bundle.tar"
    doit = [sys.executable, "-m", "stack.tasks"]
    made = subprocess.run(
        [*doit, "bundle", "--output", str(bundle)],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert made.returncode == 0, made.stderr

    without = run(clone, "status")
    assert (without.returncode, without.stdout) == (3, ""), "it found its way to an index"
    taken = run(clone, "import", str(bundle))
    assert taken.returncode == 0, taken.stderr
    assert "all of it matches the lock" in taken.stdout
    proven = run(clone, "verify-alerts", "--only", _ALERT)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert f"{_ALERT}" in proven.stdout
    assert "proven" in proven.stdout
