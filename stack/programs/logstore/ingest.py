"""From pushes to the store, within the limits.

As in Loki, what is good in a push is kept even if the rest is refused.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stack.programs.logstore import TENANT
from stack.programs.logstore.check import Check, Counts, Outcome
from stack.programs.logstore.memtable import size_of
from stack.programs.logstore.push import Pushed
from stack.programs.logstore.settings import Limits
from stack.programs.logstore.snapshot import StoreFull
from stack.programs.logstore.store import LogStore
from stack.programs.logstore.streams import NAME, BadLabels, Known, known, parse
from stack.programs.logstore.wal import Part


class Bucket:
    """A token bucket of bytes."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._then = burst, now

    def take(self, size: float, now: float) -> bool:
        self._left = min(self._left + (now - self._then) * self._rate, self._burst)
        self._then = now
        if size > self._left:
            return False
        self._left -= size
        return True


@dataclass(frozen=True, kw_only=True)
class Push:
    """One push. `own`: it is the shipper's, which nobody else's may keep out."""

    streams: Sequence[Pushed]
    own: bool = False


_KEPT = 10
"""One in so many streams is kept for the shipper's, where it makes itself known."""


class Ingest:
    """Accepts pushes; for one thread at a time."""

    def __init__(
        self,
        store: LogStore,
        limits: Limits,
        counts: Counts,
        *,
        keeps_room: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._limits, self._counts, self._clock = store, limits, counts, clock
        self._others = limits.streams - (limits.streams // _KEPT if keeps_room else 0)
        """Streams that may be there when a push that is not the shipper's adds one."""
        self._buckets = {
            own: Bucket(limits.rate_bytes, limits.burst_bytes, clock()) for own in (True, False)
        }
        self._stream_buckets: dict[int, Bucket] = {}
        self._by_text: dict[str, Known] = {}

    def take(self, pushes: Sequence[Push]) -> tuple[list[Outcome], list[Part]]:
        """Keep what is good in several pushes with one commit; returns what each client gets, and
        the entries that are new."""
        checked = [self._checked(push) for push in pushes]
        try:
            kept = self._store.commit([part for _, parts in checked for part in parts])
        except StoreFull as error:
            refused = Outcome(500, f"the store cannot keep entries now: {error}")
            return [refused for _ in checked], []
        return [outcome for outcome, _ in checked], kept

    def _checked(self, push: Push) -> tuple[Outcome, list[Part]]:
        if not push.streams:
            return Outcome(422, "error at least one valid stream is required for ingestion"), []
        check = Check(self._limits, self._counts, self._clock())
        try:
            # First of all, like Loki: labels that cannot be read refuse the whole push.
            streams = [self._stream(pushed.labels, check) for pushed in push.streams]
        except BadLabels as error:
            return Outcome(400, str(error)), []
        parts = [
            part
            for stream, pushed in zip(streams, push.streams, strict=True)
            if stream and (part := self._part(stream, pushed, check)) and part.lines
        ]
        return self._within_rate(parts, check, own=push.own)

    def _within_rate(
        self, parts: list[Part], check: Check, *, own: bool
    ) -> tuple[Outcome, list[Part]]:
        """In Loki's order: the total rate, the number of streams, the rate of each, their order."""
        sizes = [size_of(part.lines) for part in parts]
        lines, size = sum(len(part.lines) for part in parts), sum(sizes)
        if not self._buckets[own].take(size, check.now):
            self._counts.discarded("rate_limited", lines, size)
            message = (
                f"ingestion rate limit exceeded for user {TENANT} (limit: "
                f"{self._limits.rate_bytes:.0f} bytes/sec) while attempting to ingest '{lines}' "
                f"lines totaling '{size}' bytes, reduce log volume or contact your Loki "
                "administrator to see if the limit can be increased"
            )
            return Outcome(429, message), []
        self._counts.received(lines, size)
        kept = []
        new: set[int] = set()
        for part, part_bytes in zip(parts, sizes, strict=True):
            if not self._room_for(part.stream, new, own=own):
                check.refuse_stream(part, part_bytes)
            elif not self._stream_bucket(part.stream, check.now).take(part_bytes, check.now):
                check.refuse_rate(part, part_bytes)
            elif (ordered := check.not_behind(part)).lines:
                kept.append(ordered)
        return check.outcome(), kept

    def _room_for(self, stream: Known, new: set[int], *, own: bool) -> bool:
        if self._store.streams.get(stream) or stream.ident in new:
            return True
        limit = self._limits.streams if own else self._others
        if limit and len(self._store.streams) + len(new) >= limit:
            return False
        new.add(stream.ident)
        return True

    def _stream_bucket(self, stream: Known, now: float) -> Bucket:
        if stream.ident not in self._stream_buckets:
            self._stream_buckets[stream.ident] = Bucket(
                self._limits.stream_rate_bytes, self._limits.stream_burst_bytes, now
            )
        return self._stream_buckets[stream.ident]

    def _stream(self, labels: str | Mapping[str, str], check: Check) -> Known | None:
        """The stream with these labels; None if the limits refuse it. Raises BadLabels."""
        if isinstance(labels, str):
            if found := self._by_text.get(labels):
                return self._store.streams.get(found) or found
            pairs = parse(labels)
        else:
            pairs = list(labels.items())
            if bad := next((name for name, _ in pairs if not NAME.match(name)), None):
                raise BadLabels(f"couldn't parse labels: `{bad}` is not a valid label name")
        stream = known(dict(pairs))
        stream = self._store.streams.get(stream) or stream
        if not check.labels(pairs, stream.text):
            return None
        if isinstance(labels, str) and len(self._by_text) < 10_000:
            self._by_text[labels] = stream
        return stream

    def _part(self, stream: Known, pushed: Pushed, check: Check) -> Part:
        """The entries that pass the limits on each of them."""
        timestamps_ns, lines = pushed.timestamps_ns, pushed.lines
        if not lines:
            return Part(stream, [], [])
        if pushed.metadata:
            check.refuse("disallowed_structured_metadata", lines, _NO_METADATA.format(stream.text))
            return Part(stream, [], [])
        longest = max(map(len, lines)) * 4  # bytes of UTF-8 at most
        if check.all_in_time(timestamps_ns) and longest <= (self._limits.line_bytes or longest):
            return Part(stream, timestamps_ns, lines)
        return check.entries(Part(stream, timestamps_ns, lines))


_NO_METADATA = (
    "stream '{}' includes structured metadata, but this feature is disallowed. Please see "
    "`limits_config.allow_structured_metadata` or contact your Loki administrator to enable it"
)
