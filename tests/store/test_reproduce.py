"""What must not matter does not matter; where it does, file and bytes are named."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stack.progress import Quiet
from stack.store import reproduce as reproducing
from stack.store import tree, variations
from stack.store.bytediff import explained
from stack.store.packageset import PackageSet
from stack.store.reproduce import Reproduction, reproduced
from tests.store import irreproducible

CAUSES = ["place", "user", "umask", "zone", "locale", "host", "clock", "order", "files"]


@pytest.fixture
def package_set(world: Any, open_folder: Path) -> Any:
    """The small world in a cache that another user can read."""
    return world.elsewhere(open_folder / "cache").package_set


def run(package_set: Any, names: list[str] | None = None, **options: Any) -> Reproduction:
    found = reproduced(names, package_set, Quiet(), **options)
    if cannot := [each.cannot for each in found.outcomes if each.cannot]:
        pytest.skip(f"this machine cannot do all: {cannot}")
    return found


def test_small_world_is_the_same_whatever_the_circumstances(
    package_set: Any,
) -> None:
    found = run(package_set)
    assert found.packages == ("base", "tool")
    assert {each.variation for each in found.outcomes} == {"lock", *CAUSES, "threads", "all"}
    assert [each.differing for each in found.outcomes if each.differing] == []
    assert [at.name for at in package_set.cache.iterdir() if at.name.startswith("reproduce-")] == []


@pytest.mark.parametrize("faketime", [True, False], ids=["libfaketime", "clock turned in Python"])
def test_each_leak_is_caught_and_named(
    package_set: Any, monkeypatch: pytest.MonkeyPatch, faketime: bool
) -> None:
    if not faketime:
        monkeypatch.setattr(variations, "_faketime", dict)
    elif not variations._faketime():
        pytest.skip("libfaketime is not installed")
    outcomes = run(package_set, build=irreproducible.build).outcomes
    assert {package for each in outcomes for package in each.differing} == {"tool"}
    found = {each.variation: each.differing["tool"] for each in outcomes if each.differing}
    assert set(found) == {"lock", *CAUSES, "all"}
    for cause in CAUSES:
        files = {line.split("`")[1] for line in found[cause] if "`" in line}
        assert files == {f"leaks-{cause}"}, found[cause]
    assert "`leaks-umask` at byte 0: 31 38 0a | 36 33 0a" in found["umask"]


def test_reproduce_for_another_system_needs_no_such_machine(package_set: Any) -> None:
    lock = package_set.lock
    other = replace(
        lock,
        artifacts=tuple(replace(each, architecture="arm64") for each in lock.artifacts),
        outputs={("arm64", name): output for (_, name), output in lock.outputs.items()},
    )
    found = run(replace(package_set, lock=other, system="arm64"), ["base"])
    assert [each.differing for each in found.outcomes if each.differing] == []


def test_what_cannot_be_tried_is_named(package_set: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = variations.variations()
    lacking = replace(real[0], name="lacking", folder="no\0folder")
    monkeypatch.setattr(reproducing, "variations", lambda: (real[2], lacking))
    monkeypatch.setattr(
        reproducing._Comparison,
        "_rebuilt",
        refusing("lacking", reproducing._Comparison._rebuilt),
    )
    outcomes = reproduced(None, package_set, Quiet()).outcomes
    assert [(each.variation, each.cannot) for each in outcomes] == [
        ("lock", ""),
        ("umask", ""),
        ("lacking", "no such thing"),
    ]


def refusing(name: str, real: Any) -> Any:
    def rebuilt(self: Any, variation: Any, place: Path) -> Any:
        return ({}, "no such thing") if variation.name == name else real(self, variation, place)

    return rebuilt


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("system", ["amd64", "arm64"])
def test_every_package_is_the_same_whatever_the_circumstances(system: str) -> None:
    found = run(PackageSet(system=system))
    assert [each.differing for each in found.outcomes if each.differing] == []


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "other"):
        (tmp_path / name / "folder").mkdir(parents=True)
        (tmp_path / name / "same").write_bytes(b"same")
    return tmp_path / "one", tmp_path / "other"


def difference(two: tuple[Path, Path]) -> list[str]:
    return explained(*two, (tree.manifest(two[0]), tree.manifest(two[1])))


def test_trees_that_are_the_same_have_no_difference(two: tuple[Path, Path]) -> None:
    assert difference(two) == []


def test_differences_name_entries_offsets_and_bytes(two: tuple[Path, Path]) -> None:
    one, other = two
    (one / "big").write_bytes(b"a" * 200_000)
    (other / "big").write_bytes(b"a" * 70_000 + b"b" + b"a" * 129_999)
    (one / "long").write_bytes(b"ab")
    (other / "long").write_bytes(b"abc")
    (one / "gone").write_text("")
    (one / "kind").symlink_to("same")
    (other / "kind").mkdir()
    (one / "link").symlink_to("same")
    (other / "link").symlink_to("big")
    (one / "mode").touch()
    (other / "mode").touch(mode=0o755)
    os.chmod(other / "mode", 0o755)  # noqa: PTH101
    assert difference(two) == [
        "`big` at byte 70000: 62 61 61 61 61 61 61 61".replace("62", "61")
        + " | 62 61 61 61 61 61 61 61",
        "`gone` is a file | not there",
        "`kind` is a link to same | a folder",
        "`link` is a link to same | a link to big",
        "`long` has 2 | 3 bytes",
        "`long` at byte 2: its end | 63",
        "`mode` is a file | a program",
    ]


def test_differences_of_many_places_and_files_are_cut_short(two: tuple[Path, Path]) -> None:
    one, other = two
    for number in range(12):
        (one / f"f{number:02}").write_bytes(bytes(1000))
        (other / f"f{number:02}").write_bytes(b"\1" * 1000)
    lines = difference(two)
    assert lines[3] == "`f00` differs at more places"
    assert lines[-1] == "and 2 more"
    assert len(lines) == 10 * 4 + 1
