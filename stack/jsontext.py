"""JSON that somebody else wrote, or that was kept and edited since: read within bounds, and made
into dataclasses whose fields are what they say.
"""

import json
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

DEEPEST = 100
"""Values within values; no file of ours has more than a dozen. What lies deeper could be read, and
then be neither written again nor shown."""

T = TypeVar("T")


def read(text: str | bytes) -> Any:
    """The document. Raises ValueError for what is none, or lies too deep."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level, depth = [document], 0
    while level := [one for each in level for one in _within(each)]:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(_TOO_DEEP)
    return document


_TOO_DEEP = f"values lie more than {DEEPEST} levels deep"


def _within(value: object) -> list[Any]:
    """The values in a value that may hold others."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inner if isinstance(one, dict | list)]


def made(kind: type[T], document: object) -> T:
    """A dataclass from an object with its fields. Raises ValueError that names the field which is
    missing, unknown or of another type."""
    if not isinstance(document, dict):
        raise ValueError(f"expected an object, not {type(document).__name__}")
    known = _fields(kind)  # type: ignore[arg-type]  # mypy knows of no class that it can be a key
    for name in document:
        if name not in known:
            raise ValueError(f"`{name}` is unknown")
    for name, (_, needed) in known.items():
        if needed and name not in document:
            raise ValueError(f"`{name}` is missing")
    return kind(**{name: _value(known[name][0], of, name) for name, of in document.items()})


@cache
def _fields(kind: type) -> Mapping[str, tuple[Any, bool]]:
    """Name → type, and whether it must be there."""
    types = get_type_hints(kind)
    return {
        one.name: (types[one.name], one.default is MISSING and one.default_factory is MISSING)
        for one in fields(kind)
        if one.init
    }


def _value(kind: Any, value: Any, where: str) -> Any:
    """The value as that type has it: a list where a tuple is wanted is made one."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        try:
            return made(kind, value)  # type: ignore[arg-type]  # it is a class
        except ValueError as error:
            raise ValueError(f"`{where}`: {error}") from None
    if origin in (Union, UnionType):
        for one in inner:
            try:
                return _value(one, value, where)
            except ValueError:
                continue
    elif kind is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _number(value, where)
    elif origin is tuple and isinstance(value, list):
        of = [inner[0]] * len(value) if inner[1:] == (...,) else list(inner)
        if len(of) == len(value):
            return tuple(_value(one, each, where) for one, each in zip(of, value, strict=True))
    elif isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, dict):
        return {key: _value(inner[1], each, f"{where}.{key}") for key, each in value.items()}
    elif isinstance(origin, type) and issubclass(origin, Sequence) and isinstance(value, list):
        return [_value(inner[0], each, where) for each in value]
    elif (kind is NoneType and value is None) or (kind in (str, int, bool) and type(value) is kind):
        return value
    shown = value if isinstance(value, str) else reprlib.repr(value)  # however deep it lies
    raise ValueError(f"`{where}` is {shown[:40]!r}, expected {_said(kind)}")


def _number(value: float, where: str) -> float:
    """Of a whole number that is too large, an error rather than an overflow."""
    try:
        float(value)
    except OverflowError:
        raise ValueError(f"`{where}` is too large") from None
    return value


def _said(kind: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(kind, str(kind))
