"""A small world for the store: packages made on the spot, and a mirror on this machine."""

import contextlib
import hashlib
import io
import lzma
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stack.paths import REPO
from stack.progress import Quiet
from stack.store import lock as locks
from stack.store import repin, tree
from stack.store.artifact import Artifact
from stack.store.derivation import derive
from stack.store.lock import Lock, Output
from stack.store.package import Package
from stack.store.packageset import PackageSet
from stack.store.realisation import Store, realise_all
from tests.leftovers import fresh

SYSTEM = "amd64"


def member(
    path: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(path)
    info.type, info.linkname, info.size = kind, link, len(content)
    info.mode = mode or (0o755 if kind == tarfile.DIRTYPE else 0o644)
    return info, content


def ar(members: Mapping[str, bytes]) -> bytes:
    parts = [b"!<arch>\n"]
    for name, content in members.items():
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)


def deb(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A Debian package of these members, as dpkg-deb would make it."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    data = lzma.compress(tar.getvalue(), preset=0)
    return ar({"debian-binary": b"2.0\n", "control.tar.xz": b"", "data.tar.xz": data})


@dataclass
class Mirror:
    """An HTTP server that can misbehave. Paths are relative to its root."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    """Path -> for each coming request, after how many bytes the connection breaks."""
    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    """Path -> status, headers and body for each coming request, before the file is given."""
    trickles: bool = False
    """Whether a body comes byte by byte, for as long as somebody listens."""
    resumes: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and `Range` of every request so far."""


def _handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            wanted = self.headers.get("Range", "")
            mirror.requests.append((path, wanted))
            if coming := mirror.answers.get(path):
                status, headers, body = coming.pop(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True
                return
            if path not in mirror.files:
                self.send_error(404)
                return
            content = mirror.files[path]
            start = int(wanted[6:-1]) if wanted and mirror.resumes else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            breaks = mirror.breaks.get(path)
            end = start + breaks.pop(0) if breaks else len(content)
            self.close_connection = True
            if not mirror.trickles:
                self.wfile.write(content[start:end])
                return
            with contextlib.suppress(OSError):
                for at in range(start, end):
                    self.wfile.write(content[at : at + 1])
                    time.sleep(0.005)

        def log_message(self, format: str, *args: object) -> None: ...

    return Handler


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    made = Mirror(url="")
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(made)) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def publish(mirror: Mirror) -> Callable[[str, bytes], Artifact]:
    """Put a package on the mirror and get the artifact that pins it."""

    def put(name: str, content: bytes) -> Artifact:
        path = f"pool/{name}_1.0_amd64.deb"
        mirror.files[path] = content
        return Artifact(
            name=name,
            version="1.0",
            architecture=SYSTEM,
            path=path,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
        )

    return put


@dataclass(frozen=True, kw_only=True)
class World:
    """Two packages, `base` and `tool`, and where they are built: `package_set` says it all."""

    package_set: PackageSet
    artifacts: dict[str, Artifact]

    @property
    def lock(self) -> Lock:
        assert self.package_set.lock is not None
        return self.package_set.lock

    @property
    def cache(self) -> Path:
        assert self.package_set.cache is not None
        return self.package_set.cache

    def elsewhere(self, cache: Path) -> "World":
        return replace(self, package_set=replace(self.package_set, cache=cache))

    def pinned_by(self, lock: Lock) -> "World":
        return replace(self, package_set=replace(self.package_set, lock=lock))

    def pinning(self, name: str, **changes: object) -> "World":
        """The same with a changed pin of the artifact `name`."""
        artifacts = tuple(
            replace(a, **changes) if a.name == name else a  # type: ignore[arg-type]
            for a in self.lock.artifacts
        )
        return self.pinned_by(replace(self.lock, artifacts=artifacts))

    def wanting(self, name: str, sha256: str) -> "World":
        """The same with another tree hash wanted of the package `name`."""
        outputs = {**self.lock.outputs, (SYSTEM, name): Output(sha256=sha256, size=1)}
        return self.pinned_by(replace(self.lock, outputs=outputs))


PACKAGES = (
    Package(name="base", debs=("libbase",)),
    Package(name="tool", debs=("tool", "libtool"), drop=("usr/share/doc/*",)),
)


@pytest.fixture
def world(tmp_path: Path, mirror: Mirror, publish: Callable[[str, bytes], Artifact]) -> World:
    debs = {
        "libbase": deb(member("./usr/lib/libbase.so", b"base" * 50_000)),
        "libtool": deb(member("./usr/lib/libtool.so", b"lib")),
        "tool": deb(
            member("./usr", kind=tarfile.DIRTYPE),
            member("./usr/bin/tool", b"#!/bin/sh\necho tool\n", mode=0o775),
            member("./usr/bin/alias", kind=tarfile.SYMTYPE, link="tool"),
            member("./usr/share/doc/tool/README", b"dropped"),
        ),
    }
    artifacts = {name: publish(name, content) for name, content in debs.items()}
    lock = Lock(
        suite="test",
        release="1",
        snapshot="20260101T000000Z",
        artifacts=tuple(artifacts.values()),
        outputs={},
        file=tmp_path / "lock.toml",
    )
    store = Store(
        folder=tmp_path / "pin", artifacts=tmp_path / "pin-artifacts", mirrors=(mirror.url,)
    )
    derivations = derive(PACKAGES, lock, SYSTEM)
    realise_all(derivations.values(), store, Quiet())
    outputs = {}
    for name, derivation in derivations.items():
        made = tree.manifest(store.path(derivation))
        outputs[SYSTEM, name] = Output(sha256=made.sha256, size=made.size)
    mirror.requests.clear()
    package_set = PackageSet(
        lock=replace(lock, outputs=outputs),
        packages=PACKAGES,
        system=SYSTEM,
        cache=tmp_path / "cache",
        mirrors=(mirror.url,),
    )
    return World(package_set=package_set, artifacts=artifacts)


@pytest.fixture
def make_deb() -> Callable[..., bytes]:
    return deb


@pytest.fixture
def make_member() -> Callable[..., tuple[tarfile.TarInfo, bytes]]:
    return member


@pytest.fixture
def make_ar() -> Callable[[Mapping[str, bytes]], bytes]:
    return ar


@pytest.fixture
def other_user() -> dict[str, object]:
    """Options for subprocess: as root, another user and whatever else differs between users."""
    options: dict[str, object] = {
        "env": {"PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8"},
        "umask": 0o077,
        "cwd": REPO,
    }
    if os.geteuid() == 0:
        options |= {"user": "nobody", "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-c", "import stack"], check=True, timeout=60, **options)  # type: ignore[call-overload]
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"another user cannot run this Python here: {error}")
    return options


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty folder that every user may write to and reach; pytest's own are closed."""
    made = fresh("lab-test-", "/var/tmp")
    made.chmod(0o777)
    yield made
    tree.remove(made)


