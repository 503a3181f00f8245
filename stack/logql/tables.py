"""The parser of a grammar, whose tables lark keeps in the cache: building them takes 0.2 s of every
process, loading them 10 ms.

They are a pickle, which does what it likes to whoever loads it: so they lie in a folder that nobody
else can enter, and without such a folder they are built each time.
"""

import hashlib
import os
import stat
import sys
from pathlib import Path
from typing import Any, Literal

import lark

from stack.paths import cache_dir


def parser(grammar: str, transformer: Any) -> lark.Lark:
    """An LALR parser. What lark finds damaged, or made of something else, it builds anew."""
    return lark.Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        maybe_placeholders=True,
        transformer=transformer,
        cache=_kept(grammar),
    )


def _kept(grammar: str) -> str | Literal[False]:
    """A file for each grammar, lark and Python, so that two checkouts share a cache in peace."""
    folder = cache_dir() / "tables"
    made_by = f"{sys.version}\0{lark.__version__}\0{grammar}"
    name = hashlib.sha256(made_by.encode()).hexdigest()
    return str(folder / name) if _closed(folder) else False


def _closed(folder: Path) -> bool:
    """Whether the folder, made if need be, is ours alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return ours and not found.st_mode & 0o077
