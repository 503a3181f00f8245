"""An archive is written in one way, and what is not written so is refused and named."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.errors import BadInput
from stack.store import archive
from stack.store.archive import Archive

GOOD = {"a/one": b"1" * 700, "b": b"", "wheels/c": b"three"}
LONG = {**GOOD, "wheels/" + "w" * 120: b"long"}
NAMES = st.from_regex(
    r"[a-zA-Z0-9][a-z0-9._+-]{0,9}(/[a-z0-9][A-Za-z0-9._+-]{0,130})?", fullmatch=True
)


def packed(contents: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    size = archive.write(file, contents, lambda count: None)
    assert size == len(file.getvalue())
    return file.getvalue()


def opened(data: bytes) -> Archive:
    return Archive(io.BytesIO(data), "x.tar")


def tar(*members: tuple[str, bytes], **changes: object) -> bytes:
    """What tarfile writes, with owner, mode and time as in a bundle but for the changes."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as made:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.mode, info.mtime, info.size = 0o444, 1, len(content)
            for key, value in changes.items():
                setattr(info, key, value)
            made.addfile(info, io.BytesIO(content))
    return file.getvalue()


@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=6))
@settings(max_examples=60)
def test_archive_gives_back_what_was_written(contents: dict[str, bytes]) -> None:
    if len({name.lower() for name in contents}) < len(contents):
        return
    found = opened(packed(contents))
    assert {n: b"".join(found.chunks(m)) for n, m in found.members.items()} == contents


def test_archive_is_what_tar_reads_and_writes() -> None:
    assert packed(LONG) == tar(*sorted(LONG.items()))
    with tarfile.open(fileobj=io.BytesIO(packed(LONG))) as read:
        assert read.getnames() == sorted(LONG)


def test_archive_of_files_is_that_of_their_contents(tmp_path: Path) -> None:
    for number, content in enumerate(GOOD.values()):
        (tmp_path / str(number)).write_bytes(content)
    file = io.BytesIO()
    heard: list[int] = []
    files = {name: tmp_path / str(number) for number, name in enumerate(GOOD)}
    archive.write(file, files, heard.append)
    assert file.getvalue() == packed(GOOD)
    assert sum(heard) == sum(map(len, GOOD.values()))


def test_archive_weighs_little_more_than_its_parts() -> None:
    """Fifty artifacts of 100 kB, the smallest half of ours being smaller than that."""
    parts = {f"artifacts/{number:064x}": bytes(100_000) for number in range(50)}
    assert len(packed(parts)) < 1.05 * 50 * 100_000


