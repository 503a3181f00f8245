"""The part of Go's text/template that `line_format` and `label_format` need.

Actions, pipelines, `if`/`else if`/`else`/`end`, `with`, comments, trimming with `{{-` and `-}}`,
and the functions of `functions`. Variables, `range`, `define`, `template` and methods are refused.
Semantics: the package documentation of text/template; a missing label is "".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from stack.logql import functions, golang
from stack.logql.errors import LogQLError
from stack.logql.functions import TemplateError, Value

_ACTION = re.compile(
    r"\{\{(?P<trim_left>-(?=\s))?(?P<body>(?:\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`|'(?:[^'\\\n]|\\.)*'"
    r"|/\*.*?\*/|(?!\}\}|(?<=\s)-\}\}).)*)(?P<trim_right>(?<=\s)-)?\}\}",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a template sees."""

    dot: Value
    labels: Mapping[str, str]
    line: str
    timestamp_ns: int


Evaluator = Callable[[Scope], Value]
Renderer = Callable[[Scope], str]


@dataclass(frozen=True, kw_only=True)
class Template:
    render: Renderer
    """Raises TemplateError."""
    fields: tuple[str, ...]
    """The labels that it uses."""
    only_field: str = ""
    """The label, if the template is `{{.label}}` and nothing else."""


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("template.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual")


@cache
def compiled(text: str) -> Template:
    """Raises LogQLError for text that is not a template or uses something unsupported."""
    reader = _Reader(text)
    body = reader.body(closing=False)
    fields = tuple(dict.fromkeys(reader.fields))
    only = re.fullmatch(r"\{\{\s*\.([^\W\d]\w*)\s*\}\}", text)
    return Template(render=_sequence(body), fields=fields, only_field=only.group(1) if only else "")


def _sequence(parts: Sequence[Renderer]) -> Renderer:
    fixed = tuple(parts)
    if len(fixed) == 1:
        return fixed[0]
    return lambda scope: "".join([part(scope) for part in fixed])


class _Reader:
    """Reads a template's texts and actions one after the other."""

    def __init__(self, text: str) -> None:
        self.fields: list[str] = []
        self.steps = self._split(text)
        self.at = 0

    def _split(self, text: str) -> list[tuple[str, Any]]:
        steps: list[tuple[str, Any]] = []
        at = 0
        trim = False
        for found in _ACTION.finditer(text):
            literal = text[at : found.start()]
            literal = literal.lstrip() if trim else literal
            literal = literal.rstrip() if found["trim_left"] else literal
            if "{{" in literal:
                break
            steps.append(("text", literal))
            trim = bool(found["trim_right"])
            at = found.end()
            body = found["body"].strip()
            if not re.fullmatch(r"/\*.*\*/", body, re.DOTALL):
                steps.append(self._action(body, text.count("\n", 0, found.start()) + 1))
        rest = text[at:]
        if "{{" in rest:
            raise _bad("unclosed action", text.count("\n") + 1)
        steps.append(("text", rest.lstrip() if trim else rest))
        return steps

    def _action(self, body: str, line: int) -> tuple[str, Any]:
        if not body:
            raise _bad("missing value for command", line)
        try:
            tree = _parser().parse(body)
        except UnexpectedInput as error:
            where = body[error.pos_in_stream or 0 :] if error.pos_in_stream is not None else ""
            raise _bad(
                f"unexpected {golang.quoted(where.strip() or body)} in action", line
            ) from None
        builder = _Compiler(line)
        try:
            made: tuple[str, Any] = builder.transform(tree)
        except VisitError as error:
            raise error.orig_exc from None
        self.fields += builder.fields
        return made

    def body(self, *, closing: bool) -> list[Renderer]:
        """Renderers up to the next `else` or `end`, which is left to be read."""
        parts: list[Renderer] = []
        while self.at < len(self.steps):
            kind, value = self.steps[self.at]
            if kind in ("else_", "else_if", "end"):
                if closing:
                    return parts
                raise _bad(f"unexpected {{{{{kind.rstrip('_').replace('_', ' ')}}}}}", 1)
            self.at += 1
            if kind == "text":
                if value:
                    parts.append(_constant(value))
            elif kind == "output":
                parts.append(_printing(value))
            else:
                parts.append(self._branch(kind, value))
        if closing:
            raise _bad("unexpected EOF", 1)
        return parts

    def _branch(self, kind: str, condition: Evaluator) -> Renderer:
        chosen = _sequence(self.body(closing=True))
        ending, inner = self.steps[self.at]
        self.at += 1
        other: Renderer = _constant("")
        if ending == "else_if":
            other = self._branch("open_if", inner)
        elif ending == "else_":
            other = _sequence(self.body(closing=True))
            if self.steps[self.at][0] != "end":
                raise _bad("unexpected {{else}}", 1)
            self.at += 1
        return _choice(condition, chosen, other, sets_dot=kind == "open_with")


def _bad(what: str, line: int) -> LogQLError:
    return LogQLError(f"template: line:{line}: {what}")


