"""A metric query, evaluated at one or more times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stack.logql import frames, golang, walk, windows
from stack.logql.ast import (
    BinaryOperation,
    Grouping,
    LabelReplace,
    Literal,
    Matcher,
    MatchOp,
    MetricQuery,
    RangeAggregation,
    VectorAggregation,
    VectorLiteral,
)
from stack.logql.budget import Account
from stack.logql.entry import ERROR, LabelKey
from stack.logql.errors import Kind, LogQLError
from stack.logql.frames import Frame
from stack.logql.pipeline import leading_filters
from stack.logql.sampling import SUMMABLE, Sampler, Samples
from stack.logql.source import Source


class Shortcut(Protocol):
    """Answers parts of a query by other means, such as SQL."""

    def evaluate(self, query: MetricQuery, times_ns: Sequence[int]) -> Frame | None:
        """The frame of `query` at the times, exactly as the engine computes it; None to decline.

        Asked for the whole query first, then for its parts.
        """


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    source: Source
    times_ns: Sequence[int]
    account: Account
    shortcut: Shortcut | None = None

    def frame(self, query: MetricQuery) -> Frame:
        """Raises LogQLError."""
        found: list[Frame] = []
        left: list[tuple[MetricQuery, bool]] = [(query, False)]
        while left:  # no recursion: a long sum is as deep as it is long
            node, ready = left.pop()
            if ready:
                count = len(_vectors(node))
                operands = found[-count:]
                del found[-count:]
                found.append(self._combined(node, operands))
                continue
            self.account.check_time()
            direct = self._direct(node)
            if direct is not None:
                found.append(direct)
            else:
                left.append((node, True))
                left += [(operand, False) for operand in reversed(_vectors(node))]
        return found[0]

    def _direct(self, query: MetricQuery) -> Frame | None:
        """The frame of what needs no other frame; None for what does."""
        if self.shortcut:
            found = self.shortcut.evaluate(query, self.times_ns)
            if found is not None:
                return found
        match query:
            case RangeAggregation():
                return self._range(query, None)
            case Literal() | VectorLiteral():
                return {(): [query.value] * len(self.times_ns)}
            case VectorAggregation(op="sum", of=RangeAggregation() as inner) if (
                inner.op in SUMMABLE
            ):
                outer = query.grouping or Grouping(without=False, labels=())
                return self._combined(query, [self._range(inner, outer)])
        return None

    def _combined(self, query: MetricQuery, operands: Sequence[Frame]) -> Frame:
        steps = len(self.times_ns)
        match query:
            case VectorAggregation():
                return frames.compact(frames.aggregated(query, operands[0], steps))
            case LabelReplace():
                return frames.relabelled(query, operands[0])
            case BinaryOperation(left=Literal(value=number)):
                return frames.compact(frames.with_number(query, operands[0], number, left=True))
            case BinaryOperation(right=Literal(value=number)):
                return frames.compact(frames.with_number(query, operands[0], number, left=False))
            case BinaryOperation():
                return frames.compact(frames.combined(query, operands[0], operands[1], steps))
        raise AssertionError(query)

    def _range(self, query: RangeAggregation, outer: Grouping | None) -> Frame:
        sampler = Sampler(query, outer, self.account)
        first_ns = self.times_ns[0] - query.offset_ns - query.range_ns
        last_ns = self.times_ns[-1] - query.offset_ns
        for batch in self.source.select(
            query.query.matchers,
            first_ns + 1,
            last_ns + 1,
            line_filters=leading_filters(query.query),
        ):
            self.account.read(len(batch.lines))
            sampler.add(batch)
        frame: Frame = {}
        for key, samples in sampler.series.items():
            values = windows.evaluate(samples, query, self.times_ns)
            if samples.failed:
                _refuse(key, samples, values)
            elif any(value is not None for value in values):
                frame[key] = values
        if query.op == "absent_over_time":
            return _absent(query, frame, len(self.times_ns))
        return frame


def _vectors(query: MetricQuery) -> tuple[MetricQuery, ...]:
    """The operands that are not plain numbers."""
    return tuple(one for one in walk.operands(query) if not isinstance(one, Literal))


def _refuse(key: LabelKey, samples: Samples, values: Sequence[float | None]) -> None:
    """Raises LogQLError if a window contains entries with an error."""
    if all(value is None for value in values):
        return
    labels = dict(key)
    error = labels[ERROR]
    metric = "{" + ", ".join(f"{name}={golang.quoted(text)}" for name, text in key) + "}"
    raise LogQLError(
        f"pipeline error: '{error}' for series: '{metric}'.\n"
        f'Use a label filter to intentionally skip this error. (e.g | __error__!="{error}").\n'
        'To skip all potential errors you can match empty errors.(e.g __error__="")\n'
        "The label filter can also be specified after unwrap. "
        '(e.g | unwrap latency | __error__="" )\n',
        kind=Kind.PIPELINE,
    )


def _absent(query: RangeAggregation, frame: Frame, steps: int) -> Frame:
    present = [any(values[step] is not None for values in frame.values()) for step in range(steps)]
    values: frames.Values = [None if there else 1.0 for there in present]
    return frames.compact({_absent_key(query.query.matchers): values})


def _absent_key(matchers: Sequence[Matcher]) -> LabelKey:
    """The labels whose values the matchers fix."""
    labels: dict[str, str] = {}
    unsure: set[str] = set()
    for matcher in matchers:
        if matcher.op is MatchOp.EQ and matcher.name not in labels:
            labels[matcher.name] = matcher.value
        else:
            unsure.add(matcher.name)
    return tuple(sorted((name, text) for name, text in labels.items() if name not in unsure))
