"""The lock survives a round trip, and its errors name file and fault."""

from dataclasses import replace
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.store import lock as locks
from stack.store.derivation import SYSTEMS, chosen, derive
from stack.store.packages import PACKAGES


def test_lock_checked_in_covers_every_package_on_every_system() -> None:
    lock = locks.load()
    for system in SYSTEMS.values():
        for derivation in derive(PACKAGES, lock, system).values():
            assert derivation.output is not None or derivation.package.optional


def test_lock_checked_in_is_what_would_be_written() -> None:
    assert locks.text(locks.load()) == locks.LOCK_FILE.read_text()


def test_lock_pins_nothing_that_no_package_names() -> None:
    named = {name for package in PACKAGES for name in (*package.debs, *package.releases)}
    lock = locks.load()
    assert {a.name for a in lock.artifacts if a not in lock.tarballs} == named


def test_lock_text_does_not_depend_on_order() -> None:
    lock = locks.load()
    turned = replace(
        lock,
        artifacts=lock.artifacts[::-1],
        outputs=dict(reversed(list(lock.outputs.items()))),
    )
    assert locks.text(turned) == locks.text(lock)


HASH = "a" * 64
GOOD = f"""\
suite = "s"
release = "1"
snapshot = "2"
[[artifact]]
name = "libx"
version = "1"
architecture = "amd64"
path = "pool/x"
sha256 = "{HASH}"
size = 3
[output.amd64.x]
sha256 = "{HASH}"
size = 4
"""
AGAIN = GOOD[GOOD.index("[[") : GOOD.index("[output")]
OUTPUT = f'[output.amd64.x]\nsha256 = "{HASH}"\n'


def edited(tmp_path: Path, old: str, new: str) -> Path:
    assert old in GOOD
    file = tmp_path / "some-lock.toml"
    file.write_text(GOOD.replace(old, new))
    return file


def test_lock_that_is_good_is_taken(tmp_path: Path) -> None:
    lock = locks.load(edited(tmp_path, "size = 3\n", ""))
    assert (lock.artifacts[0].name, lock.artifacts[0].size) == ("libx", 0)
    assert lock.outputs["amd64", "x"].size == 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param('suite = "s"', "suite = ", r"not TOML.*line 1", id="no TOML"),
        pytest.param('suite = "s"', f"suite = {'[' * 5000}", "not TOML", id="deep"),
        pytest.param('suite = "s"\n', "", "lacks `suite`", id="no suite"),
        pytest.param('"s"', "1", "`suite` is not a string", id="suite"),
        pytest.param("[[artifact]]", "[artifact]", "`artifact` is not a list", id="no list"),
        pytest.param("[[artifact]]", "[[artefact]]", "`artefact`; `artifact`", id="misspelt"),
        pytest.param(
            'version = "1"\n', "", r"artifact 1 \(`libx`, amd64\) lacks `version`", id="missing"
        ),
        pytest.param("size = 3", "seize = 3", "unknown key `seize`; `size`", id="unknown"),
        pytest.param("size = 3", "size = '3'", "`size` that is not a number", id="size as text"),
        pytest.param("size = 3", "size = -3", "`size` that is not a number", id="negative size"),
        pytest.param("size = 3", "size = true", "`size` that is not a number", id="size is true"),
        pytest.param('"pool/x"', "7", "`path` that is not a string: `7`", id="path"),
        pytest.param('"libx"', '""', "`name` that is not a string: ``", id="no name"),
        pytest.param('"amd64"', '"vax"', "not one of amd64, arm64, all", id="architecture"),
        pytest.param('"1"\na', '"../1"\na', "with a slash: `../1`", id="version leads out"),
        pytest.param(HASH, "XYZ", r"artifact 1 .* bad `sha256`: `XYZ`.*output", id="bad hash"),
        pytest.param(HASH, HASH.upper(), "bad `sha256`", id="hash in capitals"),
        pytest.param(
            AGAIN, AGAIN * 2, r"artifact 2 .* is pinned already, by artifact 1", id="twice"
        ),
        pytest.param("[output.amd64.x]", "[output.vax.x]", "`output.vax` is not", id="system"),
        pytest.param(OUTPUT, "[output.amd64.x]\n", "`output.amd64.x` lacks `sha256`", id="output"),
        pytest.param("size = 4", "size = 0", "`output.amd64.x` has a `size`", id="empty output"),
        pytest.param("size = 4", "size = 4\nsha256 = ''", "not TOML", id="key twice"),
    ],
)
def test_lock_edited_by_hand_is_refused_with_file_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(BadInput, match=f"(?s)some-lock.toml.*{message}"):
        locks.load(edited(tmp_path, old, new))


def test_lock_with_many_faults_names_ten(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="and 9 more") as caught:
        locks.load(edited(tmp_path, AGAIN, AGAIN * 20))
    assert str(caught.value).count("is pinned already") == 10


def test_lock_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(b"suite = '\xff'")
    with pytest.raises(BadInput, match="not TOML"):
        locks.load(tmp_path / "lock")
    with pytest.raises(BadInput, match="cannot be read"):
        locks.load(tmp_path)


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
