"""Values inside a template: their kinds in Go, their truth, and how they print."""

from collections.abc import Mapping

from stack.logql import golang
from stack.logql.gotime import Time

Value = str | int | float | bool | Time | Mapping[str, str] | None


class TemplateError(Exception):
    """A template that fails for this line, which gets `TemplateFormatErr`."""


def kind_of(value: Value) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {str: "string", int: "int", float: "float64", Time: "time.Time"}
    if type(value) in names:
        return names[type(value)]
    return "<nil>" if value is None else "map[string]string"


def truth(value: Value) -> bool:
    """Whether it is true for `if`: anything but false, 0, "", nil and an empty map."""
    return isinstance(value, Time) or bool(value)


def printed(value: Value) -> str:
    """As Go prints it with %v."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return golang.float_text(value)
    if value is None:
        return "<no value>"
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{name}:{text}" for name, text in sorted(value.items())) + "]"
    return str(value)
