"""Builds the output of a web page: npm's tarballs unpacked, and bundled by esbuild without Node.

esbuild's package for a system contains a program that needs nothing else. It gives the same bytes
on each of them, wherever it stands: it sees only the folder that is made here, and no environment.
"""

import gzip
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.store import sources, tar
from stack.store.artifact import Artifact, Tarball

if TYPE_CHECKING:
    from stack.store.derivation import Derivation
    from stack.store.package import Page

TOOLS = {"x86_64": "@esbuild/linux-x64", "aarch64": "@esbuild/linux-arm64"}
"""Name of a CPU as the kernel gives it -> the package of the tool for it."""

LICENCES = "licences.txt"
"""In the page: the licences of all that is in it."""

_TOOL = "bin/esbuild"
_OPTIONS = (
    "--bundle",
    "--minify",
    "--format=esm",
    "--splitting",
    "--platform=browser",
    "--target=es2022",
    "--jsx=automatic",
    "--charset=utf8",
    "--legal-comments=linked",
    "--log-level=warning",
    '--define:process.env.NODE_ENV="production"',
    # Above the folder may lie a file of settings that is none of ours.
    "--tsconfig=tsconfig.json",
)
_WORK = ".work"
_WANTED = (".cjs", ".css", ".js", ".json", ".mjs", ".svg", ".woff2")
_LARGEST_BYTES = 1 << 28
"""The most that one tarball may unpack to; @grafana/ui, the largest here, comes to 40 MB."""
_TIMEOUT_S = 300


def build(
    page: "Page", derivation: "Derivation", read: Callable[[Artifact], bytes], into: Path
) -> None:
    """Bundle a page into the empty folder `into`. `read` gives the content of an artifact.

    Raises BadInput for a tarball that is not one, and for sources that do not bundle, HostCannot
    for a CPU without the tool.
    """
    work = into / _WORK
    try:
        lay_out(page, derivation, read, work)
        made = into / page.into
        made.mkdir(parents=True)
        bundle(page, derivation, read, work, made)
        for copy in page.copies:
            _copy(work / copy.what, made / copy.to)
        (made / LICENCES).write_text(_licences(derivation, work), encoding="utf-8")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def lay_out(
    page: "Page", derivation: "Derivation", read: Callable[[Artifact], bytes], work: Path
) -> None:
    """Make the folder that esbuild sees: sources, `node_modules`, stubs, and no more."""
    found = sources.contents(page)
    if sources.digest_of(found) != derivation.sources:
        raise CheckFailed(
            f"the sources in `{page.folder}` changed while they were read",
            cure="Repeat the command.",
        )
    own = {"tsconfig.json": b"{}", "package.json": b"{}", **found}
    for name, content in own.items():
        _write(work / name, content)
    for tarball in _tarballs(derivation):
        for place in tarball.places:
            unpack(read(tarball), work / place, name=str(tarball))
    for name in page.stubs:
        _stub(work / "node_modules" / name)


def bundle(
    page: "Page",
    derivation: "Derivation",
    read: Callable[[Artifact], bytes],
    work: Path,
    made: Path,
    *options: str,
) -> None:
    """Run esbuild in the folder of `lay_out`; its output goes to the folder `made`."""
    # From memory: a build may stand where no program may be started. It is the tarball's own.
    tool = os.memfd_create("esbuild")
    try:
        with open(tool, "wb", closefd=False) as file:
            file.write(_tool(derivation, read))
        ran = subprocess.run(
            [
                f"/proc/self/fd/{tool}",
                page.entry,
                # pathlib's has no `..`.
                f"--outdir={os.path.relpath(made, work)}",
                *_OPTIONS,
                *page.options,
                *options,
            ],
            cwd=work,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=[tool],
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise HostCannot(f"esbuild did not finish within {_TIMEOUT_S} s") from error
    finally:
        os.close(tool)
    if ran.returncode != 0:
        said = ran.stderr.decode(errors="replace").strip()
        raise BadInput(
            f"`{page.folder}` cannot be bundled:\n{said[:2000]}",
            cure="Fix it; `doit lock --update` pins packages of npm that were not needed before.",
        )


def unpack(content: bytes, into: Path, *, name: str) -> None:
    """Unpack a tarball of npm into a new folder, but only what a bundle can use.

    `name` is for messages. Raises BadInput for what is not such a tarball, or a hostile one.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            tar.unpack(
                stream,  # type: ignore[arg-type]
                into,
                name=name,
                wanted=_is_wanted,
                most=_LARGEST_BYTES,
                without_first=True,
            )
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadInput(f"`{name}` is not a readable tarball: {error}") from error


def _is_wanted(path: str) -> bool:
    at = PurePosixPath(path)
    return at.suffix in _WANTED or (len(at.parts) == 1 and _is_licence(path))


def _is_licence(name: str) -> bool:
    return name.lower().startswith(("licence", "license", "notice", "copying"))


def _tarballs(derivation: "Derivation") -> list[Tarball]:
    """All but the tool's, which no page takes anything from."""
    found = [each for each in derivation.artifacts if isinstance(each, Tarball)]
    return [each for each in found if each.name not in TOOLS.values()]


def _tool(derivation: "Derivation", read: Callable[[Artifact], bytes]) -> bytes:
    """esbuild's program for the CPU of this machine, whichever the output is for."""
    wanted = TOOLS.get(platform.machine(), "")
    for artifact in derivation.artifacts:
        if artifact.name == wanted:
            with tarfile.open(fileobj=io.BytesIO(read(artifact)), mode="r:gz") as archive:
                member = archive.extractfile(f"package/{_TOOL}")
                if member:
                    return member.read()
    raise HostCannot(
        f"no esbuild is pinned for this machine's CPU, `{platform.machine()}`",
        cure=f"Build on one of these: {', '.join(TOOLS)}.",
    )


def _stub(at: Path) -> None:
    """An empty module in the place of a package, whatever is imported of it. It is CommonJS: of
    such a module esbuild does not want to know whether it has what others import by name."""
    shutil.rmtree(at, ignore_errors=True)
    about = {
        "name": "stub",
        "version": "0.0.0",
        "main": "index.js",
        "exports": {".": "./index.js", "./*.css": "./index.css", "./*": "./index.js"},
    }
    _write(at / "package.json", json.dumps(about).encode())
    _write(at / "index.js", b"module.exports = {};\n")
    _write(at / "index.css", b"")


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _copy(what: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if what.is_dir():
        shutil.copytree(what, to, copy_function=shutil.copyfile, dirs_exist_ok=True)
    elif what.is_file():
        shutil.copyfile(what, to)
    else:
        raise BadInput(f"the page wants `{what.name}`, which is not there")


def _licences(derivation: "Derivation", work: Path) -> str:
    """The texts of all licences, each once, under the names of the packages that it is of."""
    owners: dict[str, list[str]] = {}
    for tarball in _tarballs(derivation):
        folder = work / tarball.places[0]
        texts = [_text(file) for file in _listed(folder) if _is_licence(file.name)]
        joined = "\n\n".join(texts) or f"(its package.json says: {tarball.licence or 'nothing'})"
        owners.setdefault(joined, []).append(f"{tarball.name} {tarball.version}")
    parts = (f"{', '.join(names)}\n\n{text}\n" for text, names in owners.items())
    return f"\n{'-' * 80}\n\n".join(parts)


def _listed(folder: Path) -> Iterable[Path]:
    return sorted(at for at in folder.iterdir() if at.is_file()) if folder.is_dir() else ()


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip()
