"""Whatever bytes come from elsewhere, a reader takes them or refuses them in its own words, soon
and in little memory."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from stack.paths import REPO
from tests.fuzz.harness import MOST_BYTES, MOST_S, made, play, run
from tests.fuzz.targets import TARGETS

INPUTS = int(os.environ.get("FUZZ_INPUTS", "1000000"))
"""Of each reader, in the long run."""

FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
"""Of the long run: from another number on come other inputs."""

by_name = pytest.mark.parametrize("name", TARGETS)


@by_name
def test_good_inputs_are_good(name: str) -> None:
    """A table of inputs that are refused at once would find nothing."""
    target = TARGETS[name]
    for seed in target.seeds:
        target.feed(seed)


@by_name
def test_no_input_surprises_a_reader(name: str) -> None:
    target = TARGETS[name]
    assert not [str(found) for found in run(target, 0, target.short)]


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
@by_name
def test_no_input_of_many_surprises_a_reader(name: str) -> None:
    """In a process of its own: memory is that of the reader alone, and a crash is told."""
    command = [sys.executable, "-m", "tests.fuzz", name, str(FIRST), str(INPUTS)]
    done = subprocess.run(command, cwd=REPO, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout.splitlines()[-1:])
    assert done.returncode == 0, done.stdout[-5000:]


def test_input_is_the_same_every_time() -> None:
    for target in TARGETS.values():
        assert [made(target, n) for n in range(60, 80)] == [made(target, n) for n in range(60, 80)]


def test_finding_says_how_to_play_it_again() -> None:
    def breaks(data: bytes) -> None:
        raise KeyError(len(data))

    target = replace(TARGETS["labels"], feed=breaks, raises=())
    assert "python -m tests.fuzz labels 7" in str(play(target, 7))
    assert play(replace(target, raises=(KeyError,)), 7) is None


@pytest.mark.nightly
def test_reader_that_hangs_takes_much_or_too_long_is_found() -> None:
    def hangs(data: bytes) -> None:
        while True:
            pass

    def takes_long(data: bytes) -> None:
        began = time.process_time()
        while time.process_time() - began < MOST_S * 1.1:
            pass

    held: list[bytearray] = []
    target = TARGETS["labels"]
    assert "Hangs: still reads" in str(play(replace(target, feed=hangs), 7))
    assert "takes 1." in str(play(replace(target, feed=takes_long), 7))
    grows = replace(target, feed=lambda data: held.append(bytearray(b"x") * (1 << 20)), seeds=[b""])
    assert ["grew by" in str(found) for found in run(grows, 0, 2 * (MOST_BYTES >> 20))] == [True]
