"""A full disk is the host's fault: exit code 3 and its name, no problem of the rules, no pass.

Where a test may mount, the disk is a real one of 256 KB; elsewhere its writes fail as on a full
one.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.check import notifications, passed_tests
from stack.check.configuration import load
from stack.check.programs import Programs, check_unit_tests, output
from stack.check.run import Setup
from stack.errors import HostCannot
from stack.paths import REPO, cache_dir

ON_A_DISK = """
mount -t tmpfs -o size=256k tmpfs "$TMPDIR" && head -c "$1" /dev/zero > "$TMPDIR/fill" 2> /dev/null
"""
"""Shell: a small disk over TMPDIR, with so many bytes on it; more than fit if it is to be full."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[str]:
    """No test is known to have passed; what is remembered as passed."""
    kept: set[str] = set()
    monkeypatch.setattr(passed_tests, "passed", lambda digest: False)
    monkeypatch.setattr(passed_tests, "remember", kept.add)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "full"))
    (tmp_path / "full").mkdir()
    return kept


@pytest.fixture
def refusing(asked: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write below TMPDIR fails, as Python says it."""
    real = Path.write_text

    def write_text(path: Path, *words: str, **named: str) -> int:
        if path.is_relative_to(tmp_path / "full"):
            raise OSError(28, "No space left on device")
        return real(path, *words, **named)

    monkeypatch.setattr(Path, "write_text", write_text)


def told(error: HostCannot, folder: Path) -> None:
    """It names the disk and the cure, in two lines."""
    assert error.exit_code == 3
    assert f"the disk of `{folder}` is full" in error.what
    assert "TMPDIR" in error.cure
    assert str(error).count("\n") == 1


def test_unit_tests_that_cannot_be_written_are_neither_failed_nor_passed(
    setup: Setup, refusing: None, asked: set[str], tmp_path: Path
) -> None:
    for file in load(setup.config_root).unit_tests[:2]:
        with pytest.raises(HostCannot) as raised:
            check_unit_tests(file, setup.programs)
        told(raised.value, tmp_path / "full")
    assert asked == set()


def test_messages_that_cannot_be_rendered_are_neither_wrong_nor_right(
    setup: Setup, refusing: None, asked: set[str], tmp_path: Path
) -> None:
    with pytest.raises(HostCannot) as raised:
        list(notifications.check(load(setup.config_root), setup.programs))
    told(raised.value, tmp_path / "full")
    assert asked == set()


def program(folder: Path, body: str) -> Path:
    path = folder / "promtool"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "said",
    [
        "write to WAL: log series: write $TMPDIR/test_storage1/wal/0: no space left on device",
        "write to WAL: log series: write $TMPDIR/test_storage1/wal/0: disk quota exceeded",
        "panic: preallocate: no space left on device",
    ],
)
def test_promtools_own_words_of_a_full_disk_are_the_hosts(
    setup: Setup, asked: set[str], tmp_path: Path, said: str
) -> None:
    tool = program(tmp_path, f'echo "  FAILED:"; echo "{said}" >&2; exit 1')
    file = load(setup.config_root).unit_tests[0]
    with pytest.raises(HostCannot) as raised:
        check_unit_tests(file, Programs(promtool=tool, amtool=tool))
    told(raised.value, tmp_path / "full")
    assert asked == set()


def test_what_a_test_expects_may_be_about_full_disks(tmp_path: Path, asked: set[str]) -> None:
    words = 'Labels:{msg="write /data/wal: no space left on device"}'
    good, said = output([program(tmp_path, f"echo '{words}'; exit 1")], tmp_path / "full")
    assert not good
    assert words in said


def test_a_program_that_is_killed_says_nothing_of_the_rules(tmp_path: Path) -> None:
    with pytest.raises(HostCannot, match="`promtool` was ended by SIGKILL"):
        output([program(tmp_path, "kill -9 $$")])


def test_a_folder_for_a_moment_that_is_not_there_is_named(
    setup: Setup, asked: set[str], tmp_path: Path
) -> None:
    (tmp_path / "full").rmdir()
    with pytest.raises(HostCannot, match=f"`{tmp_path}/full` cannot be used") as raised:
        check_unit_tests(load(setup.config_root).unit_tests[0], setup.programs)
    assert "TMPDIR" in raised.value.cure


Check = Callable[[Path, int], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """`check(cache, used)`: the task as its user starts it, on a disk with so many bytes used."""
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", tmp_path]
    if not shutil.which("unshare") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user may not mount")

    def run(cache: Path, used: int) -> "subprocess.CompletedProcess[str]":
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        script = f'{ON_A_DISK} exec "$2" dodo.py check'
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", script, "sh", str(used), sys.executable],
            cwd=REPO, env=os.environ | {"TMPDIR": str(scratch), "STACK_CACHE": str(cache)},
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The programs that are built already, and nothing that passed before."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o755)
    for name in ("store", "artifacts"):
        if (cache_dir() / name).exists():
            (folder / name).symlink_to(cache_dir() / name)
    return folder


def ended_with_3(done: "subprocess.CompletedProcess[str]", tmp_path: Path) -> None:
    """The check named the full disk, and nothing else."""
    assert done.returncode == 3, done.stdout + done.stderr
    said = [row for row in done.stderr.splitlines() if not row.endswith("…")]
    assert len(said) == 2, done.stderr
    assert f"the disk of `{tmp_path}/scratch` is full" in said[0]
    assert "TMPDIR" in said[1]
    assert "good" not in done.stdout


def test_check_on_a_full_disk_ends_with_3_and_names_it(
    check: Check, cache: Path, tmp_path: Path
) -> None:
    ended_with_3(check(cache, 1_000_000), tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("used", [1_000_000, 200_000], ids=["full", "once-promtool-writes"])
def test_check_on_a_full_disk_passes_no_test(
    check: Check, cache: Path, tmp_path: Path, used: int
) -> None:
    for _ in range(2):
        ended_with_3(check(cache, used), tmp_path)
