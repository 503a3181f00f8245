"""npm's tarballs: pinned in a lock of their own, fetched like every artifact, trusted like none."""

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.progress import Quiet
from stack.store import lock as locks
from stack.store import npmlock, npmpin, page
from stack.store.artifact import Tarball
from stack.store.fetch import Fetcher
from stack.store.outdated import behind, latest_of_npm
from stack.store.package import Package, Page

DEAD = "http://127.0.0.1:9"  # the discard port, where nothing listens


def tarball_of(files: dict[str, bytes], folder: str = "package") -> bytes:
    """A tarball as `npm pack` makes it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}" if folder else name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


CONTENT = tarball_of(
    {"package.json": b'{"license": "MIT"}', "index.js": b"1", "index.js.map": b"2"}
)


def pinned(name: str, content: bytes = CONTENT, version: str = "1.2.3") -> Tarball:
    return npmlock.tarball(
        name,
        version,
        places=[f"node_modules/{name}"],
        integrity=npmpin.integrity(content),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="MIT",
    )


@pytest.fixture
def fetching(tmp_path: Path, mirror: Any) -> Any:
    made = Fetcher(
        folder=tmp_path / "cache", mirrors=(), registries=(mirror.url,), progress=Quiet()
    )
    with made.client:
        yield made


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("react", "react/-/react-1.2.3.tgz"),
        ("@grafana/ui", "@grafana/ui/-/ui-1.2.3.tgz"),
    ],
)
def test_npm_path_is_made_of_name_and_version(
    fetching: Fetcher, mirror: Any, name: str, path: str
) -> None:
    mirror.files[path] = CONTENT
    assert fetching.fetch(pinned(name)).read_bytes() == CONTENT
    assert mirror.requests == [(path, "")]


def test_npm_fetch_asks_the_registry_of_the_host_only_if_it_must(
    tmp_path: Path, mirror: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.files["a/-/a-1.2.3.tgz"] = CONTENT
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{mirror.url}/")
    made = Fetcher(folder=tmp_path, mirrors=(), progress=Quiet())
    with made.client:
        assert made.fetch(pinned("a")).read_bytes() == CONTENT
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", DEAD)
        assert made.fetch(pinned("a")).read_bytes() == CONTENT
    assert len(mirror.requests) == 1


def test_npm_fetch_refuses_another_content(fetching: Fetcher, mirror: Any) -> None:
    mirror.files["a/-/a-1.2.3.tgz"] = CONTENT[:-1] + b"x"
    with pytest.raises(CheckFailed) as caught:
        fetching.fetch(pinned("a"))
    assert "artifact `a 1.2.3 (npm)` is not what the lock pins" in str(caught.value)
    assert "NPM_CONFIG_REGISTRY" in caught.value.cure
    assert not (fetching.folder / pinned("a").sha256).exists()


def test_npm_fetch_refuses_a_truncated_tarball_and_goes_on_later(
    fetching: Fetcher, mirror: Any
) -> None:
    path = "a/-/a-1.2.3.tgz"
    mirror.files[path] = CONTENT[:-7]
    with pytest.raises((CheckFailed, HostCannot), match=f"of {len(CONTENT)}"):
        fetching.fetch(pinned("a"))
    mirror.files[path] = CONTENT
    assert fetching.fetch(pinned("a")).read_bytes() == CONTENT


def test_npm_fetch_says_that_the_registry_is_unreachable(tmp_path: Path) -> None:
    made = Fetcher(folder=tmp_path, mirrors=(), registries=(DEAD,), progress=Quiet())
    with made.client, pytest.raises(HostCannot) as caught:
        made.fetch(pinned("@b/c"))
    message = str(caught.value)
    assert "artifact `@b/c 1.2.3 (npm)` is not available from the registry" in message
    assert f"{DEAD}/@b/c/-/c-1.2.3.tgz: " in message
    assert "name another npm registry in NPM_CONFIG_REGISTRY" in message


def test_npm_fetch_says_that_a_portal_answered(fetching: Fetcher, mirror: Any) -> None:
    mirror.files["a/-/a-1.2.3.tgz"] = b"<html>Please log in</html>"
    with pytest.raises(HostCannot, match="a page of HTML came instead"):
        fetching.fetch(pinned("a"))


def test_npm_lock_reads_what_it_wrote(tmp_path: Path) -> None:
    twice = replace(pinned("b"), places=("node_modules/a/node_modules/b", "node_modules/b"))
    wanted = (pinned("@x/y"), twice, pinned("b", b"other", "2.0.0-rc.1"))
    wanted = (*wanted[:2], replace(wanted[2], places=("node_modules/c/node_modules/b",)))
    file = tmp_path / "npm-lock.json"
    file.write_text(npmlock.text(wanted))
    assert npmlock.load(file) == wanted
    assert "http" not in file.read_text()


def test_npm_lock_may_be_absent(tmp_path: Path) -> None:
    assert npmlock.load(tmp_path / "npm-lock.json") == ()


def _entry(**changes: object) -> dict[str, object]:
    good = pinned("a")
    entry: dict[str, object] = {
        "version": "1.2.3",
        "integrity": good.integrity,
        "sha256": good.sha256,
        "size": good.size,
    }
    return {key: value for key, value in (entry | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("packages", "problem"),
    [
        ([], "`packages` is not an object"),
        ({"node_modules/../../etc": _entry()}, "`node_modules/../../etc` is not a folder of npm's"),
        ({"/a": _entry()}, "`/a` is not a folder of npm's"),
        ({"node_modules/a": 1}, "`node_modules/a` is not an object"),
        ({"node_modules/a": _entry(version="1/2")}, "has a bad `version`: `1/2`"),
        ({"node_modules/a": _entry(integrity="sha1-x")}, "has a bad `integrity`: `sha1-x`"),
        ({"node_modules/a": _entry(sha256=None)}, "lacks `sha256`"),
        ({"node_modules/a": _entry(size=0)}, "has a `size` that is not a number of bytes: `0`"),
        ({"node_modules/a": _entry(size=True)}, "has a `size` that is not a number of bytes"),
        ({"node_modules/a": _entry(license=["MIT"])}, "has a `license` that is not a string"),
        (
            {"node_modules/a": _entry(), "node_modules/b/node_modules/a": _entry(sha256="0" * 64)},
            "has another `sha256` than `node_modules/a`, of the same version",
        ),
    ],
)
def test_npm_lock_names_what_is_wrong_in_it(tmp_path: Path, packages: object, problem: str) -> None:
    file = tmp_path / "npm-lock.json"
    file.write_text(json.dumps({"packages": packages}))
    with pytest.raises(BadInput) as caught:
        npmlock.load(file)
    assert problem in caught.value.what
    assert str(file) in caught.value.what


def test_npm_lock_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "npm-lock.json").write_text("{")
    with pytest.raises(BadInput, match="it is not JSON"):
        npmlock.load(tmp_path / "npm-lock.json")


def test_lock_pins_npm_beside_debian_and_writes_neither_into_the_other(world: Any) -> None:
    lock = replace(world.lock, artifacts=(*world.lock.artifacts, pinned("tool")))
    from stack.store import repin

    repin.write(lock)
    assert locks.load(lock.file).tarballs == (pinned("tool"),)
    assert "1.2.3" not in lock.file.read_text()
    # A package of Debian may have the name of one of npm.
    assert not isinstance(locks.load(lock.file).artifact("tool", "amd64"), Tarball)


def test_npm_unpack_takes_what_a_bundle_can_use(tmp_path: Path) -> None:
    content = tarball_of({"dist/a.mjs": b"1", "a.d.ts": b"2", "LICENSE": b"3", "x/LICENSE": b"4"})
    page.unpack(content, tmp_path / "a", name="a")
    found = {str(at.relative_to(tmp_path)) for at in tmp_path.rglob("*") if at.is_file()}
    assert found == {"a/dist/a.mjs", "a/LICENSE"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"no archive", "`a` is not a readable tarball"),
        (CONTENT[: len(CONTENT) // 2], "`a` is not a readable tarball"),
        (tarball_of({"../../x.js": b"1"}), "would write outside its folder"),
        (tarball_of({"/etc/x.js": b"1"}, folder=""), "would write outside its folder"),
    ],
    ids=["no archive", "truncated", "leads out", "absolute"],
)
def test_npm_unpack_trusts_no_tarball(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        page.unpack(content, tmp_path / "deep" / "a", name="a")
    assert not (tmp_path / "x.js").exists()


def test_npm_unpack_stops_at_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_LARGEST_BYTES", 1 << 16)
    with pytest.raises(BadInput, match="unpacks to more than 65536 bytes"):
        page.unpack(tarball_of({"a.js": bytes(1 << 20)}), tmp_path / "a", name="a")


@pytest.mark.parametrize(
    ("about", "licence"),
    [
        ({"license": "MIT"}, "MIT"),
        ({"license": {"type": "ISC"}}, "ISC"),
        ({"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}, "MIT OR Apache-2.0"),
        ({"license": "SEE LICENSE IN x"}, ""),
        ({}, ""),
    ],
)
def test_npm_licence_is_what_the_package_declares(about: object, licence: str) -> None:
    assert npmpin.licence(tarball_of({"package.json": json.dumps(about).encode()})) == licence


def test_npm_registry_says_what_is_latest(mirror: Any) -> None:
    mirror.files["@b/c/latest"] = b'{"name": "@b/c", "version": "2.0.0"}'
    mirror.files["broken/latest"] = b"{"
    with httpx.Client() as client:
        assert latest_of_npm("@b/c", mirror.url, client) == "2.0.0"
        assert latest_of_npm("broken", mirror.url, client) is None
        assert latest_of_npm("absent", mirror.url, client) is None
        assert latest_of_npm("any", DEAD, client) is None


def test_npm_update_tells_what_moves(world: Any) -> None:
    package = Package(
        name="site", page=Page(folder="", sources=(), entry="", into="", version_of="a")
    )
    old = replace(world.lock, artifacts=(pinned("a"), pinned("gone"), pinned("kept")))
    new = replace(world.lock, artifacts=(pinned("a", b"2", "2.0.0"), pinned("kept"), pinned("new")))
    assert [str(each) for each in behind([package], old, new)] == [
        "a 1.2.3 -> 2.0.0",
        "gone 1.2.3 -> not there",
        "new not there -> 1.2.3",
    ]


def test_npm_pin_refuses_what_the_registry_did_not_promise(
    tmp_path: Path, mirror: Any, world: Any, publish: Callable[..., Any]
) -> None:
    mirror.files["a/-/a-1.2.3.tgz"] = CONTENT
    promised = f"sha512-{base64.b64encode(bytes(64)).decode()}"
    wanted = npmpin._Wanted(
        name="a", version="1.2.3", integrity=promised, places=("node_modules/a",)
    )
    store = world.package_set.store(world.lock)
    with httpx.Client() as client:
        with pytest.raises(CheckFailed, match=r"has the integrity sha512-.*, the registry says"):
            npmpin._brought(wanted, {}, (mirror.url,), client, store)
        good = replace(wanted, integrity=npmpin.integrity(CONTENT))
        made = npmpin._brought(good, {}, (mirror.url,), client, store)
    assert made == pinned("a")
    assert (store.artifacts / made.sha256).read_bytes() == CONTENT
