"""Archives from elsewhere: bundles, Debian packages, plain tars, programs."""

import hashlib
import io
import shutil
import tarfile
from dataclasses import dataclass
from functools import cache

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.progress import Quiet
from stack.store import archive, bundle, deb, elf, imports, tar
from stack.store.artifact import Artifact
from stack.store.derivation import derive
from stack.store.lock import Lock, Output
from stack.store.package import Package
from stack.store.packageset import PackageSet
from tests.fuzz import scratch
from tests.fuzz.harness import Target

_SYSTEM = "amd64"
_BLOCK = 512


def mended(data: bytes) -> bytes:
    """With right checksums in all headers of a tar."""
    made = bytearray(data)
    for at in range(0, len(made) - _BLOCK + 1, _BLOCK):
        if made[at + 257 : at + 262] == b"ustar":
            made[at + 148 : at + 156] = b" " * 8
            made[at + 148 : at + 156] = b"%06o\0 " % sum(made[at : at + _BLOCK])
    return bytes(made)


def _tar(*more: tarfile.TarInfo) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as written:
        for name, content in (("./usr/bin/tool", b"#!/bin/sh\n"), (f"./{'a' * 120}", b"long")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            written.addfile(info, io.BytesIO(content))
        for kind, name, link in (
            (tarfile.DIRTYPE, "./usr/lib", ""),
            (tarfile.SYMTYPE, "./usr/bin/alias", "tool"),
            (tarfile.LNKTYPE, "./usr/bin/twin", "./usr/bin/tool"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            written.addfile(info)
    return made.getvalue()


def _pax() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as written:
        info = tarfile.TarInfo("ä" * 60)
        info.size, info.mtime, info.pax_headers = 3, 1.5, {"comment": "x", "GNU.sparse.major": "1"}
        written.addfile(info, io.BytesIO(b"abc"))
    return made.getvalue()


def _deb() -> bytes:
    parts = [b"!<arch>\n"]
    for name, content in (("debian-binary", b"2.0\n"), ("data.tar", _tar())):
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)


@dataclass(frozen=True)
class _World:
    """One package and its bundle; whatever is imported must be it."""

    package_set: PackageSet
    bundle: bytes


@cache
def _world() -> _World:
    content = b"not a package, and never unpacked"
    artifact = Artifact(
        name="libbase", version="1.0", architecture=_SYSTEM, path="pool/libbase_1.0_amd64.deb",
        sha256=hashlib.sha256(content).hexdigest(), size=len(content),
    )  # fmt: skip
    packages = (Package(name="base", debs=("libbase",)),)
    lock = Lock(
        suite="test", release="1", snapshot="20260101T000000Z", artifacts=(artifact,),
        outputs={(_SYSTEM, "base"): Output(sha256="0" * 64, size=1)},
        file=scratch.folder("world") / "lock.toml",
    )  # fmt: skip
    derivations = derive(packages, lock, _SYSTEM)
    contents = {
        **bundle.described(derivations, lock, hashlib.sha256(b"").hexdigest()),
        f"artifacts/{artifact.sha256}": content,
    }
    made = io.BytesIO()
    archive.write(made, contents, lambda count: None)
    cache_folder = scratch.folder("world-cache")
    package_set = PackageSet(lock=lock, packages=packages, system=_SYSTEM, cache=cache_folder,
                             mirrors=(), registries=())  # fmt: skip
    return _World(package_set=package_set, bundle=made.getvalue())


class _Imported(Exception):
    """All was checked, and the package would now be built."""


def _bundle(data: bytes) -> None:
    """As `doit import`, up to the building."""
    world = _world()
    keep = imports.realise

    def stop(*given: object) -> object:
        raise _Imported

    imports.realise = stop  # type: ignore[assignment]
    try:
        imports.import_bundle(scratch.file("x.bundle", data), Quiet(), world.package_set)
    except _Imported:
        assert data == world.bundle
    finally:
        imports.realise = keep


def _unpacked(data: bytes) -> None:
    into = scratch.folder("tar")
    try:
        tar.unpack(io.BytesIO(data), into, name="x", wanted=lambda path: True, most=1 << 24)
    finally:
        shutil.rmtree(into)


def _package(data: bytes) -> None:
    into = scratch.folder("deb")
    try:
        deb.unpack(data, into, name="x", wanted=lambda path: True)
    finally:
        shutil.rmtree(into)


def _program(data: bytes) -> None:
    path = scratch.file("program", data)
    if elf.asks_for_loader(path):
        elf.ask_for_loader(path, "lib/ld.so")


def _elf() -> bytes:
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    header[32:40] = (64).to_bytes(8, "little")
    header[54:56], header[56:58] = (56).to_bytes(2, "little"), (2).to_bytes(2, "little")
    segments = b""
    for kind in (1, 3):
        segments += elf._SEGMENT.pack(kind, 4, 176, 0, 0, 28, 28, 1)
    return bytes(header) + segments + b"/lib64/ld-linux-x86-64.so.2\0"


_NUMBERS = (b"\x80" + b"\xff" * 11, b"\xff" * 12, b"77777777777\0", b"-0000000001\0", b"0" * 12,
            b"00000000001\0", b"\x80" + b"\0" * 10 + b"\x05")  # fmt: skip
_WORDS = (*_NUMBERS, b"ustar", b"ustar  \0", b"L", b"K", b"x", b"g", b"S", b"1", b"2", b"3", b"5",
          b"../", b"/etc/passwd", b"\0" * 512, b"\0" * 1024, b"30 path=../x\n", b"20 size=-5\n",
          b"99999999999999999999 path=a\n", b"22 GNU.sparse.map=1,2\n", b"`\n")  # fmt: skip


def targets() -> list[Target]:
    return [
        Target(name="bundle", feed=_bundle, seeds=[_world().bundle], mend=mended, words=_WORDS,
               raises=(BadInput, HostCannot, CheckFailed), short=600),
        Target(name="tar", feed=_unpacked, seeds=[_tar(), _pax()], mend=mended, words=_WORDS,
               raises=(BadInput, tarfile.TarError), short=500),
        Target(name="deb", feed=_package, seeds=[_deb()], words=_WORDS, raises=(BadInput,),
               short=400),
        Target(name="elf", feed=_program, seeds=[_elf()], words=_NUMBERS, raises=(BadInput,),
               short=1500),
    ]  # fmt: skip
