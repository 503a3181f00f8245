"""Realising is atomic, repeatable, safe to run twice at once, and says what is wrong."""

import multiprocessing
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import REPO
from stack.progress import Quiet
from stack.store import builder, lock, realisation, tree
from stack.store.packageset import closure, digest, realise
from stack.tasks.build import build

fork = multiprocessing.get_context("fork")


def leftovers(cache: Path) -> list[Path]:
    return sorted((cache / "store").glob(".building-*"))


def quietly(world: Any, *names: str) -> dict[str, Path]:
    return realise(names or None, world.package_set, Quiet())


def test_realise_gives_readable_sealed_store_paths(world: Any) -> None:
    paths = quietly(world)
    assert set(paths) == {"base", "tool"}
    tool = paths["tool"]
    assert tool.name.endswith("-tool-1.0")
    assert sorted(str(at.relative_to(tool)) for at in tool.rglob("*") if not at.is_dir()) == [
        "usr/bin/alias",
        "usr/bin/tool",
        "usr/lib/libtool.so",
    ]
    assert stat.S_IMODE((tool / "usr/bin/tool").stat().st_mode) == 0o555
    assert tree.manifest(tool).sha256 == world.lock.outputs["amd64", "tool"].sha256
    assert leftovers(world.cache) == []


def test_realise_twice_does_nothing_and_says_nothing(
    world: Any, mirror: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first = realise(package_set=world.package_set)
    capsys.readouterr()
    mirror.requests.clear()
    shutil.rmtree(world.cache / "artifacts")
    assert realise(package_set=world.package_set) == first
    assert mirror.requests == []
    assert capsys.readouterr() == ("", "")


def test_realise_makes_only_what_is_named(world: Any) -> None:
    assert set(quietly(world, "base")) == {"base"}
    assert len(list((world.cache / "store").glob("*-1.0"))) == 1


def test_build_prints_paths_and_totals(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    build(package_set=world.package_set)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 3
    assert out[0].split()[0] == "base"
    assert Path(out[1].split()[1]).is_dir()
    assert out[2].startswith("2 packages, 0.0 MB downloaded, ")


def test_closure_and_digest_build_nothing(world: Any, tmp_path: Path) -> None:
    assert {path.name.rsplit("-", 2)[1] for path in closure("tool", world.package_set)} == {"tool"}
    assert digest(["tool"], world.package_set) != digest(None, world.package_set)
    assert digest(None, world.package_set) == digest(
        None, world.elsewhere(tmp_path / "x").package_set
    )
    assert not world.cache.exists()


def test_realise_gives_the_same_under_any_umask_and_place(world: Any, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        there = quietly(world.elsewhere(tmp_path / "deep" / "er"))
    finally:
        os.umask(before)
    for name, path in quietly(world).items():
        assert path.name == there[name].name
        assert tree.manifest(path) == tree.manifest(there[name])
    for folder in there["tool"].relative_to(tmp_path).parents:
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) & 0o055 == 0o055 or folder == Path()


def test_realise_refuses_an_output_that_the_lock_does_not_want(world: Any) -> None:
    wrong = world.wanting("tool", "0" * 64)
    with pytest.raises(CheckFailed) as caught:
        quietly(wrong)
    found = world.lock.outputs["amd64", "tool"].sha256
    assert f"tree hash {found}, the lock expects {'0' * 64}" in str(caught.value)
    refused = Path(str(caught.value).split("its entries are in `")[1].split("`")[0])
    assert "usr/bin/tool" in refused.read_text()
    assert leftovers(world.cache) == []
    assert not any("-tool-" in at.name for at in (world.cache / "store").glob("*-1.0"))


def test_realise_names_what_differs_from_an_earlier_good_output(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = quietly(world)["tool"]
    real = builder.build

    def tampered(derivation: Any, read: Any, into: Path) -> None:
        real(derivation, read, into)
        (into / "usr/lib/libtool.so").write_text("changed")
        (into / "usr/new").write_text("new")

    tree.remove(tool)
    monkeypatch.setattr(builder, "build", tampered)
    with pytest.raises(CheckFailed, match=r"2 entries differ.*`usr/lib/libtool.so`, `usr/new`"):
        quietly(world, "tool")


def test_realise_refuses_a_package_without_output_hash(world: Any) -> None:
    del world.lock.outputs["amd64", "tool"]
    with pytest.raises(BadInput, match="no output hash for `tool` on amd64"):
        quietly(world)


def test_realise_suggests_the_nearest_package(world: Any) -> None:
    with pytest.raises(BadInput, match=r"(?s)`tol`.*Did you mean tool\?"):
        quietly(world, "tol")


def test_realise_refuses_a_wrong_artifact_and_keeps_what_is_good(world: Any) -> None:
    wrong = world.pinning("libtool", sha256="0" * 64)
    base = quietly(wrong, "base")["base"]
    with pytest.raises(CheckFailed, match="`libtool 1"):
        quietly(wrong)
    assert base.is_dir()
    assert leftovers(world.cache) == []


def test_realise_says_which_artifact_cannot_be_had(world: Any, mirror: Any) -> None:
    mirror.files.clear()
    with pytest.raises(HostCannot, match="is not available"):
        quietly(world)


def test_realise_fetches_a_truncated_artifact_again(world: Any, mirror: Any) -> None:
    base = quietly(world, "base")["base"]
    cached = world.cache / "artifacts" / world.artifacts["libbase"].sha256
    os.truncate(cached, 100)
    tree.remove(base)
    assert quietly(world, "base")["base"].is_dir()


def test_realise_refuses_a_place_that_the_loader_cannot_name(world: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="allows no"):
        quietly(world.elsewhere(tmp_path / "a:b"))


def test_realise_says_where_it_may_not_write(world: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(HostCannot, match="cannot be used"):
        quietly(world.elsewhere(tmp_path / "file"))


def killed_while_building(world: Any) -> None:
    """Start a build in another process and kill it when it has written half an output."""
    receiving, sending = fork.Pipe(duplex=False)

    def hang(derivation: Any, read: Any, into: Path) -> None:
        (into / "half").write_text("half")
        sending.send("half way")
        threading.Event().wait()

    def child() -> None:
        builder.build = hang
        quietly(world, "tool")

    process = fork.Process(target=child)
    process.start()
    assert receiving.poll(60)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()


def test_realise_trusts_nothing_of_a_killed_build_and_sweeps_it(world: Any) -> None:
    killed_while_building(world)
    assert len(leftovers(world.cache)) == 1
    # Not the same package: any next build sweeps.
    quietly(world, "base")
    assert leftovers(world.cache) == []
    tool = quietly(world, "tool")["tool"]
    assert tree.manifest(tool).sha256 == world.lock.outputs["amd64", "tool"].sha256


def test_realise_leaves_alone_what_another_build_is_at(world: Any) -> None:
    (world.cache / "store" / ".locks").mkdir(parents=True)
    busy = world.cache / "store" / ".building-0-other-1"
    busy.mkdir()
    with realisation.locked(world.cache / "store" / ".locks" / "0-other-1"):
        quietly(world)
        assert leftovers(world.cache) == [busy]


def test_realise_by_two_processes_at_once_gives_one_output(world: Any, mirror: Any) -> None:
    barrier = fork.Barrier(2)

    def child() -> None:
        barrier.wait()
        quietly(world)

    both = [fork.Process(target=child) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert len(mirror.requests) == 3
    assert leftovers(world.cache) == []
    mirror.requests.clear()
    quietly(world)
    assert mirror.requests == []


# Realises the world's packages from nothing but files: for other users and namespaces.
_SCRIPT = """
import sys
from pathlib import Path
from stack.errors import LabError
from stack.store import lock
from stack.store.packageset import PackageSet, realise
from stack.store.derivation import Package
file, mirror, cache = sys.argv[1:]
packages = (
    Package(name="base", debs=("libbase",)),
    Package(name="tool", debs=("tool", "libtool"), drop=("usr/share/doc/*",)),
)
package_set = PackageSet(lock=lock.load(Path(file)), packages=packages, system="amd64",
                cache=Path(cache), mirrors=(mirror,))
try:
    print(*realise(package_set=package_set).values(), sep="\\n")
except LabError as error:
    sys.exit(f"{error.exit_code} {error}")
"""


def script(world: Any, cache: Path) -> list[str]:
    """The command that realises the world in `cache`."""
    world.lock.file.write_text(lock.text(world.lock))
    return [
        sys.executable,
        "-c",
        _SCRIPT,
        str(world.lock.file),
        world.package_set.mirrors[0],
        str(cache),
    ]


_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def can_mount() -> bool:
    tried = [*_UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(tried, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="no user namespaces here")
def test_realise_on_a_full_disk_says_so_and_leaves_nothing(world: Any, tmp_path: Path) -> None:
    cache = tmp_path / "small"
    (cache / "store").mkdir(parents=True)
    inside = (
        'mount -t tmpfs -o size=100k none "$0/store" && "$@"; code=$?; '
        'ls -A "$0/store" | grep building; exit $code'
    )
    ran = subprocess.run(
        [*_UNSHARE, "sh", "-c", inside, str(cache), *script(world, cache)],
        capture_output=True,
        text=True,
        cwd=REPO,
        timeout=60,
        check=False,
    )
    # Outputs are made side by side: any of them may be the first to find no room.
    full = rf"^3 the disk of `{re.escape(str(cache / 'store'))}` is full: \d+ bytes are needed"
    assert re.search(full, ran.stderr, re.MULTILINE), ran.stderr
    assert ".building" not in ran.stdout
    assert "Traceback" not in ran.stderr


def test_realise_gives_the_same_to_another_user(
    world: Any, open_folder: Path, other_user: dict[str, object]
) -> None:
    command = script(world, open_folder / "cache")
    command[3] = shutil.copy(world.lock.file, open_folder)
    (open_folder / "lock.toml").chmod(0o644)
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **other_user,  # type: ignore[call-overload]
    )
    assert ran.returncode == 0, ran.stderr
    mine = quietly(world)
    for name, path in zip(("base", "tool"), ran.stdout.split(), strict=True):
        assert Path(path).name == mine[name].name
        assert tree.manifest(Path(path)) == tree.manifest(mine[name])
