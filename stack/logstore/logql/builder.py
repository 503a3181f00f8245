"""Turns what the grammar recognised into `ast`, and refuses what has no meaning in Loki's words."""

from typing import Any

from lark import Token, Transformer, v_args

from stack.errors import BadInput
from stack.logstore.logql import arithmetic, golang
from stack.logstore.logql.ast import (
    And,
    BinaryOperation,
    BytesFilter,
    CompareOp,
    Conversion,
    Decolorize,
    Drop,
    DurationFilter,
    Extraction,
    FilterOp,
    Grouping,
    IpFilter,
    Json,
    Keep,
    LabelFilter,
    LabelFormat,
    LabelReplace,
    LineFilter,
    LineFormat,
    Literal,
    Logfmt,
    LogQuery,
    Matcher,
    Matching,
    MatchOp,
    MetricQuery,
    Needle,
    NumberFilter,
    Or,
    Pattern,
    Query,
    RangeAggregation,
    Regexp,
    Rename,
    SetLabel,
    StringFilter,
    Unpack,
    Unwrap,
    VectorAggregation,
    VectorLiteral,
)
from stack.logstore.logql.errors import LogQLError
from stack.speed import durations

WITH_PARAMETER = {"topk", "bottomk", "approx_topk"}
GROUPED_RANGES = {
    f"{name}_over_time"
    for name in ("avg", "stddev", "stdvar", "quantile", "max", "min", "first", "last")
}
UNWRAPPED_RANGES = GROUPED_RANGES | {
    "sum_over_time",
    "rate",
    "rate_counter",
    "absent_over_time",
}
LINE_RANGES = {
    "bytes_over_time",
    "bytes_rate",
    "count_over_time",
    "rate",
    "absent_over_time",
}


def _string(token: Token) -> str:
    try:
        text = golang.unquoted(str(token))
        text.encode()
    except UnicodeError:
        raise LogQLError(
            "invalid UTF-8 rune", line=token.line or 0, column=token.column or 0
        ) from None
    except ValueError as error:
        raise LogQLError(str(error), line=token.line or 0, column=token.column or 0) from None
    return text


def _range_ns(token: Token) -> int:
    text = str(token)[1:-1]
    try:
        return durations.milliseconds(text) * 1_000_000
    except BadInput:
        words = f'not a valid duration string: "{text}"' if text else "empty duration string"
        raise LogQLError(words, line=token.line or 0, column=token.column or 0) from None


def _duration_ns(token: Token) -> int:
    try:
        return durations.milliseconds(str(token)) * 1_000_000
    except BadInput:
        return golang.duration_ns(str(token))


def _number(token: Token) -> float:
    try:
        return golang.float_of(str(token))
    except ValueError as error:
        raise LogQLError(f"unable to parse literal as a float: {error}") from None


def _compare(token: Token) -> CompareOp:
    return CompareOp("==" if token == "=" else str(token))


