"""The tree hash depends on names, modes, contents and link targets, and on nothing else."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.errors import BadInput
from stack.store import tree

_NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
_FILE = st.tuples(st.just("file"), st.binary(max_size=40), st.booleans())
_LINK = st.tuples(st.just("link"), st.sampled_from(["a", "b", "../c"]), st.just(False))
_FITTING = _NAMES.filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) < 200)
_FOLDERS = st.dictionaries(
    _FITTING, st.one_of(_FILE, _LINK, st.dictionaries(_FITTING, _FILE, max_size=3)), max_size=5
)


def plant(root: Path, spec: dict, *, backwards: bool = False) -> None:
    """Make the tree `spec`: name -> (kind, content or target, executable) or another tree."""
    for name, what in sorted(spec.items(), reverse=backwards):
        at = root / name
        if isinstance(what, dict):
            at.mkdir()
            plant(at, what, backwards=backwards)
        elif what[0] == "link":
            at.symlink_to(what[1])
        else:
            at.write_bytes(what[1])
            at.chmod(0o755 if what[2] else 0o644)


@contextmanager
def planted(spec: dict, *, backwards: bool = False) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder), spec, backwards=backwards)
        yield Path(folder)


def hash_of(spec: dict) -> str:
    with planted(spec) as root:
        return tree.manifest(root).sha256


@settings(max_examples=40)
@given(_FOLDERS, st.sampled_from([0o000, 0o022, 0o077]), st.integers(0, 2**31))
def test_tree_hash_ignores_order_times_and_umask(spec: dict, umask: int, mtime: int) -> None:
    before = os.umask(umask)
    try:
        with planted(spec, backwards=True) as root:
            for at in root.rglob("*"):
                os.utime(at, (mtime, mtime), follow_symlinks=False)
            assert tree.manifest(root).sha256 == hash_of(spec)
    finally:
        os.umask(before)


@settings(max_examples=40)
@given(_FOLDERS, _FOLDERS)
def test_tree_hash_is_equal_only_for_equal_trees(one: dict, other: dict) -> None:
    assert (hash_of(one) == hash_of(other)) == (one == other)


@settings(max_examples=20)
@given(_FOLDERS)
def test_tree_hash_stays_when_sealed(spec: dict) -> None:
    inside = {name: what for name, what in spec.items() if "link" not in what}
    with planted(inside) as root:
        before = tree.manifest(root)
        tree.seal(root)
        assert tree.manifest(root) == before
        assert {at.lstat().st_mtime for at in (root, *root.rglob("*"))} == {1}
        modes = {at.stat().st_mode & 0o7777 for at in (root, *root.rglob("*"))}
        assert modes <= {0o444, 0o555}
        root.chmod(0o755)
        for at in root.rglob("*"):
            if at.is_dir():
                at.chmod(0o755)


@pytest.mark.parametrize(
    ("changed", "differing"),
    [
        pytest.param({"a": ("file", b"x", False)}, [], id="quiet: the same"),
        pytest.param({"a": ("file", b"y", False)}, ["a"], id="content"),
        pytest.param({"a": ("file", b"x", True)}, ["a"], id="mode"),
        pytest.param({"b": ("file", b"x", False)}, ["a", "b"], id="name"),
        pytest.param({"a": ("link", "x", False)}, ["a"], id="link for a file"),
        pytest.param({"a": {}}, ["a"], id="folder for a file"),
    ],
)
def test_manifest_names_what_differs(changed: dict, differing: list[str]) -> None:
    with planted({"a": ("file", b"x", False)}) as one, planted(changed) as other:
        assert tree.manifest(one).differences(tree.manifest(other)) == differing


def test_manifest_takes_names_that_are_no_utf8(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff")).write_text("x")
    assert len(tree.manifest(tmp_path).sha256) == 64


def test_manifest_refuses_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="not a file, folder or link"):
        tree.manifest(tmp_path)


def test_seal_refuses_a_link_that_leads_out(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "way").symlink_to("..")
    (tmp_path / "out" / "leak").symlink_to("way/secret")
    with pytest.raises(BadInput, match="leads out"):
        tree.seal(tmp_path / "out")


def test_seal_takes_a_link_into_a_needed_tree(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "way").symlink_to("../needed/lib")
    (tmp_path / "out" / "circle").symlink_to("circle")
    tree.seal(tmp_path / "out", [tmp_path / "needed"])


def test_remove_takes_sealed_trees_and_none(tmp_path: Path) -> None:
    root = tmp_path / "sealed"
    root.mkdir()
    plant(root, {"d": {"f": ("file", b"x", False)}})
    tree.seal(root)
    tree.remove(root)
    tree.remove(root)
    assert not root.exists()


@pytest.mark.parametrize("names", [("Read", "read"), ("STRASSE", "straße")])
def test_seal_refuses_names_that_differ_only_in_case(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    (tmp_path / "deep").mkdir()
    for name in names:
        (tmp_path / "deep" / name).touch()
    if len(list((tmp_path / "deep").iterdir())) == 1:
        pytest.skip("this file system ignores case")
    with pytest.raises(BadInput, match=f"`{names[0]}` and `{names[1]}`, which differ only in case"):
        tree.seal(tmp_path)
