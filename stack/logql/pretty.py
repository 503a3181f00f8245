"""A query over several lines, as `format_query` gives it: what does not fit on one is split."""

from stack.logql.ast import (
    BinaryOperation,
    LabelReplace,
    LogQuery,
    Query,
    RangeAggregation,
    VectorAggregation,
)
from stack.logql.golang import quoted
from stack.logql.text import (
    grouping_text,
    length_text,
    number_text,
    operator_text,
    selector_text,
    stage_text,
    text_of,
    unwrap_text,
)

WIDEST = 100
"""Characters that fit on a line."""

_INDENT = "  "


def pretty(query: Query, level: int = 0) -> str:
    """The query, each line two spaces further in per level."""
    indent = _INDENT * level
    text = text_of(query)
    if len(text) <= WIDEST:
        return indent + text
    match query:
        case LogQuery():
            return "\n".join(_log(query, level))
        case RangeAggregation():
            lines = [f"{indent}{query.op}("]
            if query.param is not None:
                lines.append(f"{indent}{_INDENT}{number_text(query.param)},")
            lines += _log(query.query, level + 1)
            if query.unwrap:
                lines += [f"{indent}{_INDENT * 2}{part}" for part in unwrap_text(query.unwrap)]
            lines[-1] += f" {length_text(query)}"
            grouping = f" {grouping_text(query.grouping)}" if query.grouping else ""
            return "\n".join([*lines, f"{indent}){grouping}"])
        case VectorAggregation():
            grouping = f" {grouping_text(query.grouping)}" if query.grouping else ""
            param = [] if query.param is None else [f"{indent}{_INDENT}{query.param},"]
            lines = [f"{indent}{query.op}{grouping}(", *param, pretty(query.of, level + 1)]
            return "\n".join([*lines, f"{indent})"])
        case BinaryOperation():
            left, right = _operand(query.left, level + 1), _operand(query.right, level + 1)
            return f"{left}\n{indent}{operator_text(query)}\n{right}"
        case LabelReplace():
            texts = (query.target, query.replacement, query.source, query.pattern)
            last = [f"{indent}{_INDENT}{quoted(one)}" for one in texts]
            inner = ",\n".join([pretty(query.of, level + 1), *last])
            return f"{indent}label_replace(\n{inner}\n{indent})"
    return indent + text


def _operand(query: Query, level: int) -> str:
    """An operation that is split keeps its brackets: they say what belongs together."""
    indent = _INDENT * level
    if not isinstance(query, BinaryOperation) or len(text_of(query)) <= WIDEST:
        return pretty(query, level)
    return f"{indent}(\n{pretty(query, level + 1)}\n{indent})"


def _log(query: LogQuery, level: int) -> list[str]:
    indent = _INDENT * level
    if len(text_of(query)) <= WIDEST:
        return [indent + text_of(query)]
    stages = [f"{indent}{_INDENT}{stage_text(stage)}" for stage in query.stages]
    return [indent + selector_text(query.matchers), *stages]