@v_args(inline=True)
class Builder(Transformer[Token, Query]):
    """One method for each rule; the parser calls them bottom-up."""

    def start(self, query: Query) -> Query:
        return query

    # ── selector and stages ──

    def log_query(self, matchers: tuple[Matcher, ...], *stages: Any) -> LogQuery:
        return LogQuery(matchers=matchers, stages=stages)

    def selector(self, *matchers: Matcher | None) -> tuple[Matcher, ...]:
        return tuple(matcher for matcher in matchers if matcher)

    def matcher(self, name: Token, op: Token, value: Token) -> Matcher:
        return Matcher(name=str(name), op=MatchOp(str(op)), value=_string(value))

    def text_needle(self, text: Token) -> Needle:
        return Needle(text=_string(text))

    def ip_needle(self, _ip: Token, text: Token) -> Needle:
        return Needle(text=_string(text), ip=True)

    def line_filter(self, op: Token, *needles: Any) -> LineFilter:
        wanted = tuple(needle for needle in needles if isinstance(needle, Needle))
        return LineFilter(op=FilterOp(str(op)), needles=wanted)

    def extraction(self, name: Token, _equals: Token | None, path: Token | None) -> Extraction:
        return Extraction(name=str(name), path=str(name) if path is None else _string(path))

    def extractions(self, *extractions: Extraction) -> tuple[Extraction, ...]:
        return extractions

    def json(self, _json: Token, extractions: tuple[Extraction, ...] | None) -> Json:
        return Json(extractions=extractions or ())

    def logfmt(self, _logfmt: Token, *rest: Any) -> Logfmt:
        flags = {str(item) for item in rest if isinstance(item, Token)}
        return Logfmt(
            strict="--strict" in flags,
            keep_empty="--keep-empty" in flags,
            extractions=rest[-1] or (),
        )

    def regexp(self, _regexp: Token, pattern: Token) -> Regexp:
        return Regexp(pattern=_string(pattern))

    def pattern(self, _pattern: Token, pattern: Token) -> Pattern:
        return Pattern(pattern=_string(pattern))

    def unpack(self, _unpack: Token) -> Unpack:
        return Unpack()

    def line_format(self, _word: Token, template: Token) -> LineFormat:
        return LineFormat(template=_string(template))

    def rename(self, name: Token, _equals: Token, source: Token) -> Rename:
        return Rename(name=str(name), source=str(source))

    def set_label(self, name: Token, _equals: Token, template: Token) -> SetLabel:
        return SetLabel(name=str(name), template=_string(template))

    def label_formats(self, _word: Token, *formats: Rename | SetLabel) -> LabelFormat:
        return LabelFormat(formats=formats)

    def name(self, name: Token) -> str:
        return str(name)

    def drop(self, _word: Token, *labels: str | Matcher) -> Drop:
        return Drop(labels=labels)

    def keep(self, _word: Token, *labels: str | Matcher) -> Keep:
        return Keep(labels=labels)

    def decolorize(self, _word: Token) -> Decolorize:
        return Decolorize()

    # ── label filters ──

    def string_filter(self, matcher: Matcher) -> StringFilter:
        return StringFilter(matcher=matcher)

    def ip_filter(self, name: Token, op: Token, _ip: Token, addresses: Token) -> IpFilter:
        return IpFilter(name=str(name), op=_compare(op), addresses=_string(addresses))

    def duration_filter(self, name: Token, op: Token, value: Token) -> DurationFilter:
        return DurationFilter(name=str(name), op=_compare(op), value_ns=_duration_ns(value))

    def bytes_filter(self, name: Token, op: Token, value: Token) -> BytesFilter:
        size = golang.size_bytes(str(value))
        return BytesFilter(name=str(name), op=_compare(op), value_bytes=size)

    def number_filter(self, name: Token, op: Token, value: Literal) -> NumberFilter:
        return NumberFilter(name=str(name), op=_compare(op), value=value.value)

    def filter_or(self, left: LabelFilter, _or: Token, right: LabelFilter) -> Or:
        return Or(left=left, right=right)

    def filter_both(self, left: LabelFilter, _and: Token, right: LabelFilter) -> And:
        return And(left=left, right=right)

    def filter_all(self, left: LabelFilter, right: LabelFilter) -> And:
        return And(left=left, right=right)

    # ── ranges ──

    def unwrap(self, _word: Token, name: Token, *rest: Any) -> Unwrap:
        conversion = Conversion.NONE
        if name.type == "CONVERSION":
            conversion = Conversion(name.lower())
            name, *rest = rest  # type: ignore[assignment]
        return Unwrap(name=str(name), conversion=conversion, filters=tuple(rest))

    def offset(self, _word: Token, length: Token) -> int:
        return _duration_ns(length)

    def range_last(self, matchers: tuple[Matcher, ...], *rest: Any) -> RangeAggregation:
        *stages, unwrap, length, offset = rest
        return _window(matchers, tuple(stages), unwrap, length, offset)

    def range_first(
        self, matchers: tuple[Matcher, ...], length: Token, offset: int | None, *rest: Any
    ) -> RangeAggregation:
        stages = tuple(item for item in rest if not isinstance(item, Unwrap))
        unwrap = rest[-1] if isinstance(rest[-1], Unwrap) else None
        return _window(matchers, stages, unwrap, length, offset)

    def range_aggregation(
        self,
        op: Token,
        param: Token | None,
        window: RangeAggregation,
        grouping: Grouping | None,
    ) -> RangeAggregation:
        return _range_aggregation(op.lower(), param, window, grouping)

    # ── vectors ──

    def names(self, *names: Token) -> tuple[str, ...]:
        return tuple(str(name) for name in names)

    def grouping(self, word: Token, names: tuple[str, ...] | None) -> Grouping:
        return Grouping(without=word.lower() == "without", labels=names or ())

    def vector_aggregation(
        self, op: Token, grouping: Grouping | None, param: Token | None, of: Query
    ) -> VectorAggregation:
        return _vector_aggregation(op.lower(), grouping, param, of)

    def vector_aggregation_after(
        self, op: Token, param: Token | None, of: Query, grouping: Grouping
    ) -> VectorAggregation:
        return _vector_aggregation(op.lower(), grouping, param, of)

    def label_replace(self, _word: Token, of: Query, *texts: Token) -> LabelReplace:
        target, replacement, source, pattern = map(_string, texts)
        return LabelReplace(
            of=_metric(of, "label_replace"),
            target=target,
            replacement=replacement,
            source=source,
            pattern=pattern,
        )

    def vector(self, _word: Token, number: Token) -> VectorLiteral:
        return VectorLiteral(value=_number(number))

    def number(self, sign: Token | None, number: Token) -> Literal:
        value = _number(number)
        return Literal(value=-value if sign == "-" else value)

    # ── binary operations ──

    def group(self, word: Token, names: tuple[str, ...] | None) -> Matching:
        return Matching(group=word.lower().removeprefix("group_"), include=names or ())

    def matching(
        self, word: Token, names: tuple[str, ...] | None, group: Matching | None
    ) -> Matching:
        return Matching(
            on=word.lower() == "on",
            labels=names or (),
            group=group.group if group else "",
            include=group.include if group else (),
        )

    def modifier(self, bool_: Token | None, matching: Matching | None) -> tuple[bool, Matching]:
        return bool_ is not None, matching or Matching()

    def binary(
        self, left: Query, op: Token, modifier: tuple[bool, Matching], right: Query
    ) -> BinaryOperation | Literal:
        return _binary(op.lower(), left, right, *modifier)


