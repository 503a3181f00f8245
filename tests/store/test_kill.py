"""Whenever a build or a repair is killed, the store holds nothing that is not as it should be."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.paths import cache_dir
from stack.store import Source, realise, tree
from stack.store.progress import Quiet
from stack.store.verify import verified
from tests.store.elsewhere import fork


def killed(function: Callable[[], Any], after_s: float) -> bool:
    """Run it in a process, and kill that so many seconds after it begins. False if it had ended."""
    receiving, sending = fork.Pipe(duplex=False)

    def child() -> None:
        sending.send("begins")
        function()

    process = fork.Process(target=child)
    process.start()
    assert receiving.poll(120)
    process.join(after_s)
    process.kill()
    process.join()
    return process.exitcode != 0


def wrong(source: Source) -> list[str]:
    return [f"{each.what}: {each.then}" for each in verified((), source, Quiet()).findings]


def empty(store: Path) -> None:
    for at in store.glob("[0-9a-f]*"):
        tree.remove(at)


def takes_s(function: Callable[[], Any]) -> float:
    began = time.monotonic()
    function()
    return time.monotonic() - began


def killed_builds(source: Source, store: Path, *, times: int) -> None:
    """Kill builds after random times, beginning each with what the last one left. Whenever one has
    ended nevertheless, the next begins anew."""
    chance = random.Random(9)
    names = set(realise(None, source, Quiet()))
    empty(store)
    whole_s = takes_s(lambda: realise(None, source, Quiet()))
    empty(store)
    kills = 0
    while kills < times:
        if killed(lambda: realise(None, source, Quiet()), chance.uniform(0, whole_s)):
            kills += 1
            assert wrong(source) == []
        else:
            empty(store)
    assert set(realise(None, source, Quiet())) == names
    assert wrong(source) == []
    assert not list(store.glob(".building-*"))


def killed_repairs(source: Source, store: Path, damaged: Path, *, times: int) -> None:
    chance = random.Random(9)
    realise(None, source, Quiet())

    def damage() -> None:
        damaged.chmod(0o644)
        damaged.write_bytes(b"damaged" + bytes(damaged.stat().st_size))

    damage()
    whole_s = takes_s(lambda: wrong(source))
    for _ in range(times):
        damage()
        killed(lambda: wrong(source), chance.uniform(0, whole_s))
        assert all(line.endswith("repaired") for line in wrong(source))
        assert wrong(source) == []
        assert not list(store.glob(".building-*"))


def test_build_killed_at_any_moment_leaves_a_valid_store(world: Any) -> None:
    killed_builds(world.source, world.cache / "store", times=8)


def test_repair_killed_at_any_moment_can_be_repeated(world: Any) -> None:
    tool = realise(None, world.source, Quiet())["tool"]
    killed_repairs(world.source, world.cache / "store", tool / "usr/bin/tool", times=8)


@pytest.fixture
def real(open_folder: Path) -> Source:
    """All packages in a store of its own, from the artifacts that are here."""
    cache = open_folder / "cache"
    realise()
    shutil.copytree(cache_dir() / "artifacts", cache / "artifacts")
    return Source(cache=cache)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_build_of_everything_killed_fifty_times_leaves_a_valid_store(
    real: Source, open_folder: Path
) -> None:
    killed_builds(real, open_folder / "cache" / "store", times=50)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_repair_of_a_package_killed_fifty_times_can_be_repeated(
    real: Source, open_folder: Path
) -> None:
    server = realise(None, real, Quiet())["postgresql"] / "libexec" / "postgres"
    killed_repairs(real, open_folder / "cache" / "store", server, times=50)
