"""Whatever bytes come from elsewhere, a reader takes them or refuses them in its own words, soon
and in little memory."""

import os
import subprocess
import sys

import pytest

from stack.paths import REPO
from tests.fuzz.harness import play, run
from tests.fuzz.targets import TARGETS

INPUTS = int(os.environ.get("FUZZ_INPUTS", "1000000"))
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
    from tests.fuzz.harness import made

    for target in TARGETS.values():
        assert [made(target, n) for n in range(60, 80)] == [made(target, n) for n in range(60, 80)]


def test_finding_says_how_to_play_it_again() -> None:
    from dataclasses import replace

    def breaks(data: bytes) -> None:
        raise KeyError(len(data))

    target = replace(TARGETS["labels"], feed=breaks, raises=())
    assert "python -m tests.fuzz labels 7" in str(play(target, 7))
    assert play(replace(target, raises=(KeyError,)), 7) is None
