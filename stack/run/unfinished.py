"""What `doit new-alert` left for people to write: it is not what a parser says of it."""

import re
from collections.abc import Iterator
from pathlib import Path

from stack.errors import BadInput
from stack.paths import short

PLACEHOLDER = "FILL_IN"
"""Stands where a word is missing."""

MARK = re.compile(r"FILL IN (?P<alert>\w+): (?P<what>[^\"`\n]+)")
"""Stands, with what belongs there, where more is."""

_READ = (".yml", ".json")
_PLACE = re.compile(r"^(/\S+?):(\d+): ", re.MULTILINE)


def told(error: BadInput, root: Path) -> BadInput:
    """The error itself, unless it is about a blank in the configuration below `root`: then that the
    draft is unfinished, and where."""
    blank = next(_blanks(error.what, root), None)
    if blank is None:
        return error
    path, number, said = blank
    mark = MARK.search(said)
    draft = f"the draft of `{mark['alert']}`" if mark else "a draft"
    lacks = mark["what"].strip().rstrip(".,") if mark else f"what `{PLACEHOLDER}` stands for"
    return BadInput(
        f"{short(path)}:{number}: {draft} is unfinished; here is missing: {lacks}.",
        cure="`doit check` lists what is left to write. Nothing was started or stopped.",
    )


def _blanks(words: str, root: Path) -> Iterator[tuple[Path, int, str]]:
    """Lines with a blank that these words name by their place or by what they quote."""
    for name, number in _PLACE.findall(words):
        for said in _lines(Path(name))[int(number) - 1 : int(number)]:
            if PLACEHOLDER in said or MARK.search(said):
                yield Path(name), int(number), said
    mark = MARK.search(words)
    wanted = mark[0].rstrip() if mark else PLACEHOLDER
    if wanted not in words:
        return
    for path in sorted(root.rglob("*")):
        for number, said in enumerate(_lines(path), 1):
            if wanted in said:
                yield path, number, said


def _lines(path: Path) -> list[str]:
    """Of a file that people edit; of others none."""
    if path.suffix not in _READ or not path.is_file():
        return []
    return path.read_text(errors="replace").splitlines()
