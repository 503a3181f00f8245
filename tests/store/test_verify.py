"""What is damaged in the store or among the artifacts is found, named and repaired."""

import os
import random
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput
from stack.paths import cache_dir
from stack.progress import Quiet
from stack.store import lock, tree
from stack.store.packageset import PackageSet, realise
from stack.store.verify import Checked, verified
from tests.store.elsewhere import as_another_user, without_writing


def verify(package_set: PackageSet, *packages: str) -> Checked:
    return verified(packages, package_set, Quiet())


def told(checked: Checked) -> list[str]:
    return [f"{each.what}: {each.then}" for each in checked.findings]


@pytest.fixture
def tool(world: Any) -> Path:
    return realise(None, world.package_set, Quiet())["tool"]


def writable(path: Path) -> Path:
    for each in (path.parent, path):
        if each.exists() and not each.is_symlink():
            each.chmod(each.stat().st_mode | stat.S_IWUSR)
    return path


def test_what_is_good_is_counted_and_left_alone(world: Any, tool: Path) -> None:
    before = {at: at.lstat() for at in world.cache.rglob("*")}
    checked = verify(world.package_set)
    assert (checked.store_paths, checked.artifacts, checked.findings) == (2, 3, [])
    kept = {at: at.lstat() for at in world.cache.rglob("*") if at.name != ".gc.lock"}
    assert {at: (s.st_ino, s.st_mtime_ns) for at, s in kept.items()} == {
        at: (s.st_ino, s.st_mtime_ns) for at, s in before.items() if at in kept
    }


def test_nothing_built_is_nothing_wrong(world: Any) -> None:
    assert verify(world.package_set) == Checked()


def test_only_named_packages_are_looked_at(world: Any, tool: Path) -> None:
    checked = verify(world.package_set, "base")
    assert (checked.store_paths, checked.artifacts, checked.files) == (1, 1, 3)
    with pytest.raises(BadInput, match=r"(?s)`tol`.*tool"):
        verify(world.package_set, "tol")


def flip(file: Path, at: int = 0, bit: int = 0) -> None:
    """Change nothing but one bit of the content."""
    content, mode = bytearray(file.read_bytes()), file.stat().st_mode
    content[at] ^= 1 << bit
    file.chmod(0o644)
    file.write_bytes(content)
    file.chmod(mode)


def replace_by_folder(at: Path) -> None:
    writable(at).unlink()
    at.mkdir()
    (at / "inside").touch()


def replace_by_file(at: Path) -> None:
    tree.remove(writable(at))
    at.touch()


def replace_by_link(at: Path) -> None:
    tree.remove(writable(at))
    at.symlink_to("nowhere")


def relink(at: Path) -> None:
    writable(at).unlink()
    at.symlink_to("/etc/passwd")


def make_pipe(at: Path) -> None:
    writable(at).unlink()
    os.mkfifo(at)


@pytest.mark.parametrize(
    ("path", "damage", "words"),
    [
        pytest.param("usr/bin/tool", flip, "is not as it was built", id="bit"),
        pytest.param("usr/bin/tool", lambda at: writable(at).unlink(), "is missing", id="gone"),
        pytest.param("usr/new", lambda at: writable(at).touch(), "does not belong", id="new"),
        pytest.param("usr/bin/alias", relink, "is not as it was built", id="link"),
        pytest.param("usr/bin/tool", replace_by_folder, "is not as it", id="file as folder"),
        pytest.param("usr/bin", replace_by_file, "is not as it was built", id="folder as file"),
        pytest.param("usr", replace_by_link, "is not as it was built", id="folder as link"),
        pytest.param("usr/bin/tool", make_pipe, "is not a file, folder or link", id="pipe"),
        pytest.param("usr/bin/tool", lambda at: at.chmod(0o4555), "the mode 4555", id="setuid"),
        pytest.param("usr/bin/tool", lambda at: at.chmod(0o755), "the mode 755", id="writable"),
        pytest.param("usr/bin/tool", lambda at: at.chmod(0o444), "not as it", id="not executable"),
        pytest.param("usr/lib", lambda at: at.chmod(0o777), "the mode 777", id="folder's mode"),
        pytest.param(".", lambda at: at.chmod(0o755), "`.` has the mode 755", id="its own folder"),
    ],
)
def test_damage_is_named_and_repaired(
    world: Any, tool: Path, path: str, damage: Callable[[Path], None], words: str
) -> None:
    good = tree.manifest(tool)
    damage(tool / path)
    found = told(verify(world.package_set))
    (line,) = (line for line in found if f"`{path}`" in line)
    assert line.startswith(f"{tool.name}: `{path}` ")
    assert words in line
    assert all(line.endswith(": repaired") for line in found)
    assert tree.manifest(tool) == good
    assert stat.S_IMODE(tool.stat().st_mode) == 0o555
    assert told(verify(world.package_set)) == []
    assert not list((world.cache / "store").glob(".building-*"))