INDEX = "dists/test/main/binary-{}/Packages.xz"


@pytest.fixture
def suite(world: World, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Publishes the metadata of what the mirror holds; what signs it is taken as good."""
    monkeypatch.setattr(repin, "verified", lambda signed, keyring: signed.decode())
    world.lock.file.write_text(locks.text(world.lock))

    def publish() -> None:
        hashes = []
        for system in ("amd64", "arm64"):
            stanzas = [
                f"Package: {Path(path).name.split('_')[0]}\nArchitecture: {system}\n"
                f"Version: {Path(path).name.split('_')[1]}\n"
                f"Filename: {path}\nSize: {len(content)}\n"
                f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
                for path, content in mirror.files.items()
                if path.startswith("pool/")
            ]
            packed = lzma.compress("\n".join(stanzas).encode())
            mirror.files[INDEX.format(system)] = packed
            digest = hashlib.sha256(packed).hexdigest()
            hashes.append(f" {digest} {len(packed)} main/binary-{system}/Packages.xz\n")
        mirror.files["dists/test/InRelease"] = (
            "Version: 2\nDate: Sat, 21 Nov 2026 09:15:44 UTC\nMD5Sum:\n x\nSHA256:\n"
            + "".join(hashes)
        ).encode()

    publish()
    return publish
