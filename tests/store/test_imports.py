"""What is carried in by hand is what the lock pins, or nothing of it is kept."""

import hashlib
import io
import itertools
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from stack.errors import BadInput, HostCannot, LabError
from stack.progress import Quiet
from stack.store import archive, bundle, imports, requirements, tree
from stack.store.archive import Archive
from stack.store.requirements import Requirement

fork = multiprocessing.get_context("fork")
Contents = dict[str, bytes]

WHEEL = f"{'greeting' * 12}-1.0-py3-none-any.whl"
"""A name that needs a header of its own."""


@pytest.fixture
def contents(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contents:
    """The members of the bundle of everything, with one wheel."""
    wheel = tmp_path / WHEEL
    wheel.write_bytes(b"hello")
    pin = Requirement(
        name="greeting" * 12,
        version="1.0",
        marker="",
        sha256=(hashlib.sha256(b"hello").hexdigest(),),
    )
    monkeypatch.setattr(requirements, "load", lambda file: (pin,))
    gathered = bundle.gathered([], [wheel], Quiet(), world.package_set)
    return {n: c if isinstance(c, bytes) else c.read_bytes() for n, c in gathered.items()}


def packed(contents: Contents) -> bytes:
    file = io.BytesIO()
    archive.write(file, contents, lambda count: None)
    return file.getvalue()


@pytest.fixture
def there(world: Any, tmp_path: Path, mirror: Any) -> Any:
    """The world on another machine, with nothing built; no mirror would answer."""
    return world.elsewhere(tmp_path / "there")


def take(world: Any, data: bytes, folder: Path) -> tuple[dict[str, Path], int]:
    file = folder / "x.tar"
    file.write_bytes(data)
    return imports.import_bundle(file, Quiet(), world.package_set)


def check_valid(world: Any) -> None:
    """Whatever stands in the cache under its final name is whole."""
    for file in (world.cache / "artifacts").glob("*"):
        if not file.name.endswith(".part"):
            assert hashlib.sha256(file.read_bytes()).hexdigest() == file.name
    for path in (world.cache / "store").glob("[0-9a-f]*"):
        name = path.name.split("-")[1]
        assert tree.manifest(path).sha256 == world.lock.outputs["amd64", name].sha256


def test_import_realises_without_a_network(
    there: Any, contents: Contents, mirror: Any, tmp_path: Path
) -> None:
    mirror.files.clear()
    mirror.requests.clear()
    paths, new = take(there, packed(contents), tmp_path)
    assert (set(paths), new) == ({"base", "tool"}, 3)
    assert all(path.is_relative_to(there.cache) and path.is_dir() for path in paths.values())
    check_valid(there)
    assert take(there, packed(contents), tmp_path) == (paths, 0)
    assert mirror.requests == []


def test_import_of_a_part_realises_that_part(there: Any, world: Any, tmp_path: Path) -> None:
    gathered = bundle.gathered(["base"], [], Quiet(), world.package_set)
    file = tmp_path / "x.tar"
    bundle.write(gathered, file, Quiet())
    paths, new = imports.import_bundle(file, Quiet(), there.package_set)
    assert (list(paths), new) == (["base"], 1)


def changed(name: str, content: bytes | None) -> Callable[[Contents], Contents]:
    """Another content of the member that starts with `name`; None drops it."""

    def change(contents: Contents) -> Contents:
        found = next((each for each in contents if each.startswith(name)), name)
        if content is None:
            return {key: value for key, value in contents.items() if key != found}
        return {**contents, found: content}

    return change


def labelled(**fields: object) -> Callable[[Contents], Contents]:
    def change(contents: Contents) -> Contents:
        label = {**json.loads(contents["bundle.json"]), **fields}
        return {**contents, "bundle.json": json.dumps(label, sort_keys=True).encode() + b"\n"}

    return change


def renamed_wheel(contents: Contents) -> Contents:
    rest = changed("wheels/", None)(contents)
    return {**rest, "wheels/other-1.0-py3-none-any.whl": b"hello"}


def relocked(old: bytes, new: bytes) -> Callable[[Contents], Contents]:
    return lambda contents: {**contents, "lock.toml": contents["lock.toml"].replace(old, new)}


WRONG = [
    pytest.param(changed("bundle.json", None), "no `bundle.json`", id="no label"),
    pytest.param(changed("bundle.json", b"{"), "`bundle.json` is damaged", id="broken label"),
    pytest.param(changed("bundle.json", b"[]"), "`bundle.json` is damaged", id="label of nothing"),
    pytest.param(labelled(packages=[]), "`bundle.json` is damaged", id="no packages"),
    pytest.param(labelled(more=1), "`bundle.json` is damaged", id="a label that says more"),
    pytest.param(changed("bundle.json", b" " * (1 << 17)), "damaged", id="a huge label"),
    pytest.param(labelled(packages=["moon"]), "no package `moon`", id="an unknown package"),
    pytest.param(labelled(packages=["base"]), r"libtool \(amd64\)", id="other packages"),
    pytest.param(changed("lock.toml", None), "no `lock.toml`", id="no lock"),
    pytest.param(changed("lock.toml", b"x"), "`lock.toml` is damaged", id="broken lock"),
    pytest.param(changed("lock.toml", b" " * (1 << 23)), "`lock.toml` is larger", id="a huge lock"),
    pytest.param(
        relocked(b'version = "1.0"', b'version = "0.9"'),
        r"libbase \(amd64\): 0.9 .*, the checkout's lock expects 1.0 .*\n.*made from a lock other",
        id="another lock",
    ),
    pytest.param(
        relocked(b"[output", b"# moved\n[output"), "made from a lock other", id="another output"
    ),
    pytest.param(changed("artifacts/", None), "is missing", id="an artifact is missing"),
    pytest.param(changed("artifacts/", b""), "has 0 bytes instead of", id="an empty artifact"),
    pytest.param(changed("artifacts/", bytes(9 << 20)), "9437184 bytes instead", id="a huge one"),
    pytest.param(
        changed(f"artifacts/{'0' * 64}", b"x"), "does not belong", id="an unknown artifact"
    ),
    pytest.param(changed("more/x", b"x"), "`more/x` does not belong", id="a strange name"),
    pytest.param(changed("wheels/", b"evil"), "not in requirements.txt", id="an unknown wheel"),
    pytest.param(renamed_wheel, "is not the name of a wheel of greeting", id="a wheel's name"),
    pytest.param(changed("wheels/", None), "names of its wheels", id="a wheel is missing"),
]


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_import_refuses_and_keeps_nothing(
    there: Any,
    contents: Contents,
    tmp_path: Path,
    change: Callable[[Contents], Contents],
    told: str,
) -> None:
    with pytest.raises(BadInput, match=f"(?s){told}") as caught:
        take(there, packed(change(contents)), tmp_path)
    assert "`x.tar` is refused" in str(caught.value)
    assert not there.cache.exists()


def test_import_reports_all_that_is_wrong_together(
    there: Any, contents: Contents, tmp_path: Path
) -> None:
    without = {n: c for n, c in contents.items() if not n.startswith("artifacts/")}
    with pytest.raises(BadInput) as caught:
        take(there, packed(without), tmp_path)
    assert str(caught.value).count("is missing") == 3


def test_import_refuses_a_bundle_for_another_system(
    there: Any, contents: Contents, tmp_path: Path
) -> None:
    with pytest.raises(HostCannot, match="for arm64, this machine is amd64"):
        take(there, packed(labelled(system="arm64")(contents)), tmp_path)


def structural(good: bytes) -> list[int]:
    """One of 97 places outside of artifacts: headers, padding, the end, small members."""
    spans = [
        (m.at, m.at + m.size)
        for m in Archive(io.BytesIO(good), "x").members.values()
        if m.name.startswith("artifacts/")
    ]
    outside = [at for at in range(len(good)) if not any(a <= at < b for a, b in spans)]
    return outside[::97]


def refuses(there: Any, good: bytes, places: list[int], folder: Path) -> None:
    for at in places:
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        with pytest.raises(LabError, match=r"`x\.tar`"):
            take(there, bytes(bad), folder)
        assert not there.cache.exists(), f"something was kept with byte {at} flipped"


def test_import_finds_flipped_bits(there: Any, contents: Contents, tmp_path: Path) -> None:
    good = packed(contents)
    drawn = random.Random(1).sample(range(len(good)), 20)
    refuses(there, good, [*structural(good), *drawn], tmp_path)


@pytest.mark.nightly
def test_import_finds_a_bit_flipped_anywhere(
    there: Any, contents: Contents, tmp_path: Path
) -> None:
    good = packed(contents)
    refuses(there, good, list(range(len(good))), tmp_path)


def test_import_refuses_a_part_of_a_bundle(there: Any, contents: Contents, tmp_path: Path) -> None:
    good = packed(contents)
    for end in [0, *random.Random(1).sample(range(len(good)), 20), len(good) - 1]:
        with pytest.raises(BadInput, match=r"`x\.tar`"):
            take(there, good[:end], tmp_path)
    assert not there.cache.exists()


def test_import_repairs_what_is_damaged_in_the_cache(
    there: Any, contents: Contents, tmp_path: Path
) -> None:
    take(there, packed(contents), tmp_path)
    damaged = next((there.cache / "artifacts").iterdir())
    damaged.write_bytes(b"damaged")
    assert take(there, packed(contents), tmp_path)[1] == 1
    check_valid(there)


def test_import_says_where_it_may_not_write(there: Any, contents: Contents, tmp_path: Path) -> None:
    there.cache.write_text("no folder")
    with pytest.raises(HostCannot, match="cannot be used"):
        take(there, packed(contents), tmp_path)


WATCHED = {"imports.py", "fetch.py", "realisation.py"}
"""Where each line is a moment to be killed at; what is in Python's buffers then is lost."""


def import_until(there: Any, data: bytes, folder: Path, limit: int | None) -> int:
    """Import in another process that kills itself before it runs the watched line number `limit`.

    How many it ran; 0 if it was killed.
    """
    receiving, sending = fork.Pipe(duplex=False)
    ran = itertools.count()

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        if Path(frame.f_code.co_filename).name not in WATCHED:
            return None
        if event == "line" and next(ran) == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    def child() -> None:
        threading.settrace(trace)
        sys.settrace(trace)
        try:
            take(there, data, folder)
        finally:
            sys.settrace(None)
            sending.send(next(ran))
            os._exit(0)

    process = fork.Process(target=child)
    process.start()
    sending.close()
    try:
        return int(receiving.recv())
    except EOFError:
        return 0
    finally:
        process.join()


def survives_kill(world: Any, data: bytes, folder: Path, limit: int) -> None:
    there = world.elsewhere(folder / f"there{limit}")
    assert import_until(there, data, folder, limit) == 0
    check_valid(there)
    paths, _ = take(there, data, folder)
    check_valid(there)
    assert set(paths) == {"base", "tool"}
    assert list((there.cache / "artifacts").glob("*.part")) == []
    assert list((there.cache / "store").glob(".building-*")) == []


def moments(world: Any, data: bytes, folder: Path) -> range:
    whole = import_until(world.elsewhere(folder / "whole"), data, folder, None)
    # Threads run: not each import runs just as many lines.
    return range(whole - whole // 20)


def test_import_survives_kills(world: Any, contents: Contents, tmp_path: Path) -> None:
    data = packed(contents)
    for limit in random.Random(1).sample(moments(world, data, tmp_path), 8):
        survives_kill(world, data, tmp_path, limit)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_import_survives_a_kill_at_every_step(
    world: Any, contents: Contents, tmp_path: Path
) -> None:
    data = packed(contents)
    every = moments(world, data, tmp_path)
    assert len(every) > 50
    for limit in every:
        survives_kill(world, data, tmp_path, limit)


def test_import_artifact_keeps_what_the_lock_knows(there: Any, mirror: Any, tmp_path: Path) -> None:
    artifact = there.artifacts["tool"]
    file = tmp_path / "downloaded"
    file.write_bytes(mirror.files[artifact.path])
    assert imports.import_artifact(file, there.package_set) == (artifact, True)
    assert (there.cache / "artifacts" / artifact.sha256).read_bytes() == file.read_bytes()
    assert imports.import_artifact(file, there.package_set) == (artifact, False)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param(
            "tool_1.0_amd64.deb", r"has:\n    tool 1.0 \(amd64\): [0-9a-f]{64}", id="file"
        ),
        pytest.param("libtool-9.zip", r"\n    libtool 1.0 \(amd64\): ", id="name"),
        pytest.param("moon.zip", "it has: nothing", id="neither"),
    ],
)
def test_import_artifact_refuses_others_and_names_what_it_knows(
    there: Any, tmp_path: Path, name: str, told: str
) -> None:
    file = tmp_path / name
    file.write_bytes(b"something else")
    with pytest.raises(BadInput, match=told) as caught:
        imports.import_artifact(file, there.package_set)
    assert (
        f"`{name}` (14 bytes) has SHA-256 {hashlib.sha256(b'something else').hexdigest()}"
        in str(caught.value)
    )
    assert not there.cache.exists()


def test_import_artifact_of_unknown_size(there: Any, mirror: Any, tmp_path: Path) -> None:
    unknown = there.pinning("tool", size=0)
    file = tmp_path / "tool.deb"
    file.write_bytes(mirror.files[there.artifacts["tool"].path])
    assert imports.import_artifact(file, unknown.package_set)[1]


def test_keep_refuses_what_changed_while_it_was_read(there: Any) -> None:
    with pytest.raises(LabError, match="changed while it was read"):
        imports.keep(there.artifacts["tool"], [b"other"], there.cache / "artifacts")
    assert list((there.cache / "artifacts").iterdir()) == []
