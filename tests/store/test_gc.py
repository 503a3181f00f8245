"""What nobody needs goes, whole; what is needed, runs or is being built stays."""

import errno
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput, HostCannot
from stack.progress import Quiet
from stack.store import builder, guard, references, tree
from stack.store.disk import locked
from stack.store.gc import Collected, Needed, collect
from stack.store.packageset import realise
from stack.store.realisation import Store

fork = multiprocessing.get_context("fork")

NOTHING = Needed(store_names=frozenset(), artifacts=frozenset())


@pytest.fixture
def paths(world: Any) -> dict[str, Path]:
    return realise(None, world.package_set, Quiet())


@pytest.fixture
def store(world: Any, paths: dict[str, Path]) -> Store:
    return world.package_set.store(world.lock)


def needing(*kept: Path, artifacts: frozenset[str] = frozenset()) -> Needed:
    return Needed(store_names=frozenset(path.name for path in kept), artifacts=artifacts)


def run(store: Store, needed: Needed = NOTHING, *, dry_run: bool = False) -> Collected:
    return collect(store, lambda: needed, dry_run=dry_run)


def store_paths(store: Store) -> set[str]:
    return {at.name for at in store.folder.iterdir() if not at.name.startswith(".")}


def told(found: Collected) -> set[tuple[str, str]]:
    return {(each.kind, each.path.name) for each in found.garbage}


def test_gc_without_a_store_does_nothing(world: Any) -> None:
    assert run(world.package_set.store(world.lock)).garbage == ()
    assert not world.cache.exists()


def test_gc_removes_nothing_that_is_needed(
    world: Any, store: Store, paths: dict[str, Path]
) -> None:
    needed = needing(*paths.values(), artifacts=frozenset(a.sha256 for a in world.lock.artifacts))
    found = run(store, needed)
    assert found == Collected(garbage=(), kept=needed.store_names)
    assert run(store, needed) == found
    assert store_paths(store) == needed.store_names


def test_gc_removes_what_is_not_needed_with_its_artifact(
    world: Any, store: Store, paths: dict[str, Path]
) -> None:
    found = run(
        store, needing(paths["tool"], artifacts=frozenset({world.artifacts["tool"].sha256}))
    )
    assert told(found) == {
        ("store path", paths["base"].name),
        ("manifest", paths["base"].name),
        ("artifact", world.artifacts["libbase"].sha256),
        ("artifact", world.artifacts["libtool"].sha256),
    }
    assert 200_000 < found.garbage[0].size_bytes < 300_000
    assert store_paths(store) == found.kept == {paths["tool"].name}
    assert sorted((store.folder / ".manifests").iterdir()) == [
        store.folder / ".manifests" / paths["tool"].name
    ]
    assert realise(None, world.package_set, Quiet()) == paths


def test_gc_dry_run_tells_the_same_and_removes_nothing(store: Store) -> None:
    before = sorted(store.folder.parent.rglob("*"))
    found = run(store, dry_run=True)
    assert sorted(store.folder.parent.rglob("*")) == before
    assert told(run(store)) == told(found)
    assert store_paths(store) == set()


_USES = {
    "working there": "os.chdir(sys.argv[1])",
    "mapping a file": "file = open(sys.argv[1] + '/usr/lib/libtool.so'); "
    "held = mmap.mmap(file.fileno(), 0, prot=1); file.close()",
    "named in its arguments": "",
}


@pytest.fixture(params=_USES, ids=list(_USES))
def using(request: pytest.FixtureRequest, paths: dict[str, Path]) -> Iterator[None]:
    """A process that is in no record uses the tool."""
    program = f"import mmap, os, sys\n{_USES[request.param]}\nprint('there', flush=True)\n"
    if _USES[request.param]:
        # Its own arguments must not give it away: they come by another way.
        program = f"import sys; sys.argv.append(sys.stdin.readline()[:-1])\n{program}"
    command = [sys.executable, "-c", f"{program}sys.stdin.read()"]
    if not _USES[request.param]:
        command.append(str(paths["tool"]))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdin is not None
        assert one.stdout is not None
        if _USES[request.param]:
            one.stdin.write(f"{paths['tool']}\n")
            one.stdin.flush()
        assert one.stdout.readline() == "there\n"
        yield
        one.stdin.close()


def test_gc_keeps_what_a_process_uses(store: Store, paths: dict[str, Path], using: None) -> None:
    assert run(store).kept == {paths["tool"].name}
    assert store_paths(store) == {paths["tool"].name}


def test_closed_follows_links_and_texts(tmp_path: Path) -> None:
    names = [f"{digit * 32}-{name}-1" for digit, name in enumerate_hex("abcd")]
    for name in names:
        (tmp_path / name / "bin").mkdir(parents=True)
    a, b, c, d = names
    (tmp_path / a / "bin" / "link").symlink_to(f"../../{b}/bin")
    (tmp_path / b / "bin" / "launcher").write_bytes(b"\x7fELF\0\2/" + c.encode() + b"/usr/lib\0\1")
    (tmp_path / d / "bin" / "link").symlink_to(f"../../{a}")
    assert references.closed([a], tmp_path, set(names)) == {a, b, c}
    assert references.closed([], tmp_path, set(names)) == set()


def enumerate_hex(words: str) -> list[tuple[str, str]]:
    return [(f"{nth:x}", word) for nth, word in enumerate(words)]


def test_mentioned_knows_a_name_with_something_behind_it() -> None:
    name = f"{'0' * 32}-tool-1.0"
    assert references.mentioned(f"x{name}.drv:/y".encode(), {name, f"{name}.1"}) == {name}
    assert references.mentioned(name[:-1].encode(), {name}) == set()


