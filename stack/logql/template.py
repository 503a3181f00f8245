"""The part of Go's text/template that `line_format` and `label_format` can use.

Actions, pipelines, variables, `if`, `with`, `range` with `else`, `break` and `continue`, comments,
trimming with `{{-` and `-}}`, and the functions of `functions`. What Loki has besides (`define`,
`template`, `block`) is refused by name. Semantics: the package documentation of text/template; a
missing label is "". `templatewords` makes tokens of the text, this module reads and runs them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from stack.logql import functions
from stack.logql.budget import Meter
from stack.logql.gotime import Time
from stack.logql.keeping import kept
from stack.logql.templatewords import Action, Token, actions, bad, literal
from stack.logql.values import TemplateError, Value, member, pairs, printed, truth

DEEPEST = 100
"""Blocks within blocks, and brackets within brackets."""

_NOT_HERE = ("define", "template", "block")


@dataclass(slots=True, kw_only=True)
class Scope:
    """What a template sees."""

    dot: Value
    line: str
    timestamp_ns: int
    meter: Meter = field(default_factory=Meter)
    variables: list[Value] = field(default_factory=list)
    """`$` first."""


Evaluator = Callable[[Scope], Value]
Renderer = Callable[[Scope], str]
Jump = Literal["", "break", "continue"]
Writer = Callable[[Scope, list[str]], Jump]
"""Adds to the text; how it ended."""


@dataclass(frozen=True, kw_only=True)
class Template:
    render: Renderer
    """Raises TemplateError, and LogQLError when it makes too much of a line."""
    fields: tuple[str, ...]
    """The labels that it uses."""
    only_field: str = ""
    """The label, if the template is `{{.label}}` and nothing else."""
    fixed: str | None = None
    """What it always gives, if it is text alone."""


@kept(512)
def compiled(text: str) -> Template:
    """Raises LogQLError for text that is not a template or uses something unsupported."""
    reader = _Reader(actions(text))
    body = reader.block(())
    fixed = "".join(map(str, reader.texts)) if not reader.acts else None
    return Template(
        render=_whole(body, reader.most),
        fields=tuple(dict.fromkeys(reader.fields)),
        only_field=reader.only_field,
        fixed=fixed,
    )


def _whole(write: Writer, variables: int) -> Renderer:
    def render(scope: Scope) -> str:
        out: list[str] = []
        scope.variables[:] = [scope.dot, *[None] * variables]
        write(scope, out)
        return "".join(out)

    return render


# ── blocks ──


class _Reader:
    """Reads a template's texts and actions one after the other."""

    def __init__(self, steps: Sequence[str | Action]) -> None:
        self.steps = steps
        self.at = 0
        self.fields: list[str] = []
        self.names: list[str] = ["$"]
        """Variables in scope, by their place."""
        self.most = 0
        """Variables at the same time, without `$`."""
        self.loops = 0
        self.deep = 0
        self.texts = [step for step in steps if isinstance(step, str)]
        self.acts = [step for step in steps if not isinstance(step, str)]
        self.only_field = ""
        if len(self.acts) == 1 and not any(self.texts):
            tokens = self.acts[0].tokens
            if len(tokens) == 1 and tokens[0].kind == "field":
                self.only_field = tokens[0].text[1:]

    def block(self, ends: Sequence[str]) -> Writer:
        """What stands before the next of `ends`, which is left to be read."""
        kept = len(self.names)
        writers: list[Writer] = []
        while self.at < len(self.steps):
            step = self.steps[self.at]
            if isinstance(step, str):
                self.at += 1
                if step:
                    writers.append(_text(step))
                continue
            word = step.word
            if word in ends:
                del self.names[kept:]
                return _sequence(writers)
            self.at += 1
            if word in ("else", "end"):
                raise bad(f"unexpected {{{{{word}}}}}", step.line)
            writers.append(self._action(step))
        if ends:
            raise bad("unexpected EOF", self.acts[-1].line)
        return _sequence(writers)

    def _action(self, step: Action) -> Writer:
        word = step.word
        if word in ("if", "with", "range"):
            return self._block(step)
        if word in ("break", "continue"):
            if not self.loops:
                raise bad(f"{{{{{word}}}}} outside {{{{range}}}}", step.line)
            _Pipeline(self, step, 1).end()
            return _jump(word)
        if word in _NOT_HERE:
            raise bad(f"{{{{{word}}}}} is not supported by the lab's log store", step.line)
        return _Pipeline(self, step, 0).action()

    def _block(self, step: Action) -> Writer:
        self.deep += 1
        if self.deep > DEEPEST:
            raise bad(f"blocks are nested too deeply (limit: {DEEPEST} levels)", step.line)
        kept = len(self.names)
        word = step.word
        begin = 1
        branches: list[tuple[str, _Condition, Writer]] = []
        other: Writer = _sequence([])
        while True:
            condition = _Pipeline(self, step, begin).condition(word)
            self.loops += word == "range"
            body = self.block(("else", "end"))
            self.loops -= word == "range"
            branches.append((word, condition, body))
            step = self._next()
            if step.word == "end":
                break
            if len(step.tokens) == 1:
                other = self.block(("end", "else"))
                step = self._next()
                if step.word == "else":
                    raise bad("unexpected {{else}}", step.line)
                break
            word, begin = step.tokens[1].text, 2
            if word not in ("if", "with") or word != branches[0][0]:
                raise bad(f"unexpected <{word}> in {{{{else}}}}", step.line)
        del self.names[kept:]
        self.deep -= 1
        return _branches(branches, other)

    def _next(self) -> Action:
        step = self.steps[self.at]
        assert isinstance(step, Action)
        self.at += 1
        return step

    def declare(self, name: str) -> int:
        self.names.append(name)
        self.most = max(self.most, len(self.names) - 1)
        return len(self.names) - 1

    def place(self, name: str, line: int) -> int:
        """Of a variable: the last one of that name."""
        for place in range(len(self.names) - 1, -1, -1):
            if self.names[place] == name:
                return place
        raise bad(f'undefined variable "{name}"', line)


