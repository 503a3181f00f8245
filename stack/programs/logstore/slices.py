"""A span of time cut into slices that hold about as many rows as requested, nearest first.

Nothing is counted: rows are assumed to be spread evenly over the time of the unit that holds them.
"""

from collections.abc import Generator, Sequence
from typing import NamedTuple


class Extent(NamedTuple):
    """A unit of storage: its oldest and newest timestamps and its rows."""

    oldest_ns: int
    newest_ns: int
    rows: int

    def rows_in(self, start_ns: int, end_ns: int) -> float:
        """Rows with start_ns <= timestamp < end_ns, estimated."""
        shared = min(end_ns, self.newest_ns + 1) - max(start_ns, self.oldest_ns)
        return self.rows * max(shared, 0) / (self.newest_ns + 1 - self.oldest_ns)


def slices(
    extents: Sequence[Extent], start_ns: int, end_ns: int, *, backward: bool
) -> Generator[tuple[int, int], int, None]:
    """Yields spans (start, end) that cover [start_ns, end_ns) wherever there are entries.

    Send the rows wanted of the next span; the first `next` counts as 0 and yields an empty span.
    """
    if extents:
        start_ns = max(start_ns, min(extent.oldest_ns for extent in extents))
        end_ns = min(end_ns, max(extent.newest_ns for extent in extents) + 1)
    else:
        end_ns = start_ns
    wanted = yield (start_ns, start_ns)
    while start_ns < end_ns:
        cut = _cut(extents, start_ns, end_ns, wanted, backward)
        if backward:
            span, end_ns = (cut, end_ns), cut
        else:
            span, start_ns = (start_ns, cut), cut
        wanted = yield span


def _cut(extents: Sequence[Extent], start_ns: int, end_ns: int, wanted: int, backward: bool) -> int:
    """The point with about `wanted` rows between the near end and it, by bisection."""

    def rows_to(cut: int) -> float:
        span = (cut, end_ns) if backward else (start_ns, cut)
        return sum(extent.rows_in(*span) for extent in extents)

    far = start_ns if backward else end_ns
    if rows_to(far) <= wanted * 1.5:
        return far
    near = end_ns if backward else start_ns
    while abs(far - near) > 1:
        middle = (near + far) // 2
        if rows_to(middle) < wanted:
            near = middle
        else:
            far = middle
    return far
