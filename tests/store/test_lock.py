"""The lock survives a round trip, and its errors name file and fault."""

from dataclasses import replace
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.packages import PACKAGES
from stack.store import lock as locks
from stack.store.derivation import SYSTEMS, chosen, derive


def test_lock_checked_in_covers_every_package_on_every_system() -> None:
    lock = locks.load()
    for system in SYSTEMS.values():
        for derivation in derive(PACKAGES, lock, system).values():
            assert derivation.output is not None or derivation.package.optional


def test_lock_checked_in_is_what_would_be_written() -> None:
    assert locks.text(locks.load()) == locks.LOCK_FILE.read_text()


def test_lock_pins_nothing_that_no_package_names() -> None:
    named = {name for package in PACKAGES for name in (*package.debs, *package.zips)}
    assert {artifact.name for artifact in locks.load().artifacts} == named


def test_lock_text_does_not_depend_on_order() -> None:
    lock = locks.load()
    turned = replace(
        lock,
        artifacts=lock.artifacts[::-1],
        outputs=dict(reversed(list(lock.outputs.items()))),
    )
    assert locks.text(turned) == locks.text(lock)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("suite = \nx = 1", "is not TOML.*line 1"),
        ("suite = 'x'", "lacks or misuses a field"),
        ("[[artifact]]\nname = 'x'", "lacks or misuses a field"),
        ("[[artifact]]\nnmae = 'x'", "lacks or misuses a field.*nmae"),
        (
            "[[artifact]]\nname='x'\nversion='1'\narchitecture='all'\npath='p'\nsize=1\n"
            "sha256='XYZ'",
            "bad SHA-256: `XYZ`",
        ),
        (f"artifact = []\n[output.amd64.x]\nsize = '1'\nsha256 = '{'a' * 64}'", "no integer"),
    ],
    ids=["no TOML", "no artifacts", "field missing", "field misspelt", "bad hash", "bad size"],
)
def test_lock_load_names_file_and_fault(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "some-lock.toml"
    file.write_text(text)
    with pytest.raises(BadInput, match=f"(?s)some-lock.toml.*{message}"):
        locks.load(file)


def test_lock_load_says_that_the_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        locks.load(tmp_path / "none.toml")


def test_derive_names_an_artifact_that_is_not_pinned() -> None:
    lock = replace(locks.load(), artifacts=())
    with pytest.raises(BadInput, match="pins no artifact `libc6` for amd64"):
        derive(PACKAGES, lock, "amd64")


def test_chosen_suggests_the_nearest_name() -> None:
    derivations = derive(PACKAGES, locks.load(), "amd64")
    assert chosen(None, derivations) == [package.name for package in PACKAGES]
    with pytest.raises(BadInput, match=r"(?s)`postgres`.*postgresql"):
        chosen(["postgres"], derivations)


def test_derivation_name_changes_with_each_input() -> None:
    lock = locks.load()
    package = PACKAGES[0]

    def name(**changes: object) -> str:
        changed = replace(package, **changes)  # type: ignore[arg-type]
        return derive([changed], lock, "amd64")[package.name].store_name

    other = derive([package], lock, "arm64")[package.name].store_name
    names = [name(), name(keep=("x",)), name(drop=("x",)), name(debs=package.debs[:1]), other]
    assert len(set(names)) == len(names)
    assert name() == name()