def test_repair_touches_only_what_is_damaged(world: Any, tool: Path) -> None:
    """So that a running program keeps its folders and its files."""
    before = {at: at.lstat().st_ino for at in (tool, *tool.rglob("*"))}
    with (tool / "usr/bin/tool").open("rb") as running:
        flip(tool / "usr/bin/tool", 3)
        wrong = running.read()
        verify(world.package_set)
        running.seek(0)
        assert running.read() == wrong
    after = {at: at.lstat().st_ino for at in (tool, *tool.rglob("*"))}
    assert {at for at in before if before[at] != after[at]} == {tool / "usr/bin/tool"}


@pytest.mark.parametrize("damage", [flip, Path.unlink], ids=["bit", "gone"])
def test_damaged_manifest_is_written_again(
    world: Any, tool: Path, damage: Callable[[Path], None]
) -> None:
    manifest = world.cache / "store" / ".manifests" / tool.name
    before = manifest.read_bytes()
    damage(manifest)
    assert told(verify(world.package_set)) == [
        f"{tool.name}: its manifest is gone or damaged: written again"
    ]
    assert manifest.read_bytes() == before


def test_damage_without_a_manifest_is_named_after_all(world: Any, tool: Path) -> None:
    (world.cache / "store" / ".manifests" / tool.name).unlink()
    flip(tool / "usr/bin/tool")
    assert told(verify(world.package_set)) == [
        f"{tool.name}: `usr/bin/tool` is not as it was built: repaired"
    ]


@pytest.fixture
def artifact(world: Any, tool: Path) -> Path:
    return Path(world.cache) / "artifacts" / world.artifacts["libtool"].sha256


def test_damaged_artifact_is_fetched_again(world: Any, artifact: Path) -> None:
    good = artifact.read_bytes()
    flip(artifact, 70)
    (line,) = told(verify(world.package_set))
    assert line.startswith(f"artifact `libtool 1.0 (amd64)`, `{artifact.name}`, has the SHA-256 ")
    assert line.endswith(": fetched again")
    assert artifact.read_bytes() == good


def test_damaged_artifact_and_output_are_both_repaired(
    world: Any, tool: Path, artifact: Path
) -> None:
    flip(artifact, 70)
    flip(tool / "usr/lib/libtool.so")
    assert [line.rpartition(": ")[2] for line in told(verify(world.package_set))] == [
        "fetched again",
        "repaired",
    ]
    assert told(verify(world.package_set)) == []


def test_what_cannot_be_repaired_fails_and_is_kept(
    world: Any, mirror: Any, tool: Path, artifact: Path
) -> None:
    flip(artifact, 70)
    flip(tool / "usr/bin/tool")
    mirror.files.clear()
    checked = verify(world.package_set)
    assert [each.repaired for each in checked.findings] == [False, False]
    why = (
        "cannot be repaired: artifact `libtool 1.0 (amd64)` is not available from any mirror: http"
    )
    assert f"`usr/bin/tool` is not as it was built: {why}" in told(checked)[1]
    assert artifact.exists()
    assert (tool / "usr/bin/tool").exists()