def _constant(text: str) -> Renderer:
    return lambda scope: text


def _printing(evaluate: Evaluator) -> Renderer:
    return lambda scope: functions.printed(evaluate(scope))


def _choice(condition: Evaluator, chosen: Renderer, other: Renderer, *, sets_dot: bool) -> Renderer:
    def render(scope: Scope) -> str:
        value = condition(scope)
        if not functions.truth(value):
            return other(scope)
        if not sets_dot:
            return chosen(scope)
        return chosen(
            Scope(dot=value, labels=scope.labels, line=scope.line, timestamp_ns=scope.timestamp_ns)
        )

    return render


@v_args(inline=True)
class _Compiler(Transformer[Token, Any]):
    """Makes an evaluator of each pipeline."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.fields: list[str] = []

    def open_if(self, pipeline: Evaluator) -> tuple[str, Evaluator]:
        return "open_if", pipeline

    def open_with(self, pipeline: Evaluator) -> tuple[str, Evaluator]:
        return "open_with", pipeline

    def else_if(self, pipeline: Evaluator) -> tuple[str, Evaluator]:
        return "else_if", pipeline

    def else_(self) -> tuple[str, None]:
        return "else_", None

    def end(self) -> tuple[str, None]:
        return "end", None

    def output(self, pipeline: Evaluator) -> tuple[str, Evaluator]:
        return "output", pipeline

    def field(self, token: Token) -> tuple[str, Evaluator]:
        first, *more = str(token)[1:].split(".")
        self.fields += [first, *more]

        def evaluate(scope: Scope) -> Value:
            if not isinstance(scope.dot, Mapping):
                kind = functions.kind_of(scope.dot)
                raise TemplateError(f"can't evaluate field {first} in type {kind}")
            if more:
                raise TemplateError(f"can't evaluate field {more[0]} in type string")
            return str(scope.dot.get(first, ""))

        return "value", evaluate

    def dot(self, _token: Token) -> tuple[str, Evaluator]:
        return "value", lambda scope: scope.dot

    def string(self, token: Token) -> tuple[str, Evaluator]:
        try:
            text = golang.unquoted(str(token))
        except ValueError as error:
            raise _bad(str(error), self.line) from None
        return "value", lambda scope: text

    def char(self, token: Token) -> tuple[str, Evaluator]:
        code = ord(golang.unquoted(f'"{str(token)[1:-1]}"'))
        return "value", lambda scope: code

    def number(self, token: Token) -> tuple[str, Evaluator]:
        text = str(token)
        try:
            value: Value = int(text, 0) if not text.lstrip("+-").startswith("0x") else int(text, 16)
        except ValueError:
            value = float(text)
        return "value", lambda scope: value

    def word(self, token: Token) -> tuple[str, Any]:
        name = str(token)
        if name in ("true", "false", "nil"):
            value: Value = {"true": True, "false": False, "nil": None}[name]
            return "value", lambda scope: value
        if name in ("__line__", "__timestamp__"):
            return "function", name
        if name not in functions.FUNCTIONS:
            known = name in functions.NOT_SUPPORTED
            raise _bad(f'function "{name}" not {"supported" if known else "defined"}', self.line)
        return "function", name

    def nested(self, pipeline: Evaluator) -> tuple[str, Evaluator]:
        return "value", pipeline

    def command(self, *operands: tuple[str, Any]) -> tuple[str | None, list[Evaluator]]:
        (kind, first), *rest = operands
        arguments = [_evaluator(operand) for operand in rest]
        if kind == "function":
            return first, arguments
        if rest:
            raise _bad("can't give argument to non-function", self.line)
        return None, [first]

    def pipeline(self, *commands: tuple[str | None, list[Evaluator]]) -> Evaluator:
        evaluate: Evaluator | None = None
        for name, arguments in commands:
            if name is None and evaluate is not None:
                raise _bad("non executable command in pipeline stage 2", self.line)
            piped = [] if evaluate is None else [evaluate]
            evaluate = arguments[0] if name is None else _call(name, [*arguments, *piped])
        assert evaluate is not None
        return evaluate


def _evaluator(operand: tuple[str, Any]) -> Evaluator:
    kind, value = operand
    return _call(value, []) if kind == "function" else value


def _call(name: str, arguments: list[Evaluator]) -> Evaluator:
    if name == "__line__":
        return lambda scope: scope.line
    if name == "__timestamp__":
        return lambda scope: functions.Time(scope.timestamp_ns)
    function = functions.FUNCTIONS[name]
    if name in ("and", "or"):
        return _shortcut(name, arguments)
    return lambda scope: function.call(name, [argument(scope) for argument in arguments])


def _shortcut(name: str, arguments: list[Evaluator]) -> Evaluator:
    stops_at = name == "or"

    def evaluate(scope: Scope) -> Value:
        value: Value = None
        for argument in arguments:
            value = argument(scope)
            if functions.truth(value) is stops_at:
                return value
        return value

    return evaluate
