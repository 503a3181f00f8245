"""Unpacking takes what a package may hold, and refuses what would reach outside."""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.store import deb

Make = Callable[..., bytes]
Member = Callable[..., tuple[tarfile.TarInfo, bytes]]


def unpack(content: bytes, into: Path) -> list[str]:
    deb.unpack(content, into, name="thing", wanted=lambda path: "doc" not in path)
    return sorted(str(at.relative_to(into)) for at in into.rglob("*"))


def test_unpack_takes_wanted_files_links_and_modes(
    tmp_path: Path, make_deb: Make, make_member: Member
) -> None:
    content = make_deb(
        make_member("./", kind=tarfile.DIRTYPE),
        make_member("./bin/run", b"run", mode=0o775),
        make_member("./bin/alias", kind=tarfile.SYMTYPE, link="../bin/run"),
        make_member("./bin/twin", kind=tarfile.LNKTYPE, link="./bin/run"),
        make_member("./doc/README", b"not wanted", mode=0o4755),
        make_member("./doc/all", kind=tarfile.SYMTYPE, link="/usr/share/doc"),
        make_member("./empty", kind=tarfile.DIRTYPE),
    )
    assert unpack(content, tmp_path) == ["bin", "bin/alias", "bin/run", "bin/twin", "empty"]
    assert (tmp_path / "bin/run").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "bin/twin").read_bytes() == b"run"
    assert (tmp_path / "bin/alias").readlink() == Path("../bin/run")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param([{"path": "/etc/passwd"}], "outside its folder", id="absolute"),
        pytest.param([{"path": "a/../../x"}], "outside its folder", id="dots"),
        pytest.param(
            [{"path": "l", "kind": tarfile.SYMTYPE, "link": "../x"}], "links out", id="link out"
        ),
        pytest.param(
            [{"path": "l", "kind": tarfile.SYMTYPE, "link": "/etc"}], "links out", id="link to /"
        ),
        pytest.param(
            [{"path": "d", "kind": tarfile.SYMTYPE, "link": "e"}, {"path": "d/f"}],
            "through the link",
            id="through a link",
        ),
        pytest.param([{"path": "dev", "kind": tarfile.CHRTYPE}], "device", id="device"),
        pytest.param([{"path": "pipe", "kind": tarfile.FIFOTYPE}], "device or pipe", id="pipe"),
        pytest.param([{"path": "su", "mode": 0o4755}], "set-group-ID file: `su`", id="setuid"),
        pytest.param([{"path": "sg", "mode": 0o2644}], "set-group-ID file: `sg`", id="setgid"),
        pytest.param([{"path": "f"}, {"path": "f"}], "already", id="twice"),
        pytest.param(
            [{"path": "f"}, {"path": "f/g"}], "as a file and as a folder", id="file as folder"
        ),
        pytest.param(
            [{"path": "h", "kind": tarfile.LNKTYPE, "link": "gone"}], "not there", id="hard link"
        ),
    ],
)
def test_unpack_refuses(
    tmp_path: Path, make_deb: Make, make_member: Member, members: list[dict], message: str
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(BadInput, match=message):
        unpack(make_deb(*(make_member(**each) for each in members)), into)
    assert [at.name for at in tmp_path.iterdir()] == ["into"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not start with"),
        (b"PK\x03\x04", "does not start with"),
        (b"!<arch>\n", "no `data.tar` member"),
        (b"!<arch>\ngarbage", "damaged at byte"),
    ],
    ids=["empty", "zip", "no members", "cut header"],
)
def test_unpack_refuses_what_is_no_package(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        unpack(content, tmp_path)


def test_unpack_refuses_a_cut_off_package(
    tmp_path: Path, make_deb: Make, make_member: Member
) -> None:
    whole = make_deb(make_member("f", b"x" * 5000))
    with pytest.raises(BadInput, match="cut off or damaged"):
        unpack(whole[:-20], tmp_path)


def test_unpack_refuses_a_broken_archive(tmp_path: Path, make_ar: Callable[..., bytes]) -> None:
    with pytest.raises(BadInput, match="broken archive"):
        unpack(make_ar({"data.tar.xz": b"no archive"}), tmp_path)


MEGABYTE = 1 << 20
PACKERS = {"xz": lzma.compress, "gz": gzip.compress, "bz2": bz2.compress}


def bomb(packed: str, *, kind: bytes, size: int) -> bytes:
    """The data member of an archive whose one entry is `size` zero bytes."""
    info = tarfile.TarInfo("thing")
    info.type, info.size = kind, size
    return PACKERS[packed](info.tobuf(tarfile.GNU_FORMAT) + bytes(size))


@pytest.mark.parametrize("packed", PACKERS)
def test_unpack_refuses_a_decompression_bomb(
    tmp_path: Path, make_ar: Callable[..., bytes], packed: str
) -> None:
    content = make_ar({f"data.tar.{packed}": bomb(packed, kind=b"0", size=80 * MEGABYTE)})
    assert len(content) < MEGABYTE
    with pytest.raises(BadInput, match="`thing` unpacks to more than 67108864 bytes"):
        unpack(content, tmp_path)
    assert sum(at.stat().st_size for at in tmp_path.iterdir()) <= 64 * MEGABYTE


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE], ids=["GNU", "pax"])
def test_unpack_refuses_a_name_that_would_fill_the_memory(
    tmp_path: Path, make_ar: Callable[..., bytes], kind: bytes
) -> None:
    with pytest.raises(BadInput, match="unpacks to more than"):
        unpack(make_ar({"data.tar.xz": bomb("xz", kind=kind, size=80 * MEGABYTE)}), tmp_path)


def test_unpack_refuses_a_bomb_among_what_is_not_wanted(
    tmp_path: Path, make_deb: Make, make_member: Member
) -> None:
    content = make_deb(make_member("doc/zeros", bytes(80 * MEGABYTE)), make_member("f"))
    with pytest.raises(BadInput, match="unpacks to more than"):
        unpack(content, tmp_path)
