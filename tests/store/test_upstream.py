"""Upstream releases: zip archives from a URL, optional, and trusted by their hash alone."""

import hashlib
import io
import os
import stat
import subprocess
import time
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.store import lock as locks
from stack.store import optional, packageset, tree, upstream
from stack.store.artifact import Artifact
from stack.store.lock import Output
from stack.store.package import Package, Program
from stack.store.packageset import PackageSet, available, obtain, realise
from stack.tasks.build import build

SCRIPT = b"#!/bin/sh\necho agent 3.6\n"
AGENT = Package(
    name="agent",
    zips=("agent",),
    optional=True,
    programs=(Program(name="agent", file="agent-linux-{system}"),),
)


def packed(*members: tuple[str, bytes], mode: int = stat.S_IFREG | 0o644) -> bytes:
    """A zip archive, always the same for the same members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return file.getvalue()


GOOD = packed(("agent-linux-amd64", SCRIPT), ("LICENSE", Random(7).randbytes(600_000)))


@dataclass
class Upstream:
    package_set: PackageSet
    artifact: Artifact
    cache: Path

    def of(self, **changes: object) -> PackageSet:
        assert self.package_set.lock is not None
        artifact = replace(self.artifact, **changes)  # type: ignore[arg-type]
        kept = [each for each in self.package_set.lock.artifacts if each.name != "agent"]
        lock = replace(self.package_set.lock, artifacts=(*kept, artifact))
        return replace(self.package_set, lock=lock)


@pytest.fixture
def release(world: Any, mirror: Any, tmp_path: Path) -> Upstream:
    """`agent`, beside what the world holds; its size and its output are not pinned."""
    mirror.files["v3.6/agent-linux-amd64.zip"] = GOOD
    artifact = Artifact(
        name="agent",
        version="3.6",
        architecture="amd64",
        path=f"{mirror.url}/v3.6/agent-linux-amd64.zip",
        sha256=hashlib.sha256(GOOD).hexdigest(),
    )
    package_set = replace(world.package_set, packages=(*world.package_set.packages, AGENT))
    made = Upstream(package_set=package_set, artifact=artifact, cache=tmp_path / "cache")
    made.package_set = made.of()
    return made


def test_release_becomes_a_program_by_its_own_name(release: Upstream) -> None:
    path = realise(["agent"], release.package_set)["agent"]
    assert subprocess.check_output([path / "bin" / "agent"], text=True) == "agent 3.6\n"
    assert path.name.endswith("-agent-3.6")


def test_realise_of_all_leaves_optional_packages_out(release: Upstream) -> None:
    assert set(realise(None, release.package_set)) == {"base", "tool"}


def test_build_takes_what_can_be_had(release: Upstream, capsys: Any) -> None:
    build(None, release.package_set)
    assert "-agent-3.6\n3 packages" in capsys.readouterr().out


def test_build_says_what_it_leaves_out_and_asks_once_a_day(
    release: Upstream, mirror: Any, capsys: Any
) -> None:
    mirror.files.pop("v3.6/agent-linux-amd64.zip")
    build(None, release.package_set)
    said = capsys.readouterr().out
    assert (
        f"agent              left out: {release.artifact.path}: HTTP 404 (asked again in 24 h)"
        in said
    )
    assert "2 packages" in said
    asked = len(mirror.requests)
    assert str(available(["agent"], release.package_set)).endswith("(asked again in 24 h)")
    assert len(mirror.requests) == asked
    memory = release.cache / "unreachable" / release.artifact.sha256
    os.utime(memory, (time.time() - 86_500,) * 2)
    mirror.files["v3.6/agent-linux-amd64.zip"] = GOOD
    assert available(["agent"], release.package_set) is None


def test_available_does_not_wait_for_one_that_says_nothing(
    release: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optional, "ATTEMPT_S", 0.05)
    monkeypatch.setattr(optional, "_answer", lambda url: time.sleep(1) or "")
    assert "no answer within 0.05 s" in str(available(["agent"], release.package_set))


def _portal(mirror: Any, path: str) -> None:
    mirror.answers[path] = [(200, {"Content-Type": "text/html"}, b"<html>log in</html>")] * 9


def _other(mirror: Any, path: str) -> None:
    mirror.files[path] = packed(("agent-linux-amd64", b"something else"))


def _cut(mirror: Any, path: str) -> None:
    mirror.breaks[path] = [1000] * 9


def _trickling(mirror: Any, path: str) -> None:
    mirror.trickles = True


def _busy(mirror: Any, path: str) -> None:
    mirror.answers[path] = [(503, {"Retry-After": "0"}, b"")] * 9


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_portal, "a captive portal or proxy answered"),
        (_other, "SHA-256 is "),
        (_cut, "peer closed connection"),
        (_trickling, "not finished within 0.5 s"),
        (_busy, "HTTP 503, 3 times"),
    ],
)
def test_obtain_remembers_why_upstream_is_of_no_use(
    release: Upstream,
    mirror: Any,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Any,
    reason: str,
) -> None:
    monkeypatch.setattr(packageset, "LIMIT_S", 0.5)
    realise(None, release.package_set)
    spoil(mirror, "v3.6/agent-linux-amd64.zip")
    found = obtain(["agent"], release.package_set)
    assert found
    assert found.fresh
    assert reason in found.reason
    said = capsys.readouterr().err
    assert "fetching agent 3.6 from upstream, for 0.5 s at most" in said
    assert "fetched agent" not in said
    asked = len(mirror.requests)
    again = obtain(["agent"], release.package_set)
    assert again
    assert not again.fresh
    assert again.reason == found.reason
    assert len(mirror.requests) == asked
    build(None, release.package_set)
    assert f"agent              left out: {release.artifact.path}: " in capsys.readouterr().out


def test_artifact_brought_by_hand_is_used_without_asking(release: Upstream, mirror: Any) -> None:
    mirror.files.clear()
    assert available(["agent"], release.package_set)
    (release.cache / "artifacts").mkdir(parents=True)
    (release.cache / "artifacts" / release.artifact.sha256).write_bytes(GOOD)
    assert available(["agent"], release.package_set) is None
    assert realise(["agent"], release.package_set)["agent"].is_dir()


def test_fetch_without_a_size_resumes(release: Upstream, mirror: Any) -> None:
    mirror.breaks["v3.6/agent-linux-amd64.zip"] = [300_000]
    assert realise(["agent"], release.package_set)["agent"].is_dir()
    first, second = (wanted for _, wanted in mirror.requests)
    assert (first, second[:6]) == ("", "bytes=")


def test_fetch_without_a_size_takes_a_whole_part_that_was_left(
    release: Upstream, mirror: Any
) -> None:
    folder = release.cache / "artifacts"
    folder.mkdir(parents=True)
    (folder / f"{release.artifact.sha256}.part").write_bytes(GOOD)
    assert realise(["agent"], release.package_set)["agent"].is_dir()


BAD_DOWNLOADS = [
    pytest.param(GOOD[:-100], "SHA-256 is", id="truncated"),
    pytest.param(b"x" * len(GOOD), "SHA-256 is", id="wrong content"),
    pytest.param(b"", "SHA-256 is", id="empty"),
]


@pytest.mark.parametrize(("content", "message"), BAD_DOWNLOADS)
def test_wrong_download_is_refused_and_not_kept(
    release: Upstream, mirror: Any, content: bytes, message: str
) -> None:
    mirror.files["v3.6/agent-linux-amd64.zip"] = content
    with pytest.raises(CheckFailed, match=message) as caught:
        realise(["agent"], release.package_set)
    assert "doit import --artifact FILE" in caught.value.cure
    assert not (release.cache / "artifacts" / release.artifact.sha256).exists()


def test_no_download_at_all_is_the_hosts_fault_and_names_the_cure(
    release: Upstream, mirror: Any
) -> None:
    mirror.files.pop("v3.6/agent-linux-amd64.zip")
    with pytest.raises(HostCannot, match=r"v3.6/agent-linux-amd64.zip: HTTP 404") as caught:
        realise(["agent"], release.package_set)
    assert "doit import --artifact FILE" in caught.value.cure
    assert "DEBIAN" not in caught.value.cure


def test_wrong_size_in_the_lock_is_refused(release: Upstream) -> None:
    with pytest.raises(CheckFailed, match="more than the 10 bytes in the lock"):
        realise(["agent"], release.of(size=10))


def test_pinned_output_is_checked(release: Upstream) -> None:
    path = realise(["agent"], release.package_set)["agent"]
    pins = {}
    for wanted in (tree.manifest(path).sha256, "0" * 64):
        assert release.package_set.lock is not None
        outputs = {**release.package_set.lock.outputs}
        outputs["amd64", "agent"] = Output(sha256=wanted, size=1)
        pins[wanted] = replace(
            release.package_set, lock=replace(release.package_set.lock, outputs=outputs)
        )
    good, bad = pins.values()
    assert realise(["agent"], good)["agent"].is_dir()
    with pytest.raises(CheckFailed, match="the lock expects 0000"):
        realise(["agent"], bad)


HOSTILE = [
    (packed(("../agent-linux-amd64", SCRIPT)), "outside its folder: `../agent"),
    (packed(("/etc/agent", SCRIPT)), "outside its folder: `/etc/agent"),
    (packed(("a\\..\\..\\b", SCRIPT)), "outside its folder"),
    (packed(("agent-linux-amd64", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777), "contains a link"),
    (packed(("agent-linux-amd64", b""), mode=stat.S_IFIFO | 0o644), "device or pipe"),
    (GOOD[: len(GOOD) // 2], "not a readable zip archive"),
    (b"PK\x03\x04 and then nothing", "not a readable zip archive"),
    (packed(("other", SCRIPT)), "no program at `agent-linux-amd64`"),
]


@pytest.mark.parametrize(("content", "message"), HOSTILE, ids=[each[1] for each in HOSTILE])
def test_hostile_archive_is_refused(
    release: Upstream, mirror: Any, content: bytes, message: str
) -> None:
    mirror.files["v3.6/agent-linux-amd64.zip"] = content
    with pytest.raises(BadInput, match=message):
        realise(["agent"], release.of(sha256=hashlib.sha256(content).hexdigest()))
    assert [at.name for at in (release.cache / "store").glob("*-agent-*")] == []


def test_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "_LARGEST_BYTES", 1000)
    with pytest.raises(BadInput, match="contains 600025 bytes, more than 1000"):
        upstream.unpack(GOOD, tmp_path, name="agent", wanted=lambda path: True)
    assert list(tmp_path.iterdir()) == []


def test_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = packed(("agent", b"1"), ("agent", b"2"))
    with pytest.raises(BadInput, match="is already there"):
        upstream.unpack(twice, tmp_path, name="agent", wanted=lambda path: True)


def elf(offset: int, size: int, count: int, *, kind: bytes = b"\2") -> bytes:
    """The header of an ELF file with a table of program headers there."""
    header = bytearray(b"\x7fELF" + kind + bytes(59))
    header[32:40], header[54:56] = offset.to_bytes(8, "little"), size.to_bytes(2, "little")
    header[56:58] = count.to_bytes(2, "little")
    return bytes(header)


@pytest.mark.parametrize(
    "content",
    [
        elf(2**63, 56, 3),
        elf(64, 56, 60_000),
        elf(64, 0, 3),
        elf(64, 7, 3) + bytes(200),
        elf(64, 56, 1, kind=b"\1") + bytes(200),
        elf(64, 56, 1)[:20],
    ],
)
def test_malformed_program_is_bad_input(release: Upstream, mirror: Any, content: bytes) -> None:
    packed_up = packed(("agent-linux-amd64", content))
    mirror.files["v3.6/agent-linux-amd64.zip"] = packed_up
    pinned = release.of(sha256=hashlib.sha256(packed_up).hexdigest())
    with pytest.raises(BadInput, match="is a malformed ELF file"):
        realise(["agent"], pinned)


def test_lock_says_nothing_of_a_size_that_is_not_known(release: Upstream, tmp_path: Path) -> None:
    assert release.package_set.lock is not None
    file = tmp_path / "lock.toml"
    file.write_text(locks.text(replace(release.package_set.lock, file=file)))
    again = locks.load(file)
    assert again.artifact("agent", "amd64") == release.artifact
    assert file.read_text().count("size = ") == len(again.artifacts) - 1 + len(again.outputs)