def _sequence(writers: Sequence[Writer]) -> Writer:
    if len(writers) == 1:
        return writers[0]
    fixed = tuple(writers)

    def write(scope: Scope, out: list[str]) -> Jump:
        for one in fixed:
            jump = one(scope, out)
            if jump:
                return jump
        return ""

    return write


def _text(text: str) -> Writer:
    size = len(text)

    def write(scope: Scope, out: list[str]) -> Jump:
        scope.meter.add(size)
        out.append(text)
        return ""

    return write


def _jump(word: str) -> Writer:
    jump: Jump = "break" if word == "break" else "continue"
    return lambda scope, out: jump


def _printing(evaluate: Evaluator) -> Writer:
    def write(scope: Scope, out: list[str]) -> Jump:
        text = printed(evaluate(scope))
        scope.meter.add(len(text))
        out.append(text)
        return ""

    return write


@dataclass(frozen=True, kw_only=True)
class _Condition:
    """The pipeline of a block, and where its value goes."""

    value: Evaluator
    places: Sequence[int] = ()
    """Of the variables that it declares or sets."""


def _branches(branches: Sequence[tuple[str, _Condition, Writer]], other: Writer) -> Writer:
    def write(scope: Scope, out: list[str]) -> Jump:
        for word, condition, body in branches:
            scope.meter.step()
            value = condition.value(scope)
            if word == "range":
                return _ranged(scope, out, condition, value, body, other)
            for place in condition.places:
                scope.variables[place] = value
            if truth(value):
                return body(_about(scope, value) if word == "with" else scope, out)
        return other(scope, out)

    return write


def _about(scope: Scope, dot: Value) -> Scope:
    return Scope(
        dot=dot, line=scope.line, timestamp_ns=scope.timestamp_ns, meter=scope.meter,
        variables=scope.variables,
    )  # fmt: skip


def _ranged(
    scope: Scope, out: list[str], condition: _Condition, value: Value, body: Writer, other: Writer
) -> Jump:
    some = False
    for key, item in pairs(value):
        some = True
        scope.meter.step()
        given = (key, item) if len(condition.places) == 2 else (item,)
        for place, one in zip(condition.places, given, strict=False):
            scope.variables[place] = one
        if body(_about(scope, item), out) == "break":
            break
    return "" if some else other(scope, out)


# ── pipelines ──


Operand = tuple[str, Evaluator]
"""The name of a function, or "", and its value."""


