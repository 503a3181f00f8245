"""Mutants of the templates of notifications."""

import re
from collections.abc import Iterator

from stack.check.configuration import Configuration
from stack.mutation.expressions import Change
from stack.mutation.mutant import Mutant

_DEFINED = re.compile(r'\{\{-?\s*define\s+"([^"]+)"\s*-?\}\}')
_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_WORD = re.compile(r"(if|else if|with|range|else|end|define|block|break|continue)\b|/\*|\$\w+ :?=")
_STATES = {'"firing"': '"resolved"', '"resolved"': '"firing"', '"critical"': '"warning"',
           '"warning"': '"info"'}  # fmt: skip
_OPPOSITES = {"eq": "ne", "ne": "eq", "lt": "ge", "gt": "le", "and": "or", "or": "and"}


def mutants(configuration: Configuration) -> Iterator[Mutant]:
    """Of each template, in the order of files and lines."""
    for path in configuration.templates:
        source = path.read_text(encoding="utf-8")
        starts = [(match.end(), match[1]) for match in _DEFINED.finditer(source)]
        for at, (begin, name) in enumerate(starts):
            last = starts[at + 1][0] if at + 1 < len(starts) else len(source)
            end = _end(source, begin, last)
            of = (1 + source[:begin].count("\n"), 1 + source[:end].count("\n"))
            for change in _changes(source, begin, end):
                yield Mutant(
                    path=path.relative_to(configuration.root), of=of, kind=change.kind,
                    line=1 + source[: change.start].count("\n"), subject=f"template `{name}`",
                    what=change.what, content=change.applied(source),
                )  # fmt: skip


def _end(source: str, begin: int, last: int) -> int:
    """Where the `end` of a template is that begins there."""
    depth = 1
    for match in _ACTION.finditer(source, begin, last):
        if re.match(r"(if|with|range|block)\b", match[1]):
            depth += 1
        elif match[1] == "end":
            depth -= 1
        if not depth:
            return match.start()
    return last


def _changes(source: str, begin: int, end: int) -> Iterator[Change]:
    reached = begin
    for match in _ACTION.finditer(source, begin, end):
        yield from _literal(source, reached, match.start())
        reached = match.end()
        action = match[1]
        start = match.start(1)
        if not _WORD.match(action):
            yield Change(start=match.start(), end=match.end(), new="", kind="template field",
                         what=f"without `{match.group()}`")  # fmt: skip
        if condition := re.match(r"(?:else )?if\s+", action):
            asked = action[condition.end() :]
            yield Change(start=start + condition.end(), end=start + len(action),
                         new=f"not ({asked})", kind="template condition",
                         what=f"with `if {asked}` negated")  # fmt: skip
        if action.startswith("/*"):
            continue
        for said in re.finditer(r'"[a-z]+"', action):
            if new := _STATES.get(said.group()):
                yield _turned(start + said.start(), said.group(), new)
        for word in re.finditer(r"\b(eq|ne|lt|gt|and|or)\b(?= )", action):
            yield _turned(start + word.start(), word[1], _OPPOSITES[word[1]])
        for number in re.finditer(r"(?<= )[0-9]+\b", action):
            yield _turned(start + number.start(), number.group(), str(int(number.group()) + 1))
        for pipe in re.finditer(r"\s*\|\s*\w+(?: \"[^\"]*\"| [0-9]+)*", action):
            yield Change(start=start + pipe.start(), end=start + pipe.end(), new="",
                         kind="template field",
                         what=f"without `{pipe.group().strip()}`")  # fmt: skip
    yield from _literal(source, reached, end)


def _literal(source: str, begin: int, end: int) -> Iterator[Change]:
    written = source[begin:end]
    if written.strip():
        start = begin + len(written) - len(written.lstrip())
        yield Change(start=start, end=start + len(written.strip()), new="", kind="template text",
                     what=f"without `{' '.join(written.split())}`")  # fmt: skip


def _turned(start: int, old: str, new: str) -> Change:
    return Change(start=start, end=start + len(old), new=new, kind="template condition",
                  what=f"with `{old}` turned into `{new}`")  # fmt: skip
