"""Two sets of packages and configuration differ in what is reported, and in nothing else."""

from pathlib import Path

import pytest

from stack.store.difference import Contents, difference

A, B = "a" * 32, "b" * 32


def contents(root: Path, packages: dict[str, str], files: dict[str, bytes]) -> Contents:
    root.mkdir()
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return Contents(packages=packages, config=root)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param({}, {}, "no difference", id="quiet: nothing there"),
        pytest.param(
            {"glibc": f"/x/{A}-glibc-2.41"},
            {"glibc": f"/y/{A}-glibc-2.41"},
            "no difference",
            id="quiet: the same in another store",
        ),
        pytest.param({}, {"a-b": f"/x/{A}-a-b-1.0-2"}, "+ a-b 1.0-2", id="added"),
        pytest.param({"a-b": f"/x/{A}-a-b-1.0-2"}, {}, "- a-b 1.0-2", id="removed"),
        pytest.param(
            {"x": f"{A}-x-1.0"}, {"x": f"{B}-x-1.1"}, "~ x 1.0 -> 1.1", id="another version"
        ),
        pytest.param(
            {"x": f"{A}-x-1.0"},
            {"x": f"{B}-x-1.0"},
            "~ x 1.0: aaaaaaaa -> bbbbbbbb",
            id="built again",
        ),
        pytest.param(
            {"m": f"{A}-m-1", "z": f"{A}-z-1"},
            {"m": f"{B}-m-2", "a": f"{A}-a-1"},
            "+ a 1\n~ m 1 -> 2\n- z 1",
            id="several, sorted by name",
        ),
    ],
)
def test_difference_of_packages(
    tmp_path: Path, old: dict[str, str], new: dict[str, str], told: str
) -> None:
    empty = tmp_path / "empty"
    found = difference(Contents(packages=old, config=empty), Contents(packages=new, config=empty))
    assert str(found) == told
    assert bool(found) == (told != "no difference")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param({"a/b.yml": b"x\n"}, {"a/b.yml": b"x\n"}, [], id="quiet: the same"),
        pytest.param(
            {"a/b.yml": b"for: 5m\nand: 1\n"},
            {"a/b.yml": b"for: 7m\nand: 1\n"},
            ["--- a/b.yml", "+++ a/b.yml", "@@ -1,2 +1,2 @@", "-for: 5m", "+for: 7m", " and: 1"],
            id="a changed line",
        ),
        pytest.param(
            {}, {"n": b"x\n"}, ["--- /dev/null", "+++ n", "@@ -0,0 +1 @@", "+x"], id="a new file"
        ),
        pytest.param(
            {"n": b"x\n"}, {}, ["--- n", "+++ /dev/null", "@@ -1 +0,0 @@", "-x"], id="a gone file"
        ),
        pytest.param({}, {"n": b""}, ["n: not there -> 0 bytes"], id="a new empty file"),
        pytest.param({"n": b"x"}, {"n": b"x\n"}, ["n: 1 bytes -> 2 bytes"], id="a last newline"),
        pytest.param({"n": b"\xff"}, {"n": b"\xfe"}, ["binary file n differs"], id="no text"),
    ],
)
def test_difference_of_configuration(
    tmp_path: Path, old: dict[str, bytes], new: dict[str, bytes], told: list[str]
) -> None:
    before, after = contents(tmp_path / "1", {}, old), contents(tmp_path / "2", {}, new)
    assert list(difference(before, after).config) == told
