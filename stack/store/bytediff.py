"""Two trees that should be the same: which entries differ, and at which bytes."""

import json
from collections.abc import Iterator
from pathlib import Path

from stack.store.tree import Manifest

_FILES_SHOWN = 10
_PLACES_SHOWN = 3  # in each file
_BYTES_SHOWN = 8  # at each place
_CHUNK_BYTES = 1 << 16


def explained(one: Path, other: Path, manifests: tuple[Manifest, Manifest]) -> list[str]:
    """A line for each difference between the trees `one` and `other`, the first files in full."""
    first, second = (_entries(manifest) for manifest in manifests)
    paths = manifests[0].differences(manifests[1])
    lines: list[str] = []
    for path in paths[:_FILES_SHOWN]:
        mine, theirs = first.get(path), second.get(path)
        if mine and theirs and {mine[0], theirs[0]} <= {"file", "program"}:
            lines += [f"`{path}` {text}" for text in _in_files(one / path, other / path)]
            if mine[0] != theirs[0]:
                lines.append(f"`{path}` is a {mine[0]} | a {theirs[0]}")
        else:
            lines.append(f"`{path}` is {_said(mine)} | {_said(theirs)}")
    if len(paths) > _FILES_SHOWN:
        lines.append(f"and {len(paths) - _FILES_SHOWN} more")
    return lines


def _entries(manifest: Manifest) -> dict[str, list[str]]:
    """Path -> kind, then the target of a link."""
    found = {}
    for line in manifest.lines:
        path, kind, *rest = json.loads(line)
        found[path] = [kind, *map(str, rest if kind == "link" else [])]
    return found


def _said(entry: list[str] | None) -> str:
    return f"a {' to '.join(entry)}" if entry else "not there"


def _in_files(one: Path, other: Path) -> Iterator[str]:
    """Where two files differ: offset, then the bytes of both in hexadecimal."""
    if one.stat().st_size != other.stat().st_size:
        yield f"has {one.stat().st_size} | {other.stat().st_size} bytes"
    for shown, (offset, mine, theirs) in enumerate(_places(one, other)):
        if shown == _PLACES_SHOWN:
            yield "differs at more places"
            return
        yield f"at byte {offset}: {_hex(mine)} | {_hex(theirs)}"


def _hex(part: bytes) -> str:
    return part.hex(" ") or "its end"


def _places(one: Path, other: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """Offset of each run of bytes shown, and the run in both, equal bytes among it or not."""
    with one.open("rb") as mine, other.open("rb") as theirs:
        at = 0
        while True:
            mine.seek(at)
            theirs.seek(at)
            left, right = mine.read(_CHUNK_BYTES), theirs.read(_CHUNK_BYTES)
            if not left and not right:
                return
            if left == right:
                at += len(left)
                continue
            pairs = zip(left, right, strict=False)
            same = min(len(left), len(right))
            same = next((n for n, (a, b) in enumerate(pairs) if a != b), same)
            at += same
            end = same + _BYTES_SHOWN
            yield at, left[same:end], right[same:end]
            at += _BYTES_SHOWN
