"""Turns what the grammar recognised into `ast`."""

from typing import Any

from lark import Token, Transformer, v_args

from stack.logql import meaning
from stack.logql.ast import (
    And,
    BinaryOperation,
    BytesFilter,
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
from stack.logql.tokens import compare_of, duration_ns_of, number_of, size_of, string_of


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
        return Matcher(name=str(name), op=MatchOp(str(op)), value=string_of(value))

    def text_needle(self, text: Token) -> Needle:
        return Needle(text=string_of(text))

    def ip_needle(self, _ip: Token, text: Token) -> Needle:
        return Needle(text=string_of(text), ip=True)

    def line_filter(self, op: Token, *needles: Any) -> LineFilter:
        wanted = tuple(needle for needle in needles if isinstance(needle, Needle))
        return LineFilter(op=FilterOp(str(op)), needles=wanted)

    def extraction(self, name: Token, _equals: Token | None, path: Token | None) -> Extraction:
        return Extraction(name=str(name), path=str(name) if path is None else string_of(path))

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
        return Regexp(pattern=string_of(pattern))

    def pattern(self, _pattern: Token, pattern: Token) -> Pattern:
        return Pattern(pattern=string_of(pattern))

    def unpack(self, _unpack: Token) -> Unpack:
        return Unpack()

    def line_format(self, _word: Token, template: Token) -> LineFormat:
        return LineFormat(template=string_of(template))

    def rename(self, name: Token, _equals: Token, source: Token) -> Rename:
        return Rename(name=str(name), source=str(source))

    def set_label(self, name: Token, _equals: Token, template: Token) -> SetLabel:
        return SetLabel(name=str(name), template=string_of(template))

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
        return IpFilter(name=str(name), op=compare_of(op), addresses=string_of(addresses))

    def duration_filter(self, name: Token, op: Token, value: Token) -> DurationFilter:
        return DurationFilter(name=str(name), op=compare_of(op), value_ns=duration_ns_of(value))

    def bytes_filter(self, name: Token, op: Token, value: Token) -> BytesFilter:
        return BytesFilter(name=str(name), op=compare_of(op), value_bytes=size_of(value))

    def number_filter(self, name: Token, op: Token, value: Literal) -> NumberFilter:
        return NumberFilter(name=str(name), op=compare_of(op), value=value.value)

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
        return duration_ns_of(length)

    def range_last(self, matchers: tuple[Matcher, ...], *rest: Any) -> RangeAggregation:
        *stages, unwrap, length, offset = rest
        return meaning.window(matchers, tuple(stages), unwrap, length, offset)

    def range_first(
        self, matchers: tuple[Matcher, ...], length: Token, offset: int | None, *rest: Any
    ) -> RangeAggregation:
        stages = tuple(item for item in rest if not isinstance(item, Unwrap))
        unwrap = rest[-1] if isinstance(rest[-1], Unwrap) else None
        return meaning.window(matchers, stages, unwrap, length, offset)

    def range_aggregation(
        self,
        op: Token,
        param: Token | None,
        window: RangeAggregation,
        grouping: Grouping | None,
    ) -> RangeAggregation:
        return meaning.range_aggregation(op.lower(), param, window, grouping)

    # ── vectors ──

    def names(self, *names: Token) -> tuple[str, ...]:
        return tuple(str(name) for name in names)

    def grouping(self, word: Token, names: tuple[str, ...] | None) -> Grouping:
        return Grouping(without=word.lower() == "without", labels=names or ())

    def vector_aggregation(
        self, op: Token, grouping: Grouping | None, param: Token | None, of: Query
    ) -> VectorAggregation:
        return meaning.vector_aggregation(op.lower(), grouping, param, of)

    def vector_aggregation_after(
        self, op: Token, param: Token | None, of: Query, grouping: Grouping
    ) -> VectorAggregation:
        return meaning.vector_aggregation(op.lower(), grouping, param, of)

    def label_replace(self, _word: Token, of: Query, *texts: Token) -> LabelReplace:
        target, replacement, source, pattern = map(string_of, texts)
        return LabelReplace(
            of=meaning.metric(of, "label_replace"),
            target=target,
            replacement=replacement,
            source=source,
            pattern=pattern,
        )

    def vector(self, _word: Token, number: Token) -> VectorLiteral:
        return VectorLiteral(value=number_of(number))

    def number(self, sign: Token | None, number: Token) -> Literal:
        value = number_of(number)
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
        return meaning.binary(op.lower(), left, right, *modifier)
