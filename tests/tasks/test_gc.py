"""`doit gc` keeps what the lock pins and what instances run or ran, wherever these lie."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.run import generations
from stack.run.instance import FILE, Instance, Record, instances_dir
from stack.run.supervisor import SETTINGS
from stack.store import guard
from stack.store import lock as locks
from stack.store.packageset import PackageSet
from stack.tasks.gc import needed

OLD, OLDER, LOST = (f"{digit * 32}-{name}-1" for digit, name in zip("012", "abc", strict=True))

Make = Callable[..., Instance]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with three store paths that the lock does not name."""
    for name in (OLD, OLDER, LOST):
        (tmp_path / "store" / name).mkdir(parents=True)
        (tmp_path / "store" / name / "file").write_text("x" * 5000)
    (tmp_path / "store" / ".locks").mkdir()
    (tmp_path / "artifacts").mkdir()
    return tmp_path


@pytest.fixture
def make(state_dir: Path, tmp_path: Path) -> Make:
    """An instance that ran OLDER, then OLD."""

    def made(directory: Path) -> Instance:
        for hash_, name in (("a", OLDER), ("b", OLD)):
            record = Record(
                name=directory.name, speed=1, ports={}, packages={name[33:-2]: f"/store/{name}"},
                config_root="/", hash=hash_, created=0,
            )  # fmt: skip
            (directory / "config").mkdir(parents=True, exist_ok=True)
            (directory / SETTINGS).write_text("")
            record.write(directory)
            instance = generations.keep(Instance(record, directory))
        return instance

    return made


def test_what_the_lock_pins_is_needed_for_every_system(state_dir: Path, cache: Path) -> None:
    found = needed(PackageSet(cache=cache))
    lock = locks.load()
    assert found.artifacts == {artifact.sha256 for artifact in lock.artifacts}
    assert {name[33:] for name in found.store_names} >= {
        f"glibc-{lock.artifact('libc6', system).version}" for system in ("amd64", "arm64")
    }


def test_what_an_instance_runs_and_ran_is_needed(make: Make, cache: Path) -> None:
    instance = make(instances_dir() / "gc-one")
    assert {OLD, OLDER} <= needed(PackageSet(cache=cache)).store_names
    (instance.directory / FILE).unlink()
    assert {OLD, OLDER} <= needed(PackageSet(cache=cache)).store_names


def test_what_an_instance_needs_elsewhere_is_needed(
    make: Make, cache: Path, tmp_path: Path
) -> None:
    instance = make(tmp_path / "elsewhere" / "gc-two")
    guard.register(cache, instance.directory)
    guard.register(cache, tmp_path / "gone")
    assert {OLD, OLDER} <= needed(PackageSet(cache=cache)).store_names
    assert guard.registered(cache) == [instance.directory]
    assert len(list((cache / "roots").iterdir())) == 1
    guard.forget(cache, instance.directory)
    assert guard.registered(cache) == []


@pytest.mark.parametrize("of", ["instance", "generation"])
def test_record_that_cannot_be_read_ends_it(make: Make, cache: Path, of: str) -> None:
    instance = make(instances_dir() / "gc-three")
    folder = {"instance": "", "generation": "generations/1"}[of]
    good = (instance.directory / folder / FILE).read_text()
    (instance.directory / folder / FILE).write_text("[]")
    with pytest.raises(BadInput, match=f"{FILE}` cannot be read"):
        needed(PackageSet(cache=cache))
    (instance.directory / folder / FILE).write_text(good)


def test_task_tells_what_goes_and_what_stays(
    make: Make, cache: Path, doit, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(instances_dir() / "gc-four")
    monkeypatch.setenv("STACK_CACHE", str(cache))
    would = doit("gc", "--dry-run")
    assert would.returncode == 0, would.stderr
    assert would.stdout.splitlines() == [
        f"would remove store path {LOST}: 0.0 MB",
        "would free 0.0 MB (1 store path); 2 store paths are needed",
    ]
    done = doit("gc")
    assert done.stdout == would.stdout.replace("would remove", "removed").replace(
        "would free", "freed"
    )
    assert sorted(at.name for at in (cache / "store").glob("[0-9]*")) == [OLD, OLDER]
    assert doit("gc").stdout == "freed 0.0 MB (nothing to remove); 2 store paths are needed\n"


def test_task_ends_with_two_lines_when_a_record_is_broken(
    make: Make, cache: Path, doit, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = make(instances_dir() / "gc-five")
    good = Record.read(instance.directory)
    (instance.directory / FILE).write_text(json.dumps({"name": "gc-five"}))
    monkeypatch.setenv("STACK_CACHE", str(cache))
    done = doit("gc")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert (cache / "store" / LOST).is_dir()
    replace(good, generation=2).write(instance.directory)
