"""Builds the output of a derivation: unpacked packages, relocated so that they run anywhere. (The
output of a web page is made by `page`.)

A program's ELF interpreter cannot be relative, so each program is moved to `libexec/` and a
launcher takes its place, which starts it with the loader and the libraries of its own closure.
(One that starts itself stays where it is, with an interpreter relative to its working directory.)
Nothing here may depend on the store's location, the user, the clock or the environment.
"""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stack.errors import BadInput
from stack.store import deb, elf, page, upstream
from stack.store.launcher import OUTPUT, STORE, launcher

if TYPE_CHECKING:
    from stack.store.artifact import Artifact
    from stack.store.derivation import Derivation
    from stack.store.package import Package, Program

_PLATFORM = {
    "amd64": {"triplet": "x86_64-linux-gnu", "loader": "ld-linux-x86-64.so.2"},
    "arm64": {"triplet": "aarch64-linux-gnu", "loader": "ld-linux-aarch64.so.1"},
}


def build(derivation: "Derivation", read: Callable[["Artifact"], bytes], into: Path) -> None:
    """Build the output in the empty folder `into`. `read` gives the content of an artifact.

    Raises BadInput where a package does not hold what the recipe says.
    """
    package = derivation.package
    if package.page:
        page.build(package.page, derivation, read, into)
        return
    keep = _matcher(derivation, package.keep)
    drop = _matcher(derivation, package.drop)
    unpack = _unpacker(package)
    for artifact in derivation.artifacts:
        unpack(
            read(artifact),
            into,
            name=artifact.name,
            wanted=lambda path: bool(keep(path)) and not drop(path),
        )
    for replacement in package.replacements:
        _replace(into / replacement.file, replacement.old.encode(), replacement.new.encode())
    for program in package.programs:
        if package.releases:
            _name(derivation, program, into)
        elif program.starts_itself:
            _settle(derivation, program, into)
        else:
            _wrap(derivation, program, into)


def _unpacker(package: "Package") -> Callable[..., None]:
    """What unpacks the package's artifacts."""
    if package.zips:
        return upstream.unpack
    return upstream.unpack_tar if package.tars else deb.unpack


def _matcher(derivation: "Derivation", patterns: tuple[str, ...]) -> Callable[[str], object]:
    """True for a path that one of the shell patterns matches; without patterns, for none."""
    filled = [_filled(derivation.system, pattern) for pattern in patterns]
    return re.compile("|".join(map(fnmatch.translate, filled)) or "(?!)").match


def _filled(system: str, path: str) -> str:
    return path.format(system=system, output=OUTPUT, **_PLATFORM[system])


def _replace(file: Path, old: bytes, new: bytes) -> None:
    content = file.read_bytes() if file.is_file() else b""
    shifts = b"\0" in content and len(old) != len(new)
    if shifts or old not in content:
        raise BadInput(f"`{file.name}`: cannot replace `{old.decode()}` with `{new.decode()}`")
    file.write_bytes(content.replace(old, new))


def _name(derivation: "Derivation", program: "Program", root: Path) -> None:
    """Put an upstream program into place by its own name. Archives call it after the system, and
    some lack its execute bit; what is linked statically starts by itself.
    """
    stands = root / _filled(derivation.system, program.file)
    if not stands.is_file():
        raise BadInput(f"`{derivation.name}`: no program at `{stands.name}`")
    if elf.asks_for_loader(stands):
        own = replace(program, file=f"usr/bin/{program.name}")
        (root / own.file).parent.mkdir(parents=True)
        stands.chmod(0o755)
        stands.rename(root / own.file)
        _wrap(derivation, own, root)
        return
    at = root / "bin" / program.name
    at.parent.mkdir(exist_ok=True)
    stands.rename(at)
    at.chmod(0o755)


def _wrap(derivation: "Derivation", program: "Program", root: Path) -> None:
    """Move a program to `libexec/`, put a launcher in its place and a link to that into `bin/`."""
    stands = _found(derivation, program, root)
    real = root / "libexec" / program.name
    loader = root / "libexec" / "loader" / program.name
    loader.parent.mkdir(parents=True, exist_ok=True)
    loader.symlink_to(_loader(derivation, loader, root))
    stands.rename(real)
    stands.write_bytes(_launcher(derivation, program))
    stands.chmod(0o755)
    link = root / "bin" / program.name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(f"../{program.file}")


def _settle(derivation: "Derivation", program: "Program", root: Path) -> None:
    """Have a program find its loader in its own folder, and put a launcher for it into `bin/`."""
    stands = _found(derivation, program, root)
    busybox = root / "usr/bin/busybox"
    if not busybox.is_file():
        raise BadInput(f"`{derivation.name}`: no `usr/bin/busybox` to start `{program.name}`")
    loader = stands.with_name("loader")
    elf.ask_for_loader(stands, loader.name)
    loader.symlink_to(_loader(derivation, loader, root))
    file = f"bin/{program.name}"
    (root / "bin").mkdir(exist_ok=True)
    own = [_filled(derivation.system, each) for each in ("usr/lib/{triplet}", *program.libraries)]
    libraries = [*(f"{OUTPUT}/{folder}" for folder in own), *_libraries(derivation)]
    arguments = [
        f"{OUTPUT}/usr/bin/busybox",
        "env",
        f"LD_LIBRARY_PATH={':'.join(libraries)}",
        *(_filled(derivation.system, each) for each in program.environment),
        f"{OUTPUT}/{program.file}",
    ]
    cwd = f"{OUTPUT}/{Path(program.file).parent}"
    (root / file).write_bytes(launcher(derivation.system, file, arguments, cwd=cwd))
    (root / file).chmod(0o755)


def _found(derivation: "Derivation", program: "Program", root: Path) -> Path:
    if not derivation.needs:
        raise BadInput(f"`{derivation.name}` has programs, but needs no package with a loader")
    stands = root / program.file
    if not stands.is_file():
        raise BadInput(f"`{derivation.name}`: no program at `{program.file}`")
    return stands


def _loader(derivation: "Derivation", link: Path, root: Path) -> str:
    """Where `link` in the output leads to, to be the loader."""
    up = "../" * len(link.relative_to(root).parts)
    needed = _filled(derivation.system, "usr/lib/{triplet}/{loader}")
    return f"{up}{derivation.needs[0].store_name}/{needed}"


def _libraries(derivation: "Derivation") -> list[str]:
    """Folders of libraries of what the output needs."""
    folder = _filled(derivation.system, "usr/lib/{triplet}")
    return [f"{STORE}/{need.store_name}/{folder}" for need in derivation.needs]


def _launcher(derivation: "Derivation", program: "Program") -> bytes:
    """The launcher of a program that `_wrap` moved.

    `--inhibit-cache`: the host's own libraries are not looked up by name. The loader's arguments
    stand in for LD_LIBRARY_PATH, which programs started by this one would inherit. It is called by
    a link of the program's name, which is the name that `ps` and `top` then show. PostgreSQL's
    programs find each other, and their data files, from `--argv0`.
    """
    folder = _filled(derivation.system, "usr/lib/{triplet}")
    arguments = [
        f"{OUTPUT}/libexec/loader/{program.name}",
        "--inhibit-cache",
        "--library-path",
        ":".join([f"{OUTPUT}/{folder}", *_libraries(derivation)]),
        "--argv0",
        f"{OUTPUT}/{program.file}",
        f"{OUTPUT}/libexec/{program.name}",
    ]
    cwd = f"{OUTPUT}/{program.cwd}" if program.cwd else "."
    return launcher(derivation.system, program.file, arguments, cwd=cwd)
