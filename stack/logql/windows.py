"""What a range aggregation computes from the samples in one window."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

from stack.logql.ast import RangeAggregation
from stack.logql.sampling import Samples

Window = Callable[[Samples, int, int, int], float]
"""(samples, first index, index after the last, end of the window in nanoseconds) → value"""


def evaluate(
    samples: Samples, query: RangeAggregation, times_ns: Sequence[int]
) -> list[float | None]:
    """A value for each time, None where the window (t - range, t] is empty."""
    value = _operation(query)
    stamps, range_ns = samples.times_ns, query.range_ns
    values: list[float | None] = []
    low = high = 0
    for moment_ns in times_ns:
        end_ns = moment_ns - query.offset_ns
        low = bisect_right(stamps, end_ns - range_ns, low)
        high = bisect_right(stamps, end_ns, max(high, low))
        values.append(value(samples, low, high, end_ns) if high > low else None)
    return values


def _operation(query: RangeAggregation) -> Window:
    seconds = query.range_ns / 1e9
    op = query.op
    if op in ("count_over_time", "absent_over_time"):
        return lambda samples, low, high, end_ns: float(high - low)
    if op == "rate" and not query.unwrap:
        return lambda samples, low, high, end_ns: (high - low) / seconds
    if op in ("rate", "bytes_rate"):
        return lambda samples, low, high, end_ns: _sum(samples.values[low:high]) / seconds
    if op == "rate_counter":
        return lambda samples, low, high, end_ns: _rate_counter(
            samples.times_ns[low:high], samples.values[low:high], query.range_ns, end_ns
        )
    if op == "quantile_over_time":
        assert query.param is not None
        share = query.param
        return lambda samples, low, high, end_ns: quantile(share, samples.values[low:high])
    of_values = _OF_VALUES[op]
    return lambda samples, low, high, end_ns: of_values(samples.values[low:high])


def _sum(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def _average(values: Sequence[float]) -> float:
    mean = 0.0
    for count, value in enumerate(values, start=1):
        if math.isinf(mean):
            same = math.isinf(value) and (mean > 0) == (value > 0)
            if same or math.isfinite(value):
                continue
        mean += value / count - mean / count
    return mean


def extreme(values: Sequence[float], sign: int) -> float:
    """The largest (sign 1) or smallest (-1) value; NaN only if there is nothing else."""
    best = math.nan
    for value in values:
        if value * sign > best * sign or math.isnan(best):
            best = value
    return best


def variance(values: Sequence[float]) -> float:
    """Of the population, by Welford's method."""
    mean = total = 0.0
    for count, value in enumerate(values, start=1):
        delta = value - mean
        mean += delta / count
        total += delta * (value - mean)
    return total / len(values)


def quantile(share: float, values: Sequence[float]) -> float:
    """Interpolated between the two nearest values."""
    if share < 0 or share > 1:
        return -math.inf if share < 0 else math.inf
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = share * (len(ordered) - 1)
    lower = math.floor(rank)
    upper = min(len(ordered) - 1, lower + 1)
    weight = rank - lower
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


def _rate_counter(
    times_ns: Sequence[int], values: Sequence[float], range_ns: int, end_ns: int
) -> float:
    """Increase per second of a counter, extrapolated to the window's ends as Prometheus does."""
    if len(values) < 2:
        return 0.0
    increase = values[-1] - values[0]
    last = 0.0
    for value in values:
        if value < last:
            increase += last
        last = value
    to_start = (times_ns[0] - (end_ns - range_ns)) / 1e9
    to_end = (end_ns - times_ns[-1]) / 1e9
    sampled = (times_ns[-1] - times_ns[0]) / 1e9
    if not sampled:
        return math.nan if not increase else math.copysign(math.inf, increase)
    between = sampled / (len(values) - 1)
    near = between * 1.1
    to_start = between / 2 if to_start >= near else to_start
    if increase > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * (values[0] / increase))
    to_end = between / 2 if to_end >= near else to_end
    return increase * ((sampled + to_start + to_end) / sampled) / (range_ns / 1e9)


_OF_VALUES: dict[str, Callable[[Sequence[float]], float]] = {
    "bytes_over_time": _sum,
    "sum_over_time": _sum,
    "avg_over_time": _average,
    "max_over_time": lambda values: extreme(values, 1),
    "min_over_time": lambda values: extreme(values, -1),
    "stdvar_over_time": variance,
    "stddev_over_time": lambda values: math.sqrt(variance(values)),
    "first_over_time": lambda values: values[0],
    "last_over_time": lambda values: values[-1],
}