HOSTILE = [
    pytest.param(tar(("/etc/passwd", b"x")), "'/etc/passwd', an absolute path", id="absolute"),
    pytest.param(tar(("../x", b"x")), "'../x', a path that leads out", id="parent"),
    pytest.param(tar(("a/../../x", b"x")), "leads out", id="parent within"),
    pytest.param(tar(("a", b""), type=tarfile.SYMTYPE, linkname="/"), "a symbolic link", id="link"),
    pytest.param(
        tar(("a", b""), type=tarfile.LNKTYPE, linkname="b"), "a hard link", id="hard link"
    ),
    pytest.param(tar(("a", b""), type=tarfile.CHRTYPE), "a device", id="character device"),
    pytest.param(tar(("a", b""), type=tarfile.BLKTYPE), "a device", id="block device"),
    pytest.param(tar(("a", b""), type=tarfile.FIFOTYPE), "a pipe", id="pipe"),
    pytest.param(tar(("a", b""), type=tarfile.DIRTYPE), "a folder", id="folder"),
    pytest.param(tar(("a", b"x"), type=tarfile.GNUTYPE_SPARSE), "a sparse file", id="sparse"),
    pytest.param(tar(("a", b"x"), type=tarfile.XHDTYPE), "not a plain file", id="extended header"),
    pytest.param(
        tar(("a", b"x"), type=tarfile.GNUTYPE_LONGLINK), "not a plain file", id="long link"
    ),
    pytest.param(tar(("a", b"x"), type=b"Z"), "not a plain file", id="unknown kind"),
    pytest.param(tar(("a", b"x"), mode=0o4755), "`a` with an owner, a mode", id="setuid"),
    pytest.param(tar(("a", b"x"), uid=1000), "`a` with an owner, a mode", id="owner"),
    pytest.param(tar(("a", b"x"), mtime=7), "a time", id="time"),
    pytest.param(tar(("a", b"x"), linkname="b"), "`a` with an owner", id="a link's target"),
    pytest.param(tar(("a", b"1"), ("a", b"2")), "`a` twice", id="duplicate"),
    pytest.param(
        tar(("A", b"1"), ("a", b"2")), "`A` and `a`, which differ only in case", id="case"
    ),
    pytest.param(tar(("b", b"1"), ("a", b"2")), "`a` after `b`", id="unsorted"),
    pytest.param(tar(("a b", b"1")), "'a b', a name that no bundle", id="space"),
    pytest.param(tar(("a/b/c", b"1")), "'a/b/c', a name that no bundle", id="deep"),
    pytest.param(tar((".hidden", b"1")), "'.hidden', a name that no bundle", id="hidden"),
    pytest.param(tar(("a\x1b[31m", b"1")), r"'a\\x1b", id="terminal codes"),
    pytest.param(tar(("ä", b"1")), r"'\\udc", id="not ASCII"),
    pytest.param(tar(("a" * 400, b"1")), "a name that no bundle", id="a long name"),
    pytest.param(tar(("a", b"1")) + b"more", "something after its end", id="appended"),
    pytest.param(b"", "cut off at byte 0", id="empty"),
    pytest.param(b"some text" * 1000, "is not a bundle", id="text"),
    pytest.param(b"\x1f\x8b" + bytes(20000), "is not a bundle", id="compressed"),
    pytest.param(b"PK\x03\x04" + bytes(20000), "is not a bundle", id="zip"),
]


def huge() -> bytes:
    """A header that promises an exabyte."""
    info = tarfile.TarInfo("a")
    info.mode, info.mtime, info.size = 0o444, 1, 1 << 60
    return info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict") + bytes(10240)


@pytest.mark.parametrize(
    ("data", "told"), [*HOSTILE, pytest.param(huge(), "cut off in `a`", id="an exabyte")]
)
def test_archive_refuses(data: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        opened(data)
    assert str(caught.value).startswith("`x.tar` ")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("end", [1, 512, 1000, 1100, 2000, 5000, -1, -512, -5000])
def test_archive_refuses_a_part_of_itself(end: int) -> None:
    with pytest.raises(BadInput, match=r"cut off|truncated"):
        opened(packed(LONG)[:end])


def contents_of(data: bytes) -> Callable[[int], bool]:
    spans = [(m.at, m.at + m.size) for m in opened(data).members.values()]
    return lambda at: any(start <= at < end for start, end in spans)


def test_archive_finds_every_flipped_bit_outside_its_contents() -> None:
    """Those within are found by their hashes; no checksum covers the end of a long name."""
    good = packed(GOOD)
    inside = contents_of(good)
    for at in range(len(good)):
        flipped = bytearray(good)
        flipped[at] ^= 1 << at % 8
        if not inside(at):
            with pytest.raises(BadInput):
                opened(bytes(flipped))


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        pytest.param(packed(GOOD), True, id="an archive"),
        pytest.param(packed(GOOD)[:1000], True, id="one cut off"),
        pytest.param(b"", False, id="empty"),
        pytest.param(b"text" * 1000, False, id="text"),
        pytest.param(tar(("../x", b"")), False, id="another tar"),
    ],
)
def test_archive_knows_its_kind(tmp_path: Path, content: bytes, is_one: bool) -> None:
    (tmp_path / "x").write_bytes(content)
    assert archive.starts_like_one(tmp_path / "x") is is_one