def _window(
    matchers: tuple[Matcher, ...],
    stages: tuple[Any, ...],
    unwrap: Unwrap | None,
    length: Token,
    offset: int | None,
) -> RangeAggregation:
    """A range aggregation that has not been told its operation."""
    return RangeAggregation(
        op="",
        query=LogQuery(matchers=matchers, stages=stages),
        range_ns=_range_ns(length),
        offset_ns=offset or 0,
        unwrap=unwrap,
    )


def _range_aggregation(
    op: str, param: Token | None, window: RangeAggregation, grouping: Grouping | None
) -> RangeAggregation:
    if param is not None and op != "quantile_over_time":
        raise LogQLError(f"parameter {param} not supported for operation {op}")
    if param is None and op == "quantile_over_time":
        raise LogQLError(f"parameter required for operation {op}")
    if grouping and op not in GROUPED_RANGES:
        raise LogQLError(f"grouping not allowed for {op} aggregation")
    if window.unwrap and op not in UNWRAPPED_RANGES:
        raise LogQLError(f"invalid aggregation {op} with unwrap")
    if not window.unwrap and op not in LINE_RANGES:
        raise LogQLError(f"invalid aggregation {op} without unwrap")
    return RangeAggregation(
        op=op,
        query=window.query,
        range_ns=window.range_ns,
        offset_ns=window.offset_ns,
        unwrap=window.unwrap,
        param=None if param is None else _number(param),
        grouping=grouping,
    )


def _vector_aggregation(
    op: str, grouping: Grouping | None, param: Token | None, of: Query
) -> VectorAggregation:
    metric = _metric(of, op)
    if op in ("sort", "sort_desc") and grouping and grouping.labels:
        raise LogQLError("sort and sort_desc doesn't allow grouping by ")
    if op not in WITH_PARAMETER:
        if param is not None:
            raise LogQLError(f"unsupported parameter for operation {op}({param},")
        return VectorAggregation(op=op, of=metric, grouping=grouping)
    if param is None:
        raise LogQLError(f"parameter required for operation {op}")
    if not param.isdecimal():
        raise LogQLError(f"invalid parameter {op}({param},")
    if int(param) == 0:
        raise LogQLError(f"invalid parameter (must be greater than 0) {op}({param}")
    if op == "approx_topk" and grouping:
        raise LogQLError(f"grouping not allowed for {op} aggregation")
    return VectorAggregation(op=op, of=metric, param=int(param), grouping=grouping)


def _metric(query: Query, op: str) -> MetricQuery:
    if isinstance(query, LogQuery):
        raise LogQLError(f"syntax error: a log query cannot be aggregated by {op}; give it a range")
    return query


def _binary(
    op: str, left: Query, right: Query, bool_: bool, matching: Matching
) -> BinaryOperation | Literal:
    for side, query in (("left", left), ("right", right)):
        if isinstance(query, LogQuery):
            kind = "*syntax.PipelineExpr" if query.stages else "*syntax.MatchersExpr"
            raise LogQLError(f"unexpected type for {side} leg of binary operation ({op}): {kind}")
        if op in arithmetic.SET_OPERATIONS and isinstance(query, Literal):
            raise LogQLError(
                f"unexpected literal for {side} leg of logical/set binary operation "
                f"({op}): {query.value:f}"
            )
    assert not isinstance(left, LogQuery)
    assert not isinstance(right, LogQuery)
    if isinstance(left, Literal) and isinstance(right, Literal):
        return Literal(value=float(arithmetic.of_numbers(op, left.value, right.value)))
    return BinaryOperation(op=op, left=left, right=right, bool_=bool_, matching=matching)
