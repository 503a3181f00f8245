"""Which files of the checkout a program is made of: found by following its imports, never listed.

A module leads to what it imports, wherever that stands in it; to the modules that it names as text
(`python -m stack.run.keeper`), and if that is a package to all modules in it; to the files that it
names; and to what lies in its folder and is no module. Too many files cost time, too few would be a
lie.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from functools import cache
from pathlib import Path

from stack.paths import REPO

ROOTS = ("stack", "loadgen", "scenarios")

_MODULE = re.compile(rf"(?:{'|'.join(ROOTS)})(?:\.\w+)+(?::\w+)?|dodo")
_FILE = re.compile(r"\w[\w./-]*\.\w{1,8}")

APART = ("stack/config", "stack/lock.toml")
"""Configuration and the lock: they are looked at in parts, not as files of a program."""

_NO_DATA = ("__pycache__", ".md")

Imports = MutableMapping[str, Sequence[str]]
"""SHA-256 of a module's text → what it names: modules, and after `/` files."""


class Code:
    """The modules of a checkout; each file is read once."""

    def __init__(self, repo: Path = REPO, imports: Imports | None = None) -> None:
        """`imports` are those that an earlier look has found; what is new is added."""
        self._repo = repo
        self._imports = {} if imports is None else imports
        self._hashes: dict[Path, str] = {}
        self._next: dict[Path, frozenset[Path]] = {}
        self._found: dict[tuple[Path, str], Sequence[Path]] = {}

    def closure(self, *modules: Path, but: Iterable[Path] = ()) -> frozenset[Path]:
        """Those modules and all that they lead to, but not these and what they alone lead to."""
        cut = set(but)
        found: set[Path] = set()
        waiting = set(modules) - cut
        while waiting:
            found |= waiting
            waiting = {one for file in waiting for one in self._led_to(file)} - found - cut
        return frozenset(found)

    def sha256(self, file: Path) -> str:
        """Of the file's content, as it was when first asked; of one that is gone, that it is."""
        if file not in self._hashes:
            self._content(file)
        return self._hashes[file]

    def together(self, files: Iterable[Path]) -> str:
        """One SHA-256 for several files and their names."""
        rows = sorted(f"{self.name(file)}\0{self.sha256(file)}\n" for file in files)
        return hashlib.sha256("".join(rows).encode()).hexdigest()

    def name(self, file: Path) -> str:
        """From the top of the checkout."""
        return str(file.relative_to(self._repo)) if file.is_relative_to(self._repo) else str(file)

    @property
    def files(self) -> Sequence[Path]:
        """All that were read so far."""
        return list(self._hashes)

    def _content(self, file: Path) -> bytes:
        try:
            content = file.read_bytes()
        except OSError as error:
            content = f"cannot be read: {error.errno}".encode()
        self._hashes[file] = hashlib.sha256(content).hexdigest()
        return content

    def _led_to(self, file: Path) -> frozenset[Path]:
        if file.suffix != ".py":
            return frozenset()
        if file not in self._next:
            self._next[file] = frozenset(self._seek(file))
        return self._next[file]

    def _seek(self, file: Path) -> Iterator[Path]:
        content = self._content(file)
        key = self._hashes[file]
        if key not in self._imports:
            self._imports[key] = sorted(_named(content))
        for one in self._imports[key]:
            if one.startswith("/"):
                yield from self._file(file, one[1:])
            else:
                at = file.parent if one.startswith(".") else self._repo
                if (at, one) not in self._found:
                    self._found[at, one] = list(self._modules(at, one))
                yield from self._found[at, one]
        yield from self._beside(file.parent)

    def _modules(self, at: Path, name: str) -> Iterator[Path]:
        """`name` of a module or of something in one, from the folder `at`; `!` before it if it may
        be run."""
        run, name = name.startswith("!"), name.lstrip("!")
        for _ in range(len(name) - len(name.lstrip(".")) - 1):
            at = at.parent
        for part in filter(None, name.lstrip(".").split(".")):
            if (at / "__init__.py").is_file():
                yield at / "__init__.py"
            at /= part
        if at.with_suffix(".py").is_file():
            yield at.with_suffix(".py")
        elif (at / "__init__.py").is_file():
            yield from sorted(at.glob("*.py")) if run else [at / "__init__.py"]

    def _file(self, module: Path, name: str) -> Iterator[Path]:
        beside, top = module.parent / name, self._repo / name
        if beside.is_file() and not self._apart(beside):
            yield beside
        elif not name.endswith(".py") and top.is_file() and not self._apart(top):
            yield top

    def _beside(self, folder: Path) -> Sequence[Path]:
        """What lies in a package's folder, or below it in no package, and is no module."""
        name = self.name(folder)
        if "/" not in name and name != "loadgen":
            return ()
        return () if self._apart(folder) else _data(folder)

    def _apart(self, path: Path) -> bool:
        name = self.name(path)
        return any(name == one or name.startswith(f"{one}/") for one in APART)


@cache
def _data(folder: Path) -> Sequence[Path]:
    found: list[Path] = []
    for one in sorted(folder.iterdir()):
        if one.name in _NO_DATA or one.suffix in (".py", *_NO_DATA):
            continue
        if one.is_file():
            found.append(one)
        elif one.is_dir() and not (one / "__init__.py").exists():
            found += _data(one)
    return found


def _named(content: bytes) -> set[str]:
    """What a module's text names; nothing for one that is no Python, which nothing can import."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names if one.name.split(".")[0] in ROOTS)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if node.level or module.split(".")[0] in ROOTS:
                dot = "" if module.endswith(".") else "."
                found.update((module, *(f"{module}{dot}{one.name}" for one in node.names)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
            if _MODULE.fullmatch(said):
                found.add(f"!{said.partition(':')[0]}")
            elif len(said) < 120 and _FILE.fullmatch(said):
                found.add(f"/{said}")
    return found
