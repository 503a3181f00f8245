"""YAML text, read and written by libyaml: as PyYAML does it, in a tenth of the time.

What is YAML by its letters and yet no document that anybody means (a key twice, an alias within its
own anchor) is refused, too: the programs would not read it, or not all of it.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from stack.errors import BadInput

DEEPEST = 100
"""Levels of values within values; no file of ours has more than a dozen."""
TOO_DEEP = f"values lie more than {DEEPEST} levels deep"
_SHALLOW = 2000
"""Levels that libyaml survives by far."""
MOST_VALUES = 200_000
"""In one file, those that aliases repeat counted each time."""


class _Loader(yaml.CSafeLoader):
    """What is no value of its tag is refused."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError):  # `0x_`, or a tag such as `!!int` before what is none
            kind = str(node.tag).rpartition(":")[2]
            raise _at(node, f"`{str(node.value)[:40]}` is no {kind}") from None


def as_the_programs(loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader]) -> None:
    """Times are text to it, as they are to Go's YAML: `22:00` is no number to the base of 60."""

    def number(self: Any, node: yaml.ScalarNode) -> Any:
        kind = str(node.tag).rpartition(":")[2]
        made = self.construct_yaml_int if kind == "int" else self.construct_yaml_float
        return node.value if ":" in node.value else made(node)

    loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)
    for tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
        loader.add_constructor(tag, number)


as_the_programs(_Loader)


def read(text: str) -> Any:
    """The document. Raises yaml.YAMLError."""
    loader = None
    refuse_deep(text)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        refuse(node)
        return loader.construct_document(node) if node else None
    except yaml.reader.ReaderError as error:
        raise marked(error, text.encode()[: error.position].count(b"\n")) from None
    finally:
        if loader:
            loader.dispose()


def compose(text: str) -> yaml.Node | None:
    """The document's nodes. Raises yaml.YAMLError."""
    refuse_deep(text)
    node: yaml.Node | None = yaml.compose(text, yaml.CSafeLoader)
    return node


def refuse_deep(text: str, most: int = _SHALLOW) -> None:
    """Raise yaml.MarkedYAMLError for a text whose values lie so deep that libyaml, which needs a
    call for each level and counts none, would take the process with it.

    Only a text that has room for more than `most` levels is looked at: every level takes a bracket,
    or a column more.
    """
    columns = max(map(len, text.splitlines()), default=0)
    if text.count("[") + text.count("{") + columns <= most:
        return
    if found := _first_too_deep(text):
        raise yaml.MarkedYAMLError(problem=TOO_DEEP, problem_mark=found)


def _first_too_deep(text: str) -> Any:
    """The mark of the first value that does; None where none does."""
    depth = 0
    with suppress(yaml.YAMLError):  # whoever reads it will say so
        for event in yaml.parse(text, yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return event.start_mark
    return None


def marked(error: yaml.reader.ReaderError, line: int) -> yaml.MarkedYAMLError:
    """The same, of a character that YAML does not know, with its line, counted from 0."""
    mark = yaml.Mark(error.name, error.position, line, 0, None, 0)
    return yaml.MarkedYAMLError(problem=str(error).splitlines()[0], problem_mark=mark)


def refuse(root: yaml.Node | None) -> None:
    """Raise yaml.MarkedYAMLError for a document that nobody could read to its end, or that says one
    thing twice."""
    count, waiting = 0, [(root, frozenset[int]())]
    while waiting:
        node, above = waiting.pop()
        count += 1
        if id(node) in above:
            raise _at(node, "an alias (`*`) stands within the anchor that it names")
        if len(above) > DEEPEST:
            raise _at(node, TOO_DEEP)
        if count > MOST_VALUES:
            raise _at(node, f"its aliases make more than {MOST_VALUES:,} values of it")
        within = above | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            waiting += [(one, within) for one in node.value]
        elif isinstance(node, yaml.MappingNode):
            _refuse_twice(node)
            waiting += [(one, within) for pair in node.value for one in pair]


def _refuse_twice(node: yaml.MappingNode) -> None:
    """Go's YAML takes no key twice; PyYAML would take the last one and say nothing."""
    seen: dict[tuple[str, str], yaml.Node] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            continue
        first = seen.setdefault((key.tag, key.value), key)
        if first is not key:
            where = f"first in line {first.start_mark.line + 1}"
            raise _at(key, f"`{key.value}` is written twice here, {where}")


def _at(node: yaml.Node | None, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark if node else None)


def load(path: Path) -> Any:
    """The parsed file, a mapping. Raises BadInput naming file, line and column."""
    try:
        document = read(read_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error)
        raise BadInput(f"{where}: not valid YAML: {problem}.") from None
    if not isinstance(document, dict):
        raise BadInput(f"{path}:1: {no_mapping(document is None)}", cure=RESTORE)
    return document


RESTORE = "Restore it from the repository, or delete it."


def no_mapping(empty: bool) -> str:
    """What is said of a file that is YAML and no configuration."""
    return "the file is empty." if empty else "the file has no keys with values."


def read_text(path: Path) -> str:
    """The file. Raises BadInput naming it, and the line of what is no UTF-8."""
    try:
        return path.read_text()
    except FileNotFoundError:
        raise BadInput(f"`{path}` is missing.", cure="Restore it from the repository.") from None
    except UnicodeDecodeError as error:
        at = error.object[: error.start].count(b"\n") + 1
        what = f"{path}:{at}: not UTF-8: byte 0x{error.object[error.start]:02x}."
        raise BadInput(what, cure="Save the file as UTF-8.") from None


def write(document: Any) -> str:
    """The document as text: keys in their order, long lines not folded."""
    text: str = yaml.dump(
        document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000
    )
    return text