def test_gc_sweeps_what_killed_ones_left(store: Store, world: Any, paths: dict[str, Path]) -> None:
    pinned = world.artifacts["tool"].sha256
    for name in (".building-0-dead-1", ".building-0-busy-1", ".gone-0-half-1"):
        (store.folder / name / "usr").mkdir(parents=True)
    (store.folder.parent / "lock-half").mkdir()
    (store.folder.parent / "reproduce-half").mkdir()
    for name in (f"{pinned}.part", f"{'0' * 64}.part"):
        (store.artifacts / name).write_text("half")
    with locked(store.lock_file("0-busy-1")):
        found = run(store, needing(*paths.values(), artifacts=frozenset({pinned})))
    assert {each.path.name for each in found.garbage if each.path.parent != store.artifacts} == {
        ".building-0-dead-1",
        ".gone-0-half-1",
        "lock-half",
        "reproduce-half",
    }
    assert sorted(at.name for at in store.folder.glob(".building*")) == [".building-0-busy-1"]
    # The half of what is needed continues where it broke.
    assert {at.name for at in store.artifacts.iterdir()} == {pinned, f"{pinned}.part"}


def test_gc_waits_for_who_uses_the_store(store: Store) -> None:
    waits, done = threading.Event(), threading.Event()

    def clear() -> None:
        collect(store, lambda: NOTHING, dry_run=False, waiting=waits.set)
        done.set()

    with guard.in_use(store.folder):
        thread = threading.Thread(target=clear)
        thread.start()
        assert waits.wait(30)
        assert store_paths(store)
        assert not done.is_set()
    thread.join(30)
    assert store_paths(store) == set()


def test_gc_that_cannot_tell_what_is_needed_removes_nothing(store: Store) -> None:
    def broken() -> Needed:
        raise BadInput("a record cannot be read")

    before = store_paths(store)
    with pytest.raises(BadInput):
        collect(store, broken, dry_run=False)
    assert store_paths(store) == before


def test_gc_says_where_it_may_not_remove(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(root: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(root))

    monkeypatch.setattr(tree, "remove", refuse)
    with pytest.raises(HostCannot, match=f"`{store.folder}` cannot be used: Permission denied"):
        run(store)


def test_gc_waits_for_a_build(
    world: Any, store: Store, paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, waits = builder.build, threading.Event()
    clearing = threading.Thread(
        target=lambda: collect(store, lambda: NOTHING, dry_run=False, waiting=waits.set)
    )

    def build(*arguments: Any) -> None:
        clearing.start()
        assert waits.wait(30)
        real(*arguments)

    tree.remove(paths["base"])
    monkeypatch.setattr(builder, "build", build)
    realise(["base"], world.package_set, Quiet())
    clearing.join(30)
    assert store_paths(store) == set()


def test_gc_beside_builds_never_takes_what_somebody_uses(world: Any, store: Store) -> None:
    """Two keep building and looking, one clears out all that nobody holds."""
    built = fork.Event()

    def build() -> None:
        for _ in range(20):
            with guard.in_use(store.folder):
                made = realise(None, world.package_set, Quiet())
                for _ in range(20):
                    for name, path in made.items():
                        wanted = world.lock.outputs["amd64", name].sha256
                        assert tree.manifest(path).sha256 == wanted

    def clear() -> None:
        while not built.is_set():
            run(store)

    builders = [fork.Process(target=build) for _ in range(2)]
    clearer = fork.Process(target=clear)
    for process in (clearer, *builders):
        process.start()
    for process in builders:
        process.join()
    built.set()
    clearer.join()
    assert [process.exitcode for process in (clearer, *builders)] == [0, 0, 0]


def test_gc_that_ends_half_way_leaves_no_half_under_a_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(root: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tree, "remove", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run(store)
    assert len(store_paths(store)) == 1
    assert len(list(store.folder.glob(".gone-*"))) == 1
    run(store)
    assert not list(store.folder.glob(".gone-*"))


def _killed_at_random(store: Store, paths: dict[str, Path], times: int) -> None:
    """kill -9 a gc again and again: what then has a store path's name is one, whole."""
    chance = random.Random(7)
    longest_s = 0.1  # about what it takes undisturbed
    tool = paths["tool"]
    big = store.folder.parent / "big"
    for number in range(60):
        (big / f"folder-{number % 7}").mkdir(parents=True, exist_ok=True)
        (big / f"folder-{number % 7}" / str(number)).write_text(str(number))
    tree.seal(big)
    sha256 = tree.manifest(big).sha256
    for nth in range(times):
        for other in range(3):
            name = f"{nth:016x}{other:016x}-big-1"
            shutil.copytree(big, store.folder / name)
            (store.folder / ".manifests" / name).write_text(sha256)
        process = fork.Process(target=run, args=(store, needing(tool)))
        process.start()
        process.join(chance.uniform(0, longest_s))
        process.kill()  # it may have ended by itself
        process.join()
        for name in store_paths(store):
            wanted = (store.folder / ".manifests" / name).read_text().partition("\n")[0]
            assert tree.manifest(store.folder / name).sha256 == wanted
        assert tool.is_dir()
    run(store, needing(tool))
    assert store_paths(store) == {tool.name}
    assert {at.name for at in store.folder.iterdir() if at.is_dir()} == {
        tool.name,
        ".locks",
        ".manifests",
    }


def test_killed_gc_leaves_only_whole_store_paths(store: Store, paths: dict[str, Path]) -> None:
    _killed_at_random(store, paths, 5)


@pytest.mark.nightly
def test_gc_killed_fifty_times_leaves_only_whole_store_paths(
    store: Store, paths: dict[str, Path]
) -> None:
    _killed_at_random(store, paths, 50)
