"""Values of many series at many times, and the operations on them (not range aggregations)."""

import math
from collections.abc import Callable, Iterable, Sequence

from stack.logql import regex, windows
from stack.logql.arithmetic import ARITHMETIC, COMPARISONS
from stack.logql.ast import BinaryOperation, Grouping, LabelReplace, Matching, VectorAggregation
from stack.logql.entry import LabelKey
from stack.logql.errors import Kind, LogQLError

Values = list[float | None]
Frame = dict[LabelKey, Values]
"""Series → its value at each time, None where it has none. The order matters after a sort."""


def compact(frame: Frame) -> Frame:
    """The frame without the series that have no value at all."""
    return {
        key: values for key, values in frame.items() if any(value is not None for value in values)
    }


def grouped(key: LabelKey, grouping: Grouping | None) -> LabelKey:
    """The labels of the group that a series belongs to."""
    if grouping is None:
        return ()
    listed = grouping.labels
    return tuple(pair for pair in key if (pair[0] in listed) is not grouping.without)


def columns(rows: Sequence[Values], steps: int) -> Iterable[list[float]]:
    """For each time, the values that exist."""
    for step in range(steps):
        yield [row[step] for row in rows if row[step] is not None]  # type: ignore[misc]


# ── vector aggregations ──


def _sum(values: Sequence[float]) -> float:
    total = values[0]
    for value in values[1:]:
        total += value
    return total


def _mean(values: Sequence[float]) -> float:
    mean = values[0]
    for count, value in enumerate(values[1:], start=2):
        if math.isinf(mean):
            same = math.isinf(value) and (mean > 0) == (value > 0)
            if same or math.isfinite(value):
                continue
        mean += (value - mean) / count
    return mean


_FOLDS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": _sum,
    "avg": _mean,
    "count": lambda values: float(len(values)),
    "max": lambda values: windows.extreme(values, 1),
    "min": lambda values: windows.extreme(values, -1),
    "stddev": lambda values: math.sqrt(windows.variance(values)),
    "stdvar": windows.variance,
}


def aggregated(query: VectorAggregation, frame: Frame, steps: int) -> Frame:
    """The frame of a vector aggregation over `frame`."""
    groups: dict[LabelKey, list[LabelKey]] = {}
    for key in sorted(frame):
        groups.setdefault(grouped(key, query.grouping), []).append(key)
    if query.op in ("sort", "sort_desc"):
        return _sorted(frame, steps, descending=query.op == "sort_desc")
    if query.op in ("topk", "bottomk", "approx_topk"):
        return _chosen(query, frame, groups, steps)
    fold = _FOLDS[query.op]
    return {
        group: [
            fold(values) if values else None
            for values in columns([frame[key] for key in keys], steps)
        ]
        for group, keys in groups.items()
    }


def _rank(value: float, *, descending: bool) -> tuple[bool, float]:
    """Orders values; NaN comes last."""
    return (math.isnan(value), -value if descending else value)


def _sorted(frame: Frame, steps: int, *, descending: bool) -> Frame:
    if steps != 1:
        return frame  # an order by value is visible only at a single moment
    rows = [(values[0], key) for key, values in sorted(frame.items()) if values[0] is not None]
    rows.sort(key=lambda row: _rank(row[0], descending=descending))
    return {key: [value] for value, key in rows}


def _chosen(
    query: VectorAggregation, frame: Frame, groups: dict[LabelKey, list[LabelKey]], steps: int
) -> Frame:
    descending = query.op != "bottomk"
    result: Frame = {}
    for keys in groups.values():
        for step in range(steps):
            rows = [(frame[key][step], key) for key in keys]
            there = [(value, key) for value, key in rows if value is not None]
            there.sort(key=lambda row: _rank(row[0], descending=descending))
            for value, key in there[: query.param]:
                result.setdefault(key, [None] * steps)[step] = value
    return result


# ── binary operations ──


def with_number(query: BinaryOperation, frame: Frame, number: float, *, left: bool) -> Frame:
    """An operation on a frame and a plain number (`left`: the number is on the left)."""
    merge = _merging(query)

    def one(value: float | None) -> float | None:
        if value is None:
            return None
        first, second = (number, value) if left else (value, number)
        return merge(first, second, value)

    return {key: [one(value) for value in values] for key, values in frame.items()}


def _merging(query: BinaryOperation) -> Callable[[float, float, float], float | None]:
    """(left, right, what a true comparison keeps) → value, or None where it is false."""
    if query.op in ARITHMETIC:
        arithmetic = ARITHMETIC[query.op]
        return lambda left, right, kept: arithmetic(left, right)
    holds = COMPARISONS[query.op]
    if query.bool_:
        return lambda left, right, kept: float(holds(left, right))
    return lambda left, right, kept: kept if holds(left, right) else None


