"""Whenever a build or a repair is killed, the store holds nothing that is not as it should be."""

import itertools
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.paths import cache_dir
from stack.progress import Quiet
from stack.store import tree
from stack.store.packageset import PackageSet, realise
from stack.store.verify import verified
from tests.store.elsewhere import fork

_STEPS = {"open", "os.mkdir", "os.rename", "os.chmod", "os.utime", "os.symlink", "os.remove"}
_STEPS |= {"os.rmdir", "fcntl.flock"}
"""Python's audit events that are steps: whatever touches the file system."""


def steps(function: Callable[[], Any], kill_at: int = -1) -> int:
    """Run it in a process, which kills itself before the step `kill_at`. Steps taken, or -1 if it
    was killed."""
    receiving, sending = fork.Pipe(duplex=False)

    def child() -> None:
        taken = itertools.count()
        own = os.getpid()

        def hook(event: str, arguments: object) -> None:
            if event in _STEPS and next(taken) == kill_at:
                os.kill(own, signal.SIGKILL)

        sys.addaudithook(hook)
        function()
        sending.send(next(taken))

    process = fork.Process(target=child)
    process.start()
    sending.close()
    try:
        return int(receiving.recv())
    except EOFError:
        return -1
    finally:
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)


def some(count: int, whole: int) -> list[int]:
    """`count` steps out of `whole` (all, if there are fewer), in the same random order always."""
    return random.Random(9).sample(range(whole), min(count, whole))


def build(package_set: PackageSet) -> Callable[[], dict[str, Path]]:
    return lambda: realise(None, package_set, Quiet())


def wrong(package_set: PackageSet) -> list[str]:
    return [f"{each.what}: {each.then}" for each in verified((), package_set, Quiet()).findings]


def empty(store: Path) -> None:
    for at in store.glob("[0-9a-f]*"):
        tree.remove(at)


def killed_builds(package_set: PackageSet, store: Path, *, times: int) -> None:
    """Kill builds at random steps, each with what the last one left."""
    names = set(build(package_set)())
    empty(store)
    whole = steps(build(package_set))
    empty(store)
    for step in some(times, whole):
        # What is here already makes for fewer steps.
        if steps(build(package_set), kill_at=step) >= 0:
            empty(store)
            steps(build(package_set), kill_at=step)
        assert wrong(package_set) == [], f"killed at step {step}"
    assert set(build(package_set)()) == names
    assert wrong(package_set) == []
    assert not list(store.glob(".building-*"))


def killed_repairs(package_set: PackageSet, store: Path, damaged: Path, *, times: int) -> None:
    build(package_set)()

    def damage() -> None:
        damaged.chmod(0o644)
        damaged.write_bytes(b"damaged" + bytes(damaged.stat().st_size))

    damage()
    whole = steps(lambda: wrong(package_set))
    for step in some(times, whole):
        damage()
        steps(lambda: wrong(package_set), kill_at=step)
        assert all(line.endswith("repaired") for line in wrong(package_set)), (
            f"killed at step {step}"
        )
        assert wrong(package_set) == []
        assert not list(store.glob(".building-*"))


EVERY = 10_000


def test_build_killed_at_any_step_leaves_a_valid_store(world: Any) -> None:
    killed_builds(world.package_set, world.cache / "store", times=EVERY)


@pytest.mark.parametrize(
    "times", [8, pytest.param(EVERY, marks=pytest.mark.nightly)], ids=["8 steps", "every step"]
)
def test_repair_killed_can_be_repeated(world: Any, times: int) -> None:
    tool = build(world.package_set)()["tool"]
    killed_repairs(world.package_set, world.cache / "store", tool / "usr/bin/tool", times=times)


@pytest.fixture
def real(open_folder: Path) -> PackageSet:
    """All packages in a store of its own, from the artifacts that are here."""
    cache = open_folder / "cache"
    realise()
    shutil.copytree(cache_dir() / "artifacts", cache / "artifacts")
    return PackageSet(cache=cache)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_build_of_everything_killed_fifty_times_leaves_a_valid_store(
    real: PackageSet, open_folder: Path
) -> None:
    killed_builds(real, open_folder / "cache" / "store", times=50)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_repair_of_a_package_killed_fifty_times_can_be_repeated(
    real: PackageSet, open_folder: Path
) -> None:
    server = build(real)()["postgresql"] / "libexec" / "postgres"
    killed_repairs(real, open_folder / "cache" / "store", server, times=50)
