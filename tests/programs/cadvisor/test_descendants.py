"""When the process table is read again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stack.programs.cadvisor.descendants import REREAD_S, Descendants


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Kernel:
    """Its word on direct children, as a file, and how often the process table was read."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.proc = folder
        self.file = folder / f"{os.getpid()}/task/{os.getpid()}/children"
        self.file.parent.mkdir(parents=True)
        self.file.write_text("1 2")
        self.reads = 0
        self.clock = Clock()
        real = psutil.Process.children

        def counted(process: psutil.Process, recursive: bool = False) -> list[psutil.Process]:
            self.reads += 1
            return real(process, recursive=recursive)

        patch.setattr(psutil.Process, "children", counted)
        self.descendants = Descendants(os.getpid, proc=folder, clock=self.clock)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(tmp_path, monkeypatch)


@pytest.fixture
def child() -> Iterator[int]:
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def test_descendants_are_read_once_while_nothing_changes(kernel: Kernel, child: int) -> None:
    for _ in range(5):
        pid, found = kernel.descendants.of()
        # Others may be below as well: what other tests of this process keep running.
        assert pid == os.getpid()
        assert child in [one.pid for one in found]
    assert kernel.reads == 1


def test_descendants_are_read_again_when_a_child_comes_or_goes(kernel: Kernel) -> None:
    for count, children in enumerate(("1 2", "1 2 3", "1 3", ""), start=1):
        kernel.file.write_text(children)
        kernel.descendants.of()
        assert kernel.reads == count


def test_descendants_are_read_again_after_a_second(kernel: Kernel) -> None:
    kernel.descendants.of()
    kernel.clock.now = REREAD_S
    kernel.descendants.of()
    assert kernel.reads == 2


def test_descendants_are_read_each_time_where_the_kernel_does_not_report(kernel: Kernel) -> None:
    kernel.file.unlink()
    for _ in range(3):
        kernel.descendants.of()
    assert kernel.reads == 3
