"""What containers of the lab's own programs run on: the store's Python, wheels that
`requirements.txt` pins, and the programs themselves, all compiled.

Native instances run on the Python that runs `doit`: tasks, tests and programs are one code base on
one set of wheels, and a second set would make every fresh clone slower for a difference that the
lock all but excludes (the wheels are pinned, for every Python). A container has no such Python, so
it brings the store's.

A container's root is read-only, so that Python could never keep what it compiles there: without
bytecode each start would take seconds of CPU. It is compared with nothing when it is loaded, since
nobody can change it.
"""

import hashlib
import importlib.metadata
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from stack.deploy.images.layer import STORE
from stack.errors import BadInput, HostCannot
from stack.paths import REPO
from stack.progress import Progress
from stack.store import requirements, tree, upstream
from stack.store.disk import make_folder
from stack.store.wheels import wheels_of

VERSION = "3.13"
"""Of the package `python`."""

WANTED = (
    "aiosmtpd",
    "cramjam",
    "duckdb",
    "faker",
    "fastapi",
    "fastapi-offline",
    "google-re2",
    "httptools",
    "httpx",
    "jinja2",
    "lark",
    "markdown-it-py",
    "nh3",
    "orjson",
    "prometheus-client",
    "promql-parser",
    "protobuf",
    "psutil",
    "psycopg[binary,pool]",
    "pyyaml",
    "rich",
    "supervisor",
    "uvicorn",
    "uvloop",
    "websockets",
)
"""What `stack.programs` and the rooms below it import; what these need, their metadata say."""

_SOURCES = ("*.py", "logql/**/*", "programs/**/*", "speed/**/*")
"""Files in `stack/` that programs consist of, but for the viewer's page, which is a package."""

_NOT_RUN = ("programs/viewer/page/",)

_COMPILE_TIMEOUT_S = 600


@dataclass(frozen=True, kw_only=True)
class Trees:
    """Folders that become layers as store paths do, at `/store/NAME`; a name says what is in it."""

    bytecode: Path
    """Of Python's own library, laid out as the library is in Python's store path."""
    wheels: Path
    programs: Path

    @property
    def environment(self) -> dict[str, str]:
        searched = ":".join(f"/{STORE}/{one.name}" for one in (self.programs, self.wheels))
        return {"PYTHONPATH": searched, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


def trees(python: Path, system: str, cache: Path, aside: Path, report: Progress) -> Trees:
    """Bytecode and wheels in the cache, unless they are there, and the programs in `aside`.

    `python` is the store path of the package. Raises HostCannot if pip reaches no index, and
    BadInput for a wheel that cannot be unpacked here.
    """
    folder = cache / "images"
    make_folder(folder)
    wanted = needed()
    pins = requirements.REQUIREMENTS.read_bytes() + "\n".join(wanted).encode()
    bytecode = folder / f"{_digest(python.name)}-bytecode"
    wheels = folder / f"{_digest(python.name, system, pins)}-wheels"
    if not bytecode.is_dir():
        with report.doing("compiling Python's library for containers"):
            _make(bytecode, lambda into: _compiled_library(python, into))
    if not wheels.is_dir():
        files = wheels_of(wanted, system, VERSION, cache, report)
        with report.doing("compiling wheels for containers"):
            _make(wheels, lambda into: _unpacked(python, files, into, wheels.name))
    sources = _sources()
    said = "".join(
        f"{name}\0{hashlib.sha256(text).hexdigest()}\0" for name, text in sources.items()
    )
    programs = aside / f"{_digest(python.name, said)}-programs"
    _make(programs, lambda into: _copied(python, sources, into, programs.name))
    return Trees(bytecode=bytecode, wheels=wheels, programs=programs)


def needed() -> tuple[str, ...]:
    """The distributions, by normal name, that containers need: those wanted and what they need."""
    found: dict[str, frozenset[str]] = {}
    looking = [Requirement(each) for each in WANTED]
    while looking:
        one = looking.pop()
        name = requirements.normal(one.name)
        extras = frozenset(one.extras) | found.get(name, frozenset())
        if found.get(name) == extras:
            continue
        found[name] = extras
        for text in importlib.metadata.requires(name) or ():
            need = Requirement(text)
            if need.marker is None or any(
                need.marker.evaluate({"python_version": VERSION, "extra": extra})
                for extra in {"", *extras}
            ):
                looking.append(need)
    return tuple(sorted(found))


def _digest(*parts: str | bytes) -> str:
    whole = b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.sha256(whole).hexdigest()[:32]


def _make(final: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder aside, seal it, and rename it into place."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=final.parent) as made:
        into = Path(made) / final.name
        into.mkdir()
        fill(into)
        tree.seal(into)
        into.chmod(0o755)  # else it could not be renamed
        try:
            into.rename(final)
        except OSError:
            if not final.is_dir():  # else somebody else has just made the same
                raise
            tree.remove(into)


def _sources() -> dict[str, bytes]:
    root = REPO / "stack"
    found = {
        at.relative_to(root).as_posix(): at
        for pattern in _SOURCES
        for at in root.glob(pattern)
        if at.is_file() and "__pycache__" not in at.parts
    }
    return {
        f"stack/{name}": found[name].read_bytes()
        for name in sorted(found)
        if not name.startswith(_NOT_RUN)
    }


def _copied(python: Path, sources: Mapping[str, bytes], into: Path, name: str) -> None:
    for path, text in sources.items():
        at = into / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(text)
    _compile(python, into, f"/{STORE}/{name}")


def _unpacked(python: Path, wheels: list[Path], into: Path, name: str) -> None:
    for wheel in wheels:
        upstream.unpack(
            wheel.read_bytes(),
            into,
            name=wheel.name,
            wanted=lambda path: not re.match(r"[^/]+\.data/(scripts|headers|data)/", path),
        )
    if odd := next(into.glob("*.data"), None):
        raise BadInput(f"a wheel of `{odd.stem}` has files of a kind that containers do not get")
    _compile(python, into, f"/{STORE}/{name}")


def _compiled_library(python: Path, into: Path) -> None:
    library = Path("usr/lib") / f"python{VERSION}"
    shutil.copytree(python / library, into / library)
    for at in (into / library).rglob("*"):
        at.chmod(0o755 if at.is_dir() else 0o644)
    (into / library).chmod(0o755)
    _compile(python, into / library, f"/{STORE}/{python.name}/{library}")
    for at in sorted((into / library).rglob("*"), reverse=True):
        if at.is_dir() and not any(at.iterdir()):
            at.rmdir()
        elif not at.is_dir() and at.suffix != ".pyc":
            at.unlink()


def _compile(python: Path, folder: Path, stands: str) -> None:
    """Put bytecode beside the sources, which say in tracebacks that they stand there."""
    command = [str(python / "bin" / "python"), "-P", "-s", "-m", "compileall", "-q", "-q"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", stands]
    ran = subprocess.run(
        [*command, str(folder)],
        capture_output=True,
        text=True,
        timeout=_COMPILE_TIMEOUT_S,
        check=False,
        # Without the first, the order in which sets are written follows from a random seed; without
        # the second, root's Python writes what it imports into the store.
        env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C"},
    )
    if not any(folder.rglob("*.pyc")):
        raise HostCannot(
            f"the store's Python compiles nothing: {(ran.stderr + ran.stdout).strip()}"
        )