def test_what_no_lock_names_is_checked_by_its_manifest(world: Any, tool: Path) -> None:
    older = world.pinning("tool", version="2.0").package_set
    assert told(verify(older)) == []
    flip(tool / "usr/bin/tool")
    (line,) = told(verify(older))
    assert "`usr/bin/tool` is not as it was built: the lock does not name it" in line
    (world.cache / "store" / ".manifests" / tool.name).unlink()
    (line,) = told(verify(older))
    assert line == f"{tool.name}: nothing here says what it should contain: cannot be checked"


def test_artifact_that_no_lock_names_is_named(world: Any, artifact: Path) -> None:
    shutil.copy(artifact, artifact.with_name("0" * 64))
    (line,) = told(verify(world.package_set))
    assert line.startswith(f"artifact `{'0' * 64}` has the SHA-256 {artifact.name}: the lock does")


def test_store_of_another_user_is_checked_but_not_repaired(world: Any, open_folder: Path) -> None:
    there = world.elsewhere(open_folder / "cache").package_set
    tool = realise(None, there, Quiet())["tool"]
    assert as_another_user(lambda: told(verify(there))) == []
    flip(tool / "usr/bin/tool")
    (line,) = as_another_user(lambda: told(verify(there)))
    assert "`usr/bin/tool` is not as it was built: cannot be repaired: " in line
    assert "cannot be used: Permission denied" in line
    assert told(verify(there))[0].endswith(": repaired")


def test_read_only_store_is_checked_but_not_repaired(world: Any, tool: Path) -> None:
    assert without_writing(world.cache, lambda: told(verify(world.package_set))) == []
    flip(tool / "usr/bin/tool")
    (world.cache / "store" / ".manifests" / tool.name).unlink()
    (line,) = without_writing(world.cache, lambda: told(verify(world.package_set)))
    assert "cannot be repaired: " in line
    assert "Read-only file system" in line
    assert told(verify(world.package_set))[0].endswith(": repaired")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One bit of one file; `name` is what must name it."""

    file: Path
    at: int
    bit: int
    name: str


def places(cache: Path, count: int, chance: random.Random) -> list[Place]:
    """Random places, no two in one file: half of them by bytes, half of them by files."""
    files = {
        at: f"`{at.relative_to(folder)}`"
        for folder in (cache / "store").glob("[0-9a-f]*")
        for at in sorted(folder.rglob("*"))
        if at.is_file() and not at.is_symlink() and at.stat().st_size
    }
    for folder in (cache / "artifacts", cache / "store" / ".manifests"):
        files |= {at: at.name for at in sorted(folder.iterdir()) if at.suffix != ".part"}
    every = list(files)
    chosen = {*chance.choices(every, [at.stat().st_size for at in every], k=count // 2)}
    chosen |= set(chance.sample([at for at in every if at not in chosen], count - len(chosen)))
    return [
        Place(
            file=at, at=chance.randrange(at.stat().st_size), bit=chance.randrange(8), name=files[at]
        )
        for at in sorted(chosen)
    ]


def flip_and_repair(
    package_set: PackageSet, cache: Path, count: int, chance: random.Random
) -> None:
    flipped = places(cache, count, chance)
    for place in flipped:
        flip(place.file, place.at, place.bit)
    checked = verify(package_set)
    found = told(checked)
    assert all(each.repaired for each in checked.findings), found
    for place in flipped:
        assert any(place.name in line for line in found), place
    assert told(verify(package_set)) == []


@pytest.mark.parametrize("seed", range(20))
def test_bit_flipped_anywhere_is_found_named_and_repaired(
    world: Any, tool: Path, seed: int
) -> None:
    flip_and_repair(world.package_set, world.cache, 1, random.Random(seed))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_bits_flipped_at_200_places_of_all_packages_are_found_and_repaired(
    open_folder: Path,
) -> None:
    cache = open_folder / "cache"
    (cache / "artifacts").mkdir(parents=True)
    for pinned in lock.load().artifacts:  # others are not available again
        file = cache_dir() / "artifacts" / pinned.sha256
        if file.exists():
            shutil.copy(file, cache / "artifacts")
    package_set = PackageSet(cache=cache)
    realise(package_set=package_set)
    chance = random.Random(200)
    for _ in range(25):
        flip_and_repair(package_set, cache, 8, chance)
