"""Values inside a template: their kinds in Go, their truth, how they print, and what is in them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stack.logql import golang
from stack.logql.gotime import Time

Value = str | int | float | bool | Time | Mapping[str, Any] | list[Any] | None
"""Maps are the labels, and objects of `fromJson`, whose numbers are floats."""


class TemplateError(Exception):
    """A template that fails for this line, which gets `TemplateFormatErr`."""


class Document(dict[str, Any]):
    """An object of `fromJson`."""


def kind_of(value: Value) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {
        str: "string", int: "int", float: "float64", Time: "time.Time", list: "[]interface {}",
        Document: "map[string]interface {}",
    }  # fmt: skip
    if type(value) in names:
        return names[type(value)]
    return "<nil>" if value is None else "map[string]string"


def truth(value: Value) -> bool:
    """Whether it is true for `if`: anything but false, 0, "", nil and what is empty."""
    return isinstance(value, Time) or bool(value)


def printed(value: Value) -> str:
    """As a template prints it."""
    if isinstance(value, str):
        return value
    return "<no value>" if value is None else shown(value)


def shown(value: Value) -> str:
    """As Go prints it with %v."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return golang.float_text(value)
    if value is None:
        return "<nil>"
    if isinstance(value, Mapping):
        inner = [f"{name}:{shown(one)}" for name, one in sorted(value.items())]
        return "map[" + " ".join(inner) + "]"
    if isinstance(value, list):
        return "[" + " ".join([shown(one) for one in value]) + "]"
    return str(value)


def member(value: Value, name: str) -> Value:
    """`value.name`. Raises TemplateError."""
    if isinstance(value, Document):
        return value.get(name)
    if isinstance(value, Mapping):
        return str(value.get(name) or "")  # `missingkey=zero`
    if value is None:
        raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
    raise TemplateError(f"can't evaluate field {name} in type {kind_of(value)}")


def pairs(value: Value) -> Iterator[tuple[Value, Value]]:
    """What `range` goes through: (index or key, item). Raises TemplateError."""
    if isinstance(value, Mapping):
        return iter(sorted(value.items()))
    if isinstance(value, list):
        return iter(enumerate(value))
    if type(value) is int:
        return ((number, number) for number in range(value))
    if value is None:
        return iter(())
    raise TemplateError(f"range can't iterate over {shown(value)[:100]}")


def item(value: Value, keys: Sequence[Value]) -> Value:
    """`index value keys…`. Raises TemplateError."""
    for key in keys:
        if isinstance(value, Mapping):
            if not isinstance(key, str):
                raise TemplateError(
                    f"error calling index: value has type {kind_of(key)}; should be string"
                )
            value = value.get(key, None if isinstance(value, Document) else "")
        elif isinstance(value, list | str):
            held = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            value = held[_place(key, len(held) - 1, "index")]
        elif value is None:
            raise TemplateError("error calling index: index of untyped nil")
        else:
            raise TemplateError(f"error calling index: can't index item of type {kind_of(value)}")
    return value


def part(value: Value, bounds: Sequence[Value]) -> Value:
    """`slice value from to`. Raises TemplateError."""
    if not isinstance(value, list | str) or len(bounds) > (2 if isinstance(value, str) else 3):
        raise TemplateError(f"error calling slice: can't slice item of type {kind_of(value)}")
    held = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    ends = [0, len(held)]
    for at, bound in enumerate(bounds[:2]):
        ends[at] = _place(bound, len(held), "slice")
    if ends[0] > ends[1]:
        raise TemplateError(f"error calling slice: invalid slice index: {ends[0]} > {ends[1]}")
    cut = held[ends[0] : ends[1]]
    return cut.decode("utf-8", "surrogateescape") if isinstance(cut, bytes) else cut


def _place(key: Value, last: int, name: str) -> int:
    if type(key) is not int:
        raise TemplateError(
            f"error calling {name}: cannot index slice/array with type {kind_of(key)}"
        )
    if not 0 <= key <= last:
        raise TemplateError(f"error calling {name}: index out of range: {key}")
    return key