class _Pipeline:
    """Reads the pipeline of one action, from token `at` on."""

    def __init__(self, reader: _Reader, step: Action, at: int) -> None:
        self.reader = reader
        self.tokens = step.tokens
        self.line = step.line
        self.at = at
        self.deep = 0

    def action(self) -> Writer:
        """A pipeline that prints, or that sets a variable."""
        if not self.tokens:
            raise bad("missing value for command", self.line)
        name, sign = self._declared()
        if not name:
            value = self.pipeline()
            self.end()
            return _printing(value)
        value = self.pipeline()
        self.end()
        place = self._place(name, sign)

        def write(scope: Scope, out: list[str]) -> Jump:
            scope.variables[place] = value(scope)
            return ""

        return write

    def condition(self, word: str) -> _Condition:
        if self.at >= len(self.tokens):
            raise bad(f"missing value for {word}", self.line)
        names: list[str] = []
        second = self._peek(2)
        if word == "range" and self._kind() == "variable" and self._peek(1).text == ",":
            if second.kind != "variable" or self._peek(3).text not in (":=", "="):
                raise bad("range can only initialize variables", self.line)
            names = [self.tokens[self.at].text, second.text]
            sign = self._peek(3).text
            self.at += 4
        else:
            name, sign = self._declared()
            names = [name] if name else []
        value = self.pipeline()
        self.end()
        return _Condition(value=value, places=[self._place(name, sign) for name in names])

    def _declared(self) -> tuple[str, str]:
        """Name and sign of `$x :=` or `$x =`, if that is next."""
        if self._kind() == "variable" and self._peek(1).text in (":=", "="):
            name, sign = self.tokens[self.at].text, self._peek(1).text
            self.at += 2
            return name, sign
        return "", ""

    def _place(self, name: str, sign: str) -> int:
        if sign == ":=":
            return self.reader.declare(name)
        return self.reader.place(name, self.line)

    def _kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def _peek(self, ahead: int) -> Token:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else Token("", "", False)

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise bad(f"unexpected {self.tokens[self.at].shown} in command", self.line)

    def pipeline(self) -> Evaluator:
        """Commands up to the end, or a closing bracket."""
        value, count = self._command(None), 1
        while self._peek(0).text == "|" and self._kind() == "sign":
            self.at += 1
            count += 1
            value = self._command(value, count)
        return value

    def _command(self, piped: Evaluator | None, count: int = 1) -> Evaluator:
        operands: list[Operand] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "sign" and token.text != "(":
                if token.text in ("|", ")"):
                    break
                raise bad(f"unexpected {token.shown} in operand", self.line)
            operands.append(self._operand())
        if not operands:
            raise bad("missing value for command", self.line)
        (name, first), *rest = operands
        arguments = [value for _, value in rest]
        if not name:
            if rest:
                raise bad("can't give argument to non-function", self.line)
            if piped:
                raise bad(f"non executable command in pipeline stage {count}", self.line)
            return first
        return _call(name, [*arguments, piped] if piped else arguments)

    def _operand(self) -> Operand:
        token = self.tokens[self.at]
        self.at += 1
        name, value = self._value(token)
        # `(…).field` and `$x.field`: what follows without a space belongs to it.
        while self._kind() == "field" and not self.tokens[self.at].spaced:
            more = self.tokens[self.at].text[1:].split(".")
            self.reader.fields += more
            name, value = "", _member(value, more)
            self.at += 1
        return name, value

    def _value(self, token: Token) -> Operand:
        match token.kind:
            case "field":
                names = token.text[1:].split(".")
                self.reader.fields += names
                return "", _field(names)
            case "variable":
                place = self.reader.place(token.text, self.line)
                return "", lambda scope: scope.variables[place]
            case "dot":
                return "", lambda scope: scope.dot
            case "word":
                return self._word(token.text)
            case "sign":
                return self._bracket()
        made = literal(token, self.line)
        return "", lambda scope: made

    def _bracket(self) -> Operand:
        self.deep += 1
        if self.deep > DEEPEST:
            raise bad(f"brackets are nested too deeply (limit: {DEEPEST} levels)", self.line)
        value = self.pipeline()
        if self._peek(0).text != ")":
            raise bad("unclosed left paren", self.line)
        self.at += 1
        self.deep -= 1
        return "", value

    def _word(self, name: str) -> Operand:
        if name in ("true", "false", "nil"):
            value: Value = {"true": True, "false": False, "nil": None}[name]
            return "", lambda scope: value
        if name in functions.NOT_SUPPORTED:
            raise bad(f'function "{name}" is not supported by the lab\'s log store', self.line)
        if name not in functions.FUNCTIONS and name not in ("__line__", "__timestamp__"):
            raise bad(f'function "{name}" not defined', self.line)
        return name, _call(name, [])


def _field(names: Sequence[str]) -> Evaluator:
    first, *more = names
    if more:
        return _member(lambda scope: scope.dot, names)

    def evaluate(scope: Scope) -> Value:
        dot = scope.dot
        if type(dot) is dict:  # labels, nearly always
            return str(dot.get(first, ""))
        return member(dot, first)

    return evaluate


def _member(of: Evaluator, names: Sequence[str]) -> Evaluator:
    def evaluate(scope: Scope) -> Value:
        value = of(scope)
        for name in names:
            value = member(value, name)
        return value

    return evaluate


def _call(name: str, arguments: list[Evaluator]) -> Evaluator:
    if name in ("__line__", "__timestamp__"):
        if arguments:
            error = TemplateError(f"wrong number of args for {name}: want 0 got {len(arguments)}")
            return lambda scope: _raise(error)
        if name == "__line__":
            return lambda scope: scope.line
        return lambda scope: Time(scope.timestamp_ns)
    function = functions.FUNCTIONS[name]
    if name in ("and", "or"):
        return _shortcut(name, arguments)

    def evaluate(scope: Scope) -> Value:
        scope.meter.step()
        value = function.call(name, [argument(scope) for argument in arguments], scope.meter)
        if type(value) is str:
            scope.meter.add(len(value))
        return value

    return evaluate


def _raise(error: TemplateError) -> Value:
    raise TemplateError(str(error))


def _shortcut(name: str, arguments: list[Evaluator]) -> Evaluator:
    stops_at = name == "or"

    def evaluate(scope: Scope) -> Value:
        if not arguments:
            raise TemplateError(f"wrong number of args for {name}: want at least 1 got 0")
        value: Value = None
        for argument in arguments:
            value = argument(scope)
            if truth(value) is stops_at:
                return value
        return value

    return evaluate
