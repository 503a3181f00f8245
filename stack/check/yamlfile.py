"""YAML files with the line of every node.

The helpers return nothing for a shape that they do not expect: promtool and amtool report wrong
shapes, so that no check has to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from stack import yamltext
from stack.check.problem import Problem


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """One parsed file."""

    path: Path
    root: yaml.Node | None
    """A mapping; None where there is no file."""

    @cached_property
    def plain(self) -> dict[str, Any]:
        """Its plain value; empty when it is not a mapping."""
        return plain(self.root)


@lru_cache(maxsize=256)
def _composed(_name: str, text: str) -> yaml.Node | None:
    """The same nodes for the same text, which nobody changes; others in a file of another name.
    Raises yaml.YAMLError."""
    root = compose(text)
    yamltext.refuse(root)
    return root


def parse(path: Path) -> ConfigFile | Problem:
    """The file, or what is wrong with its YAML."""
    try:
        root = _composed(path.name, path.read_text())
    except FileNotFoundError:
        return Problem(
            check="yaml/missing",
            path=path,
            what="the file is missing.",
            cure="Restore it from the repository.",
        )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # Not every part of PyYAML's message is set, and none ends with a full stop.
        said = ", ".join(part for part in (error.context, error.problem) if part)
        return _no_yaml(path, mark.line + 1 if mark else None, said)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        said = f"not UTF-8: byte 0x{error.object[error.start]:02x}"
        return _no_yaml(path, before.count(b"\n") + 1, said)
    except yaml.reader.ReaderError as error:
        text_before = path.read_text()[: error.position]
        return _no_yaml(path, text_before.count("\n") + 1, str(error).splitlines()[0])
    except RecursionError:
        return _no_yaml(path, None, yamltext.TOO_DEEP)
    if isinstance(root, yaml.MappingNode):
        return ConfigFile(path=path, root=root)
    return Problem(
        check="yaml/empty",
        path=path,
        line=line(root) if root else None,
        what=yamltext.no_mapping(root is None),
        cure=yamltext.RESTORE,
    )


def _no_yaml(path: Path, number: int | None, said: str) -> Problem:
    return Problem(
        check="yaml/syntax",
        path=path,
        line=number,
        what=f"not valid YAML: {said}.",
        cure="Fix this line, or one above that it belongs to.",
    )


def compose(text: str) -> yaml.Node | None:
    """By libyaml, in a tenth of the time; what it refuses, PyYAML describes in clearer words."""
    try:
        return yamltext.compose(text)
    except yaml.YAMLError:
        yamltext.refuse_deep(text, most=yamltext.DEEPEST)
        return yaml.compose(text, yaml.SafeLoader)


def line(node: yaml.Node) -> int:
    """Line of the node's first character, counted from 1."""
    return int(node.start_mark.line) + 1


def get(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    """The value below `keys`, through merge keys (`<<`); None if it is not there."""
    for key in keys:
        node = _value(node, key)
    return node


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    merged: yaml.Node | None = None
    for name, value in node.value:
        if name.value == key:
            return value  # type: ignore[no-any-return]
        if name.value == "<<":
            # Of a list of mappings, the first that has it.
            several = value.value if isinstance(value, yaml.SequenceNode) else [value]
            merged = next((one for each in several if (one := _value(each, key))), None)
    return merged


def entries(node: yaml.Node | None, *keys: str) -> list[yaml.Node]:
    """The entries of the list below `keys`."""
    found = get(node, *keys)
    return list(found.value) if isinstance(found, yaml.SequenceNode) else []


def pairs(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    """Keys and values of a mapping, without merged ones."""
    found = node.value if isinstance(node, yaml.MappingNode) else []
    return [(str(key.value), value) for key, value in found]


def text(node: yaml.Node | None) -> str:
    """A scalar's text; "" for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def is_null(node: yaml.Node) -> bool:
    """`~`, `null` or nothing at all: for Alertmanager as if the key were not there."""
    return isinstance(node, yaml.ScalarNode) and bool(node.tag.endswith(":null"))


_TRUTHS = {
    **dict.fromkeys(("y", "yes", "true", "on"), True),
    **dict.fromkeys(("n", "no", "false", "off"), False),
}


def truth(node: yaml.Node | None) -> bool | None:
    """True or false in any spelling of YAML 1.1, as Go's YAML reads it; None for anything else."""
    if not isinstance(node, yaml.ScalarNode) or node.style:
        return None
    return _TRUTHS.get(node.value.lower())


def plain(node: yaml.Node | None) -> dict[str, Any]:
    """The plain value of a mapping."""
    if node and _merges(node):
        node = _copy(node, {})  # constructing writes merged keys into the nodes
    try:
        found = _Plain("").construct_document(node) if node else {}
    except (yaml.YAMLError, ValueError, KeyError):  # a tag such as `!!int` before what is none
        return {}
    return found if isinstance(found, dict) else {}


class _Plain(yaml.SafeLoader):
    """What has a tag that nobody knows stays text: to the programs it is."""


yamltext.as_the_programs(_Plain)
_Plain.add_constructor(None, lambda _, node: text(node))


def _merges(node: yaml.Node) -> bool:
    """Whether some mapping in it has a merge key (`<<`)."""
    if isinstance(node, yaml.SequenceNode):
        return any(_merges(one) for one in node.value)
    if not isinstance(node, yaml.MappingNode):
        return False
    return any(key.value == "<<" or _merges(value) for key, value in node.value)


def _copy(node: yaml.Node, copied: dict[int, yaml.Node]) -> yaml.Node:
    """Mappings and lists anew, what two aliases name once; no file's text, as `deepcopy` would."""
    if id(node) in copied or isinstance(node, yaml.ScalarNode):
        return copied.get(id(node), node)
    made = type(node)(node.tag, [], node.start_mark, node.end_mark)
    copied[id(node)] = made
    if isinstance(node, yaml.MappingNode):
        made.value += [(_copy(key, copied), _copy(value, copied)) for key, value in node.value]
    else:
        made.value += [_copy(one, copied) for one in node.value]
    return made


def scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Every value below the node, keys left out; one that is merged in twice comes twice."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from scalars(entry)
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from scalars(value)
