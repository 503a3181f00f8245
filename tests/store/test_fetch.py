"""Only the right content gets into the cache, from whichever mirror has it."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.errors import CheckFailed, HostCannot
from stack.progress import Lines, Quiet
from stack.store import fetch
from stack.store.artifact import Artifact
from stack.store.fetch import Fetcher

CONTENT = bytes(range(256)) * 4000
DEAD = "http://127.0.0.1:9"  # the discard port, where nothing listens


@pytest.fixture
def artifact(publish: Callable[[str, bytes], Artifact]) -> Artifact:
    return publish("thing", CONTENT)


@contextmanager
def fetcher(folder: Path, *mirrors: str) -> Iterator[Fetcher]:
    made = Fetcher(folder=folder, mirrors=mirrors, progress=Quiet())
    with made.client:
        yield made


def test_fetch_brings_the_artifact_once(tmp_path: Path, mirror: Any, artifact: Artifact) -> None:
    with fetcher(tmp_path / "deep" / "cache", mirror.url) as fetching:
        got = fetching.fetch(artifact)
        assert fetching.fetch(artifact) == got
    assert got.read_bytes() == CONTENT
    assert got.name == artifact.sha256
    assert mirror.requests == [(artifact.path, "")]
    assert [at.name for at in got.parent.iterdir()] == [artifact.sha256]
    assert got.stat().st_mode & 0o777 == 0o644


def test_fetch_by_many_at_once_asks_once(tmp_path: Path, mirror: Any, artifact: Artifact) -> None:
    with fetcher(tmp_path, mirror.url) as fetching, ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(fetching.fetch, [artifact] * 8))) == 1
    assert len(mirror.requests) == 1
    assert [at.name for at in tmp_path.iterdir()] == [artifact.sha256]


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to], ids=["link", "second name"])
def test_what_was_planted_is_not_written_to(
    tmp_path: Path, mirror: Any, artifact: Artifact, plant: Callable[[Path, Path], None]
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "cache"
    folder.mkdir()
    plant(folder / f"{artifact.sha256}.part", victim)
    with fetcher(folder, mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT
    assert victim.read_text() == "precious"
    assert [at.name for at in folder.iterdir()] == [artifact.sha256]


def test_pipe_that_was_planted_stops_nothing(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    os.mkfifo(tmp_path / f"{artifact.sha256}.part")
    with fetcher(tmp_path, mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT
    assert [at.name for at in tmp_path.iterdir()] == [artifact.sha256]


def test_fetch_tries_the_next_mirror(tmp_path: Path, mirror: Any, artifact: Artifact) -> None:
    with fetcher(tmp_path, DEAD, f"{mirror.url}/nowhere", mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT


def test_fetch_resumes_a_broken_transfer(tmp_path: Path, mirror: Any, artifact: Artifact) -> None:
    mirror.breaks[artifact.path] = [300_000, 300_000]
    with fetcher(tmp_path, mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT
    asked = [wanted for _, wanted in mirror.requests]
    assert len(asked) == 3
    assert asked[0] == ""
    assert all(wanted.startswith("bytes=") for wanted in asked[1:])


def test_fetch_starts_again_where_a_mirror_cannot_resume(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    mirror.breaks[artifact.path] = [300_000]
    mirror.resumes = False
    with fetcher(tmp_path, mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT


def test_fetch_goes_on_from_what_a_killed_build_left(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    (tmp_path / f"{artifact.sha256}.part").write_bytes(CONTENT[:1000])
    with fetcher(tmp_path, mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT
    assert mirror.requests == [(artifact.path, "bytes=1000-")]


@pytest.mark.parametrize("left", [b"rubbish", b"x" * len(CONTENT), b"x" * len(CONTENT) * 2])
def test_fetch_does_not_trust_what_a_killed_build_left(
    tmp_path: Path, mirror: Any, artifact: Artifact, left: bytes
) -> None:
    (tmp_path / f"{artifact.sha256}.part").write_bytes(left)
    with fetcher(tmp_path, mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT


@pytest.mark.parametrize("bad", [CONTENT[:-1], b"x" + CONTENT[1:], b""], ids=["cut", "wrong", "0"])
def test_fetch_replaces_a_damaged_artifact(
    tmp_path: Path, mirror: Any, artifact: Artifact, bad: bytes
) -> None:
    (tmp_path / artifact.sha256).write_bytes(bad)
    with fetcher(tmp_path, mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT


def test_fetch_refuses_a_wrong_hash_and_names_both(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    wrong = replace(artifact, sha256="0" * 64)
    with (
        fetcher(tmp_path, mirror.url) as fetching,
        pytest.raises(
            CheckFailed, match=f"SHA-256 is {artifact.sha256}, the lock expects {'0' * 64}"
        ),
    ):
        fetching.fetch(wrong)
    assert not (tmp_path / wrong.sha256).exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [(b"y" + CONTENT, "more than the 1024000 bytes"), (CONTENT[:-7], "ended after 1023993 of")],
    ids=["too long", "too short"],
)
def test_fetch_refuses_a_wrong_size(
    tmp_path: Path, mirror: Any, artifact: Artifact, change: bytes, message: str
) -> None:
    mirror.files[artifact.path] = change
    with (
        fetcher(tmp_path, mirror.url) as fetching,
        pytest.raises((CheckFailed, HostCannot), match=message),
    ):
        fetching.fetch(artifact)
    assert not (tmp_path / artifact.sha256).exists()
    mirror.files[artifact.path] = CONTENT
    with fetcher(tmp_path, mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT


def test_fetch_prefers_a_good_mirror_to_a_wrong_one(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    mirror.files[f"bad/{artifact.path}"] = CONTENT[::-1]
    with fetcher(tmp_path, f"{mirror.url}/bad", mirror.url) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT


def test_fetch_names_artifact_and_each_failure(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    del mirror.files[artifact.path]
    with fetcher(tmp_path, DEAD, mirror.url) as fetching, pytest.raises(HostCannot) as caught:
        fetching.fetch(artifact)
    message = str(caught.value)
    assert "`thing 1.0 (amd64)`" in message
    assert f"{DEAD}/{artifact.path}: " in message
    assert f"{mirror.url}/{artifact.path}: HTTP 404" in message
    assert "STACK_DEBIAN_MIRROR" in message


def test_fetch_tells_of_a_full_disk(
    tmp_path: Path, mirror: Any, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch.os, "fsync", full)
    with (
        fetcher(tmp_path, mirror.url) as fetching,
        pytest.raises(HostCannot, match=f"`{tmp_path}` is full: {len(CONTENT)} bytes are needed"),
    ):
        fetching.fetch(artifact)
    assert list(tmp_path.iterdir()) == []


PAGE = b"\n<!DOCTYPE html><html><body>Please log in</body></html>"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("after", ["0", "Fri, 01 Jan 2010 00:00:00 GMT"])
def test_fetch_asks_a_busy_mirror_again_before_the_next(
    tmp_path: Path, mirror: Any, artifact: Artifact, status: int, after: str
) -> None:
    mirror.answers[artifact.path] = [(status, {"Retry-After": after}, b"busy")] * 2
    with fetcher(tmp_path, mirror.url, DEAD) as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT
    assert len(mirror.requests) == 3


def test_fetch_waits_as_long_as_a_busy_mirror_asks(
    tmp_path: Path, mirror: Any, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    mirror.answers[artifact.path] = [(503, {"Retry-After": "7"}, b""), (503, {}, b"")]
    with fetcher(tmp_path, mirror.url) as fetching:
        monkeypatch.setattr(fetching.stop, "wait", lambda seconds: waited.append(seconds))
        fetching.fetch(artifact)
    assert waited == [7.0, 1.0]


def test_fetch_leaves_a_mirror_that_wants_to_be_asked_much_later(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    mirror.answers[artifact.path] = [(429, {"Retry-After": "3600"}, b"")]
    mirror.files[f"next/{artifact.path}"] = CONTENT
    with fetcher(tmp_path, mirror.url, f"{mirror.url}/next") as fetching:
        assert fetching.fetch(artifact).read_bytes() == CONTENT
    assert len(mirror.requests) == 2


def test_fetch_gives_up_a_mirror_that_stays_busy(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    mirror.answers[artifact.path] = [(503, {"Retry-After": "0"}, b"")] * 9
    with fetcher(tmp_path, mirror.url) as fetching, pytest.raises(HostCannot) as caught:
        fetching.fetch(artifact)
    assert "HTTP 503, 3 times" in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, PAGE),
        ({"Content-Type": "text/html; charset=utf-8"}, b"\x1f\x8b compressed, asked for or not"),
        ({"Content-Type": "text/html"}, b"Please log in"),
        ({}, b"\xef\xbb\xbf  <?xml version='1.0'?><html/>"),
    ],
)
@pytest.mark.parametrize("size", [True, False], ids=["known size", "unknown size"])
def test_fetch_says_that_a_portal_answered_and_keeps_what_it_had(
    tmp_path: Path,
    mirror: Any,
    artifact: Artifact,
    headers: dict[str, str],
    body: bytes,
    size: bool,
) -> None:
    wanted = artifact if size else replace(artifact, size=0)
    part = tmp_path / f"{artifact.sha256}.part"
    part.write_bytes(CONTENT[:1000])
    mirror.answers[artifact.path] = [(200, headers, body)]
    with fetcher(tmp_path, mirror.url) as fetching:
        with pytest.raises(HostCannot, match="a captive portal or proxy answered"):
            fetching.fetch(wanted)
        assert part.read_bytes() == CONTENT[:1000]
        assert fetching.fetch(wanted).read_bytes() == CONTENT


def test_fetch_ends_a_download_that_trickles(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    mirror.trickles = True
    fetching = Fetcher(
        folder=tmp_path, mirrors=(mirror.url,), progress=Quiet(), within_s=0.2
    )  # fmt: skip
    began = time.monotonic()
    with fetching.client, pytest.raises(HostCannot, match=r"not finished within 0\.2 s; 0\.0 MB"):
        fetching.fetch(artifact)
    assert time.monotonic() - began < 2
    assert (tmp_path / f"{artifact.sha256}.part").stat().st_size > 0


def test_fetch_tells_the_size_that_the_lock_does_not_know(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    class Sizes(Quiet):
        expected = 0

        def expect(self, what: str, size: int) -> None:
            self.expected = size

    sizes = Sizes()
    fetching = Fetcher(folder=tmp_path, mirrors=(mirror.url,), progress=sizes)
    with fetching.client:
        fetching.fetch(replace(artifact, size=0))
    assert sizes.expected == len(CONTENT)


def test_fetch_says_fetched_only_of_what_was(
    tmp_path: Path, mirror: Any, artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    fetching = Fetcher(folder=tmp_path, mirrors=(mirror.url,), progress=Lines())
    with fetching.client, pytest.raises(CheckFailed):
        fetching.fetch(replace(artifact, sha256="0" * 64))
    assert capsys.readouterr().err == ""


def test_fetch_reports_bytes_and_rate(
    tmp_path: Path, mirror: Any, artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Lines()
    fetching = Fetcher(folder=tmp_path, mirrors=(mirror.url,), progress=lines)
    with fetching.client:
        fetching.fetch(artifact)
        fetching.fetch(artifact)
    assert lines.downloaded == len(CONTENT)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("fetched thing 1.0: 1.0 MB, ")


def test_fetch_begins_only_what_it_downloads(
    tmp_path: Path, mirror: Any, artifact: Artifact
) -> None:
    class Begun(Quiet):
        def __init__(self) -> None:
            super().__init__()
            self.begun: list[str] = []

        def begin(self, what: str, size: int | None = None) -> None:
            self.begun.append(what)

    for expected in (["thing 1.0"], []):
        seen = Begun()
        with httpx.Client() as client:
            fetching = Fetcher(folder=tmp_path, mirrors=(mirror.url,), progress=seen, client=client)
            fetching.fetch(artifact)
        assert seen.begun == expected
        assert seen.downloaded == (len(CONTENT) if expected else 0)
