"""A query as text; `parse` reads it back as the same query."""

import math
from decimal import Decimal

from stack import durations
from stack.logql.ast import (
    And,
    BinaryOperation,
    BytesFilter,
    Conversion,
    Decolorize,
    Drop,
    DurationFilter,
    Extraction,
    Grouping,
    IpFilter,
    Json,
    Keep,
    LabelFormat,
    LabelReplace,
    LineFilter,
    LineFormat,
    Literal,
    Logfmt,
    LogQuery,
    Matcher,
    Matching,
    NumberFilter,
    Or,
    Pattern,
    Query,
    RangeAggregation,
    Regexp,
    Rename,
    SetLabel,
    Stage,
    StringFilter,
    Unpack,
    Unwrap,
    VectorAggregation,
    VectorLiteral,
)
from stack.logql.golang import duration_text, quoted


def text_of(query: Query) -> str:
    """The query on one line, with brackets around every binary operation."""
    match query:
        case LogQuery():
            return _log(query)
        case RangeAggregation():
            return _range(query)
        case VectorAggregation():
            param = "" if query.param is None else f"{query.param}, "
            grouping = f" {grouping_text(query.grouping)} " if query.grouping else ""
            return f"{query.op}{grouping}({param}{text_of(query.of)})"
        case BinaryOperation():
            return f"({text_of(query.left)} {operator_text(query)} {text_of(query.right)})"
        case Literal():
            return number_text(query.value)
        case VectorLiteral():
            return f"vector({number_text(query.value)})"
        case LabelReplace():
            texts = (query.target, query.replacement, query.source, query.pattern)
            return f"label_replace({text_of(query.of)}, {', '.join(map(quoted, texts))})"


def operator_text(query: BinaryOperation) -> str:
    words = [query.op, *(["bool"] * query.bool_), _matching(query.matching)]
    return " ".join([word for word in words if word])


def _log(query: LogQuery) -> str:
    return " ".join([selector_text(query.matchers), *map(stage_text, query.stages)])


def selector_text(matchers: tuple[Matcher, ...]) -> str:
    return "{" + ", ".join(map(_matcher, matchers)) + "}"


def _matcher(matcher: Matcher) -> str:
    return f"{matcher.name}{matcher.op.value}{quoted(matcher.value)}"


def stage_text(stage: Stage) -> str:
    match stage:
        case LineFilter():
            needles = (
                f"ip({quoted(needle.text)})" if needle.ip else quoted(needle.text)
                for needle in stage.needles
            )
            return f"{stage.op.value} {' or '.join(needles)}"
        case Json():
            return f"| json {_extractions(stage.extractions)}".rstrip()
        case Logfmt():
            flags = ["--strict"] * stage.strict + ["--keep-empty"] * stage.keep_empty
            return " ".join(["| logfmt", *flags, _extractions(stage.extractions)]).rstrip()
        case Regexp():
            return f"| regexp {quoted(stage.pattern)}"
        case Pattern():
            return f"| pattern {quoted(stage.pattern)}"
        case Unpack():
            return "| unpack"
        case LineFormat():
            return f"| line_format {quoted(stage.template)}"
        case LabelFormat():
            return "| label_format " + ", ".join(map(_format, stage.formats))
        case Drop():
            return "| drop " + ", ".join(map(_label, stage.labels))
        case Keep():
            return "| keep " + ", ".join(map(_label, stage.labels))
        case Decolorize():
            return "| decolorize"
        case _:
            return f"| {_filter(stage)}"


def _extractions(extractions: tuple[Extraction, ...]) -> str:
    return ", ".join(f"{one.name}={quoted(one.path)}" for one in extractions)


def _format(one: Rename | SetLabel) -> str:
    return f"{one.name}={one.source if isinstance(one, Rename) else quoted(one.template)}"


def _label(label: str | Matcher) -> str:
    return label if isinstance(label, str) else _matcher(label)


def _filter(
    stage: StringFilter | NumberFilter | DurationFilter | BytesFilter | IpFilter | And | Or,
) -> str:
    match stage:
        case StringFilter():
            return _matcher(stage.matcher)
        case NumberFilter():
            return f"{stage.name} {stage.op.value} {number_text(stage.value)}"
        case DurationFilter():
            return f"{stage.name} {stage.op.value} {duration_text(stage.value_ns)}"
        case BytesFilter():
            return f"{stage.name} {stage.op.value} {stage.value_bytes}B"
        case IpFilter():
            op = "=" if stage.op.value == "==" else "!="
            return f"{stage.name} {op} ip({quoted(stage.addresses)})"
        case And():
            return f"({_filter(stage.left)} and {_filter(stage.right)})"
        case Or():
            return f"({_filter(stage.left)} or {_filter(stage.right)})"


def _range(query: RangeAggregation) -> str:
    param = "" if query.param is None else f"{number_text(query.param)}, "
    unwrap = "".join([f" {part}" for part in unwrap_text(query.unwrap)]) if query.unwrap else ""
    grouping = f" {grouping_text(query.grouping)}" if query.grouping else ""
    return f"{query.op}({param}{_log(query.query)}{unwrap} {length_text(query)}){grouping}"


def length_text(query: RangeAggregation) -> str:
    length = durations.text_of(query.range_ns // 1_000_000)
    offset = f" offset {duration_text(query.offset_ns)}" if query.offset_ns else ""
    return f"[{length}]{offset}"


def unwrap_text(unwrap: Unwrap) -> list[str]:
    """The unwrapping itself, then the filters after it."""
    name = unwrap.name
    if unwrap.conversion is not Conversion.NONE:
        name = f"{unwrap.conversion.value}({name})"
    return [f"| unwrap {name}", *(f"| {_filter(one)}" for one in unwrap.filters)]


def grouping_text(grouping: Grouping) -> str:
    return f"{'without' if grouping.without else 'by'} ({', '.join(grouping.labels)})"


def _matching(matching: Matching) -> str:
    if matching == Matching():
        return ""
    text = f"{'on' if matching.on else 'ignoring'} ({', '.join(matching.labels)})"
    if matching.group:
        text += f" group_{matching.group} ({', '.join(matching.include)})"
    return text


def number_text(value: float) -> str:
    if math.isnan(value):
        return "(0 / 0)"
    if math.isinf(value):
        return "(2 ^ 2000)" if value > 0 else "(-1 * (2 ^ 2000))"
    if abs(value) >= 1e15:
        return repr(value)
    return f"{int(value)}" if value == int(value) else format(Decimal(repr(value)), "f")
