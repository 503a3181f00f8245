"""What differs between two sets of packages and configuration: of generations, of instances."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

_HASH_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What is compared: package name → store path or its name, and a folder of configuration."""

    packages: Mapping[str, str]
    config: Path


@dataclass(frozen=True, kw_only=True)
class PackageChange:
    """One package: `old` is the store path's name before, empty if added; `new` after, empty if
    removed."""

    name: str
    old: str
    new: str

    def __str__(self) -> str:
        old, new = (_version(self.name, store_name) for store_name in (self.old, self.new))
        if not self.old:
            return f"+ {self.name} {new}"
        if not self.new:
            return f"- {self.name} {old}"
        if old != new:
            return f"~ {self.name} {old} -> {new}"
        # The same version, built from another recipe or from other parts.
        return f"~ {self.name} {old}: {self.old[:8]} -> {self.new[:8]}"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`packages` sorted by name; `config` the lines of a unified diff, sorted by file."""

    packages: tuple[PackageChange, ...]
    config: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.packages or self.config)

    def __str__(self) -> str:
        if not self:
            return "no difference"
        return "\n".join([*map(str, self.packages), *self.config])


def difference(old: Contents, new: Contents) -> Difference:
    """What has to change to come from `old` to `new`. A folder that is absent counts as empty."""
    return Difference(
        packages=tuple(_packages(_names(old.packages), _names(new.packages))),
        config=tuple(_config(old.config, new.config)),
    )


def _names(packages: Mapping[str, str]) -> dict[str, str]:
    """Where a store lies makes no difference: `/a/HASH-glibc-2` and `/b/HASH-glibc-2` are one."""
    return {package: PurePath(path).name for package, path in packages.items()}


def _packages(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[PackageChange]:
    for name in sorted({*old, *new}):
        before, after = old.get(name, ""), new.get(name, "")
        if before != after:
            yield PackageChange(name=name, old=before, new=after)


def _config(old: Path, new: Path) -> Iterator[str]:
    before, after = _files(old), _files(new)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield from _file(name, before.get(name), after.get(name))


def _files(folder: Path) -> dict[str, bytes]:
    return {
        at.relative_to(folder).as_posix(): at.read_bytes()
        for at in folder.rglob("*")
        if at.is_file()
    }


def _file(name: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    try:
        before, after = ((content or b"").decode().splitlines() for content in (old, new))
    except UnicodeDecodeError:
        yield f"binary file {name} differs"
        return
    was, becomes = ("/dev/null" if content is None else name for content in (old, new))
    lines = list(difflib.unified_diff(before, after, was, becomes, n=2, lineterm=""))
    # Without a line that differs: an empty file came or went, or only the last newline did.
    yield from lines or [f"{name}: {_bytes(old)} -> {_bytes(new)}"]


def _bytes(content: bytes | None) -> str:
    return "not there" if content is None else f"{len(content)} bytes"


def _version(package: str, store_name: str) -> str:
    return store_name[_HASH_DIGITS + len(f"-{package}-") :]
