"""What is wrong in a lock that somebody edited: every problem, with the key it stands at."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEXTS = ("suite", "release", "snapshot")
_ARTIFACT = ("name", "version", "architecture", "path", "sha256")
_ARTIFACT_MAY_HAVE = ("size", "snapshot")
_OUTPUT = ("sha256", "size")
_ARCHITECTURES = ("amd64", "arm64", "all")

Table = Mapping[str, object]


def problems(document: Table) -> list[str]:
    """A line for each problem of a parsed lock; none for a good one."""
    return [
        *_keys(document, (*_TEXTS, "artifact"), ("output",), ""),
        *(
            f"`{key}` is not a string"
            for key in _TEXTS
            if not isinstance(document.get(key, ""), str)
        ),
        *_artifacts(document.get("artifact", [])),
        *_outputs(document.get("output", {})),
    ]


def _keys(
    table: Table, needed: tuple[str, ...], may_be: tuple[str, ...], where: str
) -> Iterator[str]:
    """Missing and unknown keys. `where` names the table, with a space at its end."""
    known = (*needed, *may_be)
    for key in needed:
        if key not in table:
            yield f"{where}lacks `{key}`"
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, 1)
            yield f"{where}has an unknown key `{key}`" + (f"; `{near[0]}`?" if near else "")


def _artifacts(listed: object) -> Iterator[str]:
    if not isinstance(listed, list):
        yield "`artifact` is not a list of tables"
        return
    seen: dict[tuple[object, object], str] = {}
    for number, entry in enumerate(listed, 1):
        if not isinstance(entry, dict):
            yield f"artifact {number} is not a table"
            continue
        name, architecture = entry.get("name"), entry.get("architecture")
        where = f"artifact {number} (`{name}`, {architecture}) "
        yield from _keys(entry, _ARTIFACT, _ARTIFACT_MAY_HAVE, where)
        yield from _values(entry, where, size_may_be=0)
        if architecture not in (*_ARCHITECTURES, None):
            yield f"{where}has an `architecture` that is not one of {', '.join(_ARCHITECTURES)}"
        if "/" in str(entry.get("version")):
            yield f"{where}has a `version` with a slash: `{entry['version']}`"
        if (name, architecture) in seen:
            yield f"{where}is pinned already, by {seen[name, architecture]}"
        seen.setdefault((name, architecture), f"artifact {number}")


def _outputs(systems: object) -> Iterator[str]:
    if not isinstance(systems, dict):
        yield "`output` is not a table"
        return
    for system, outputs in systems.items():
        if system not in _ARCHITECTURES[:-1] or not isinstance(outputs, dict):
            yield f"`output.{system}` is not a table of a system"
            continue
        for name, entry in outputs.items():
            where = f"`output.{system}.{name}` "
            if not isinstance(entry, dict):
                yield f"{where}is not a table"
                continue
            yield from _keys(entry, _OUTPUT, (), where)
            yield from _values(entry, where, size_may_be=1)


def _values(entry: Table, where: str, *, size_may_be: int) -> Iterator[str]:
    """Values of the wrong kind. `size_may_be`: the least, in bytes."""
    for key, value in entry.items():
        if key == "size":
            if type(value) is not int or value < size_may_be:  # a boolean is not a size
                yield f"{where}has a `size` that is not a number of bytes: `{value}`"
        elif key in (*_ARTIFACT, "snapshot") and not (isinstance(value, str) and value):
            yield f"{where}has a `{key}` that is not a string: `{value}`"
        elif key == "sha256" and not _SHA256.fullmatch(str(value)):
            yield f"{where}has a bad `sha256`: `{value}`"