def _signature(key: LabelKey, matching: Matching) -> LabelKey:
    listed = matching.labels
    return tuple(pair for pair in key if (pair[0] in listed) is matching.on)


def combined(query: BinaryOperation, left: Frame, right: Frame, steps: int) -> Frame:
    """Raises LogQLError where series cannot be matched one to one."""
    if query.op in ("and", "or", "unless"):
        return _set_operation(query, left, right, steps)
    matching = query.matching
    swapped = matching.group == "right"
    many, one = (right, left) if swapped else (left, right)
    one_side = "left" if swapped else "right"
    merge = _merging(query)
    partners: dict[LabelKey, list[LabelKey]] = {}
    for key in one:
        partners.setdefault(_signature(key, matching), []).append(key)
    result: Frame = {}
    seen: dict[tuple[LabelKey, LabelKey, int], bool] = {}
    for step in range(steps):
        partner_of = _partners(partners, one, step, one_side)
        for key, values in many.items():
            value = values[step]
            signature = _signature(key, matching)
            partner = partner_of.get(signature)
            if value is None or partner is None:
                continue
            name = _result_key(key, partner, matching)
            _check_unique(seen, signature, name, step, matching)
            other = one[partner][step]
            assert other is not None
            first, second = (other, value) if swapped else (value, other)
            merged = merge(first, second, first)
            if merged is not None:
                result.setdefault(name, [None] * steps)[step] = merged
    return result


def _partners(
    partners: dict[LabelKey, list[LabelKey]], one: Frame, step: int, side: str
) -> dict[LabelKey, LabelKey]:
    found: dict[LabelKey, LabelKey] = {}
    for signature, keys in partners.items():
        there = [key for key in keys if one[key][step] is not None]
        if len(there) > 1:
            raise LogQLError(
                f"found duplicate series on the {side} hand-side;many-to-many matching not "
                "allowed: matching labels must be unique on one side",
                kind=Kind.EXECUTION,
            )
        if there:
            found[signature] = there[0]
    return found


def _check_unique(
    seen: dict[tuple[LabelKey, LabelKey, int], bool],
    signature: LabelKey,
    name: LabelKey,
    step: int,
    matching: Matching,
) -> None:
    mark = (signature, name if matching.group else (), step)
    if mark in seen:
        what = (
            "grouping labels must ensure unique matches"
            if matching.group
            else "many-to-one matching must be explicit (group_left/group_right)"
        )
        raise LogQLError(f"multiple matches for labels: {what}", kind=Kind.EXECUTION)
    seen[mark] = True


def _result_key(key: LabelKey, partner: LabelKey, matching: Matching) -> LabelKey:
    if not matching.group:
        return _signature(key, matching)
    labels = dict(key)
    others = dict(partner)
    for name in matching.include:
        if others.get(name):
            labels[name] = others[name]
        else:
            labels.pop(name, None)
    return tuple(sorted(labels.items()))


def _set_operation(query: BinaryOperation, left: Frame, right: Frame, steps: int) -> Frame:
    matching = query.matching
    result: Frame = {}
    there: list[set[LabelKey]] = [set() for _ in range(steps)]
    pattern = left if query.op == "or" else right
    for key, values in pattern.items():
        signature = _signature(key, matching)
        for step, value in enumerate(values):
            if value is not None:
                there[step].add(signature)
    if query.op == "or":
        result = {key: list(values) for key, values in left.items()}
        chosen, wanted = right, False
    else:
        chosen, wanted = left, query.op == "and"
    for key, values in chosen.items():
        signature = _signature(key, matching)
        for step, value in enumerate(values):
            if value is not None and (signature in there[step]) is wanted:
                result.setdefault(key, [None] * steps)[step] = value
    return result


# ── label_replace ──


def relabelled(query: LabelReplace, frame: Frame) -> Frame:
    """Raises LogQLError for a bad pattern, and where two series end with the same labels."""
    try:
        named, find = regex.groups(f"^(?:{query.pattern})$")
    except LogQLError as error:
        raise LogQLError(f"invalid regex in label_replace: {error.message}") from None
    names = {name: number for number, name in named}
    result: Frame = {}
    for key, values in frame.items():
        labels = dict(key)
        texts = find(labels.get(query.source, ""))
        if texts is not None:
            labels.pop(query.target, None)
            text = regex.expanded(query.replacement, texts, names)
            if text:
                labels[query.target] = text
        name = tuple(sorted(labels.items()))
        if name in result:
            raise LogQLError(
                "vector cannot contain metrics with the same labelset", kind=Kind.EXECUTION
            )
        result[name] = values
    return result
