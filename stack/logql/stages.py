"""Stages of a pipeline as functions of a line and its labels."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from stack.logql import addresses, golang, linepattern, regex, template
from stack.logql.arithmetic import COMPARISONS
from stack.logql.ast import (
    And,
    BytesFilter,
    CompareOp,
    Decolorize,
    Drop,
    DurationFilter,
    IpFilter,
    Json,
    Keep,
    LabelFilter,
    LabelFormat,
    LineFilter,
    LineFormat,
    Logfmt,
    Matcher,
    NumberFilter,
    Or,
    Pattern,
    Regexp,
    Rename,
    Stage,
    StringFilter,
    Unpack,
)
from stack.logql.entry import DETAILS, ERROR, SPECIAL, Entry
from stack.logql.errors import LogQLError
from stack.logql.hints import Hints, StageFunction
from stack.logql.jsonpaths import json_paths_stage, unpack_stage
from stack.logql.jsonstage import json_stage
from stack.logql.logfmtstage import logfmt_stage
from stack.logql.matching import accepts, passes
from stack.logql.values import TemplateError

FILTER_FAILED = "LabelFilterErr"
TEMPLATE_FAILED = "TemplateFormatErr"

_ANSI = re.compile(
    r"[\x1b\x9b][\[\]()#;?]*+(?:[a-zA-Z\d;]*+\x07"
    r"|(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~])",
    re.ASCII,
)
"""Terminal escapes, as the package strip-ansi knows them. Nothing that is taken is given back where
that could help no match, so that the time grows with the line and not with its square."""

_NAMED_GROUP = re.compile(r"(?<!\\)\(\?P?<(\w+)>")

Test = Callable[[Entry], bool]


def compiled(stages: Sequence[Stage], hints: Hints) -> list[StageFunction]:
    """Raises LogQLError for a bad regular expression, template, path, pattern or address."""
    return [_stage(stage, hints) for stage in stages]


def _stage(stage: Stage, hints: Hints) -> StageFunction:
    match stage:
        case LineFilter():
            return line_filter(stage)
        case Json():
            if stage.extractions:
                return json_paths_stage(stage.extractions, hints)
            return json_stage(hints)
        case Logfmt():
            return logfmt_stage(stage, hints)
        case Regexp():
            return _regexp(stage, hints)
        case Pattern():
            return _pattern(stage, hints)
        case Unpack():
            return unpack_stage(hints)
        case LineFormat():
            return _line_format(stage)
        case LabelFormat():
            return _label_format(stage)
        case Drop():
            return _drop(stage)
        case Keep():
            return _keep(stage)
        case Decolorize():
            return lambda line, entry: _ANSI.sub("", line)
        case _:
            test = label_filter(stage)
            return lambda line, entry: line if test(entry) else None


def line_filter(stage: LineFilter) -> StageFunction:
    test = passes(stage)
    return lambda line, entry: line if test(line) else None


# ── parsers ──


def _regexp(stage: Regexp, hints: Hints) -> StageFunction:
    try:
        named, find = regex.groups(stage.pattern)
    except LogQLError as error:
        raise LogQLError(f"invalid regexp parser: {error.message}") from None
    if not named:
        raise LogQLError("invalid regexp parser: at least one named capture must be supplied")
    written = _NAMED_GROUP.findall(stage.pattern)
    for name in written:
        if written.count(name) > 1:
            raise LogQLError(f"invalid regexp parser: duplicate extracted label name '{name}'")

    def run(line: str, entry: Entry) -> str | None:
        texts = find(line)
        if texts is None:
            return line
        for number, name in named:
            free = entry.free_name(name)
            if free not in entry.parsed and hints.wants(free):
                entry.set(free, texts[number])
        return line

    return run


def _pattern(stage: Pattern, hints: Hints) -> StageFunction:
    capture = linepattern.captures(stage.pattern)

    def run(line: str, entry: Entry) -> str | None:
        if hints.complete(entry):
            return line
        for name, text in capture(line):
            free = entry.free_name(name)
            if free not in entry.parsed and hints.wants(free):
                entry.set(free, text)
        return line

    return run


# ── label filters ──


def label_filter(stage: LabelFilter) -> Test:
    """Whether an entry passes; one whose value is not readable passes with `__error__` set."""
    match stage:
        case StringFilter():
            return _string_test(stage.matcher)
        case NumberFilter():
            return _value_test(stage.name, stage.op, stage.value, golang.float_of)
        case DurationFilter():
            return _value_test(stage.name, stage.op, stage.value_ns, golang.duration_ns)
        case BytesFilter():
            return _value_test(stage.name, stage.op, stage.value_bytes, golang.size_bytes)
        case IpFilter():
            return _ip_test(stage)
        case And():
            first, second = label_filter(stage.left), label_filter(stage.right)
            # Both are evaluated, since either may set an error.
            return lambda entry: bool(first(entry) & second(entry))
        case Or():
            first, second = label_filter(stage.left), label_filter(stage.right)
            return lambda entry: first(entry) or second(entry)


def _string_test(matcher: Matcher) -> Test:
    name, test = matcher.name, accepts(matcher)
    if name == ERROR:
        return lambda entry: test(entry.error)

    def run(entry: Entry) -> bool:
        value = entry.added.get(name)
        if value is None:
            value = "" if name in entry.gone else entry.base.get(name, "")
        return test(value)

    return run


def _value_test(name: str, op: CompareOp, wanted: float, read: Callable[[str], Any]) -> Test:
    holds = COMPARISONS[op.value]

    def run(entry: Entry) -> bool:
        text = entry.get(name)
        if text is None:
            return False
        try:
            value = read(text)
        except ValueError as error:
            entry.fail_first(FILTER_FAILED, str(error))
            return True
        return holds(value, wanted)

    return run


def _ip_test(stage: IpFilter) -> Test:
    name, found = stage.name, addresses.found_in(stage.addresses)
    wanted = stage.op is CompareOp.EQ

    def run(entry: Entry) -> bool:
        if entry.error:
            return True
        text = entry.get(name)
        return text is not None and found(text) is wanted

    return run


# ── formats ──


def _line_format(stage: LineFormat) -> StageFunction:
    try:
        made = template.compiled(stage.template)
    except LogQLError as error:
        raise LogQLError(f"invalid line template: {error.message}") from None
    if made.only_field:
        field = made.only_field
        return lambda line, entry: entry.get(field) or ""
    if made.fixed is not None:
        text = made.fixed
        return lambda line, entry: text
    render = made.render

    def run(line: str, entry: Entry) -> str | None:
        try:
            return render(_scope(line, entry))
        except TemplateError as error:
            entry.fail(TEMPLATE_FAILED, f"template: line:1: {error}")
            return line

    return run


def _scope(line: str, entry: Entry) -> template.Scope:
    return template.Scope(
        dot=entry.labels(), line=line, timestamp_ns=entry.timestamp_ns, meter=entry.meter
    )


def _label_format(stage: LabelFormat) -> StageFunction:
    names = [one.name for one in stage.formats]
    if ERROR in names:
        raise LogQLError(f"{ERROR} cannot be formatted")
    for name in names:
        if names.count(name) > 1:
            raise LogQLError(
                f"multiple label name '{name}' not allowed in a single format operation"
            )
    steps: list[tuple[str, str, template.Renderer | None]] = []
    for one in stage.formats:
        if isinstance(one, Rename):
            steps.append((one.name, one.source, None))
            continue
        try:
            steps.append((one.name, "", template.compiled(one.template).render))
        except LogQLError as error:
            raise LogQLError(f"invalid template for label '{one.name}': {error.message}") from None

    def run(line: str, entry: Entry) -> str | None:
        scope: template.Scope | None = None
        for name, source, render in steps:
            if render is None:
                value = entry.get(source)
                if value is not None:
                    entry.set(name, value)
                    entry.drop(source)
                continue
            if scope is None:
                # As in Loki, templates of one stage do not see each other's labels.
                scope = _scope(line, entry)
            try:
                entry.set(name, render(scope))
            except TemplateError as error:
                entry.fail(TEMPLATE_FAILED, f"template: label:1: {error}")
        return line

    return run


# ── drop and keep ──


def _drop(stage: Drop) -> StageFunction:
    steps = [
        (label.name, accepts(label)) if isinstance(label, Matcher) else (label, None)
        for label in stage.labels
    ]

    def run(line: str, entry: Entry) -> str | None:
        for name, test in steps:
            if name == ERROR:
                if test is None or test(entry.error):
                    entry.error = ""
            elif name == DETAILS:
                if test is None or test(entry.details):
                    entry.details = ""
            else:
                value = entry.get(name)
                if value is not None if test is None else test(value or ""):
                    entry.drop(name)
        return line

    return run


def _keep(stage: Keep) -> StageFunction:
    always = {label for label in stage.labels if isinstance(label, str)} | SPECIAL
    tests = [(label.name, accepts(label)) for label in stage.labels if isinstance(label, Matcher)]

    def run(line: str, entry: Entry) -> str | None:
        for name, value in entry.labels().items():
            if name in always or any(name == wanted and test(value) for wanted, test in tests):
                continue
            entry.drop(name)
        return line

    return run
