"""Puts a text into a file that people have written, below what is there; nothing else changes."""

import textwrap
from dataclasses import dataclass

import yaml

from stack.check.yamlfile import compose, entries, get, text
from stack.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Put:
    """A file with a text in it."""

    content: str
    block: str
    """The text as it stands there."""


class Shapeless(BadInput):
    """A file that has no place for another rule, test or panel."""


def into_group(content: str, block: str, name: str) -> Put:
    """A rule file with one more rule: at the end of the group of that name, or of the last one."""
    groups = entries(compose(content), "groups")
    own = [number for number, group in enumerate(groups) if text(get(group, "name")) == name]
    number = own[0] if own else len(groups) - 1
    rules = get(groups[number], "rules") if groups else None
    end = groups[number + 1].start_mark.line if number + 1 < len(groups) else None
    return _below(content, rules, block, end)


def into_tests(content: str, block: str) -> Put:
    """A file of unit tests with more of them, at its end."""
    return _below(content, get(compose(content), "tests"), block, None)


def into_panels(content: str, block: str) -> Put:
    """A dashboard with one more panel, the last."""
    panels = get(compose(content), "panels")
    if not isinstance(panels, yaml.SequenceNode) or not panels.value:
        raise Shapeless("the dashboard has no list `panels` with a panel in it.")
    last = panels.value[-1]
    at = last.end_mark.index
    block = _indented(block, last.start_mark.column).rstrip()
    return Put(content=f"{content[:at]},\n{block}{content[at:]}", block=block)


def alone(content: str, block: str) -> Put:
    """A file that holds nothing else."""
    return Put(content=block, block=block)


def _below(content: str, items: yaml.Node | None, block: str, end: int | None) -> Put:
    """`end` is the line, counted from 0, at which something else begins."""
    if not isinstance(items, yaml.SequenceNode) or items.flow_style or not items.value:
        raise Shapeless(
            "it has no list of `rules`, or `tests`, with an entry on a line of its own."
        )
    lines = content.splitlines(keepends=True)
    end = len(lines) if end is None else end
    # Comments between the two belong to what follows.
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    above = "".join(lines[:end])
    above += "" if above.endswith("\n") else "\n"
    block = _indented(block, items.start_mark.column)
    return Put(content=f"{above}\n{block}{''.join(lines[end:])}", block=block)


def _indented(block: str, column: int) -> str:
    return textwrap.indent(block, " " * column)
