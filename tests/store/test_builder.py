"""The builder refuses a recipe that does not fit its packages, and names what does not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput
from stack.store import builder, elf
from stack.store.artifact import Artifact
from stack.store.derivation import derive
from stack.store.lock import Lock
from stack.store.package import Package, Program, Replacement

LOADER = Package(name="base", debs=("thing",))


@pytest.fixture
def building(
    tmp_path: Path, make_deb: Any, make_member: Any, publish: Callable[[str, bytes], Artifact]
) -> Callable[..., Path]:
    """Builds a package of an artifact that holds `usr/bin/run`; another holds a shell."""
    contents = {
        "thing": make_deb(
            make_member("./usr/bin/run", b"/usr/share/x/ is compiled in\0", mode=0o755)
        ),
        "shell": make_deb(make_member("./usr/bin/busybox", mode=0o755)),
    }
    artifacts = tuple(publish(name, content) for name, content in contents.items())
    lock = Lock(suite="", release="", snapshot="", artifacts=artifacts, outputs={})

    def build(**recipe: Any) -> Path:
        package = Package(**{"name": "made", "debs": ("thing",), **recipe})
        derivation = derive((LOADER, package), lock, "amd64")["made"]
        builder.build(derivation, lambda artifact: contents[artifact.name], tmp_path)
        return tmp_path

    return build


def test_build_puts_a_launcher_in_the_program_s_place(building: Callable[..., Path]) -> None:
    program = Program(name="go", file="usr/bin/run", cwd="usr")
    root = building(programs=(program,), needs=("base",))
    assert (root / "libexec/go").read_bytes().startswith(b"/usr/share/x/")
    assert (root / "bin/go").resolve() == root / "usr/bin/run"
    loader = (root / "libexec/loader/go").readlink()
    assert loader.parts[:3] == ("..", "..", "..")
    assert loader.name == "ld-linux-x86-64.so.2"
    launcher = (root / "usr/bin/run").read_bytes()
    assert launcher.startswith(b"\x7fELF")
    assert str(root).encode() not in launcher


def test_program_that_starts_itself_stays_where_it_is_and_finds_its_loader_there(
    building: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(elf, "ask_for_loader", lambda at, loader: asked.append((at.name, loader)))
    program = Program(
        name="go", file="usr/bin/run", starts_itself=True, environment=("THERE={output}/etc",),
        libraries=("usr/lib/more",),
    )  # fmt: skip
    root = building(
        programs=(program,), needs=("base",), debs=("thing", "shell"), keep=("usr/bin/*",)
    )
    assert asked == [("run", "loader")]
    assert (root / "usr/bin/run").read_bytes().startswith(b"/usr/share/x/")
    loader = (root / "usr/bin/loader").readlink()
    assert loader.parts[:3] == ("..", "..", "..")
    assert loader.name == "ld-linux-x86-64.so.2"
    launcher = (root / "bin/go").read_bytes()
    for text in (
        b"\0\1/usr/bin/busybox\0env\0LD_LIBRARY_PATH=\1/usr/lib/x86_64-linux-gnu:\1/usr/lib/more:",
        b"\0THERE=\1/etc\0\1/usr/bin/run\0",
    ):
        assert text in launcher
    assert str(root).encode() not in launcher


def test_build_replaces_at_the_same_length(building: Callable[..., Path]) -> None:
    same = Replacement(file="usr/bin/run", old="/usr/share/x/", new="/proc/self///")
    root = building(replacements=(same,))
    assert (root / "usr/bin/run").read_bytes() == b"/proc/self/// is compiled in\0"


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (
            {"programs": (Program(name="go", file="usr/bin/go"),), "needs": ("base",)},
            "no program at `usr/bin/go`",
        ),
        ({"programs": (Program(name="go", file="usr/bin/run"),)}, "no package with a loader"),
        (
            {
                "programs": (Program(name="go", file="usr/bin/run", starts_itself=True),),
                "needs": ("base",),
            },
            "no `usr/bin/busybox`",
        ),
        (
            {"replacements": (Replacement(file="usr/bin/run", old="/none/", new="/some/"),)},
            "cannot replace `/none/`",
        ),
        (
            {"replacements": (Replacement(file="usr/bin/run", old="/usr/", new="/"),)},
            "cannot replace `/usr/`",
        ),
        (
            {"replacements": (Replacement(file="usr/gone", old="/usr/", new="/ran/"),)},
            "cannot replace `/usr/`",
        ),
    ],
    ids=["no program", "no loader", "no shell", "not there", "other length", "no file"],
)
def test_build_refuses(building: Callable[..., Path], recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        building(**recipe)
