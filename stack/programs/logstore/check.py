"""One push checked against the limits, in Loki's words.

Messages: pkg/validation/validate.go and pkg/ingester/stream.go of Loki 3.7.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from stack.programs.logstore import TENANT
from stack.programs.logstore.memtable import size_of
from stack.programs.logstore.settings import Limits
from stack.programs.logstore.wal import Part


class Outcome(NamedTuple):
    """What a client gets for its push."""

    status: int
    message: str


class Counts(Protocol):
    """Counts what was received and what was refused."""

    def received(self, lines: int, size_bytes: int) -> None: ...

    def discarded(self, reason: str, lines: int, size_bytes: int) -> None: ...


class Check:
    """Checks one push and remembers what was wrong with it."""

    def __init__(self, limits: Limits, counts: Counts, now: float) -> None:
        self.now = now
        self._limits, self._counts = limits, counts
        self._oldest_ns = int((now - limits.oldest_s) * 1e9) if limits.reject_old else 0
        self._newest_ns = int((now + limits.newest_s) * 1e9)
        self._wrong: Counter[str] = Counter()
        self._too_fast = ""

    def outcome(self) -> Outcome:
        if self._too_fast:
            return Outcome(429, self._too_fast)
        if not self._wrong:
            return Outcome(204, "")
        several = len(self._wrong) > 1 or max(self._wrong.values()) > 1
        return Outcome(
            400,
            "; ".join(
                f"{count} errors like: {message}" if several else message
                for message, count in self._wrong.items()
            ),
        )

    def refuse(self, reason: str, lines: Iterable[str], message: str) -> None:
        lines = list(lines)
        self._counts.discarded(reason, len(lines), size_of(lines))
        if len(self._wrong) < 20 or message in self._wrong:  # a client reads no more
            self._wrong[message] += 1

    def labels(self, pairs: Sequence[tuple[str, str]], text: str) -> bool:
        limits, names = self._limits, [name for name, _ in pairs]
        reason = message = ""
        if not pairs:
            reason, message = (
                "missing_labels",
                "error at least one label pair is required per stream",
            )
        elif len(names) > limits.label_names:
            reason = "max_label_names_per_series"
            message = (
                f"entry for stream '{text}' has {len(names)} label names; "
                f"limit {limits.label_names}"
            )
        elif long := [name for name in names if len(name.encode()) > limits.label_name_bytes]:
            reason = "label_name_too_long"
            message = f"stream '{text}' has label name too long: '{long[0]}'"
        elif long := [v for _, v in pairs if len(v.encode()) > limits.label_value_bytes]:
            reason = "label_value_too_long"
            message = f"stream '{text}' has label value too long: '{long[0]}'"
        elif double := [name for name, count in Counter(names).items() if count > 1]:
            reason = "duplicate_label_names"
            message = f"stream '{text}' has duplicate label name: '{double[0]}'"
        if message:
            self.refuse(reason, (), message)
        return not message

    def all_in_time(self, timestamps_ns: Sequence[int]) -> bool:
        return self._oldest_ns <= min(timestamps_ns) and max(timestamps_ns) <= self._newest_ns

    def entries(self, part: Part) -> Part:
        """The entries that are in time and short enough, or truncated."""
        kept = []
        limit, name = self._limits.line_bytes, part.stream.text
        for at_ns, line in zip(part.timestamps_ns, part.lines, strict=True):
            size = len(line.encode())
            if at_ns < self._oldest_ns:
                message = (
                    f"entry for stream '{name}' has timestamp too old: {_time(at_ns)}, oldest "
                    f"acceptable timestamp is: {_time(self._oldest_ns)}"
                )
                self.refuse("greater_than_max_sample_age", [line], message)
            elif at_ns > self._newest_ns:
                message = f"entry for stream '{name}' has timestamp too new: {_time(at_ns)}"
                self.refuse("too_far_in_future", [line], message)
            elif limit and size > limit and not self._limits.truncate_lines:
                message = (
                    f"max entry size '{limit}' bytes exceeded for stream '{name}' while adding an "
                    f"entry with length '{size}' bytes"
                )
                self.refuse("line_too_long", [line], message)
            else:
                cut = size > limit > 0
                short = line.encode()[:limit].decode(errors="ignore") if cut else line
                kept.append((at_ns, short))
        return Part(part.stream, [at_ns for at_ns, _ in kept], [line for _, line in kept])

    def not_behind(self, part: Part) -> Part:
        """The entries that are not too far behind the newest of their stream."""
        window_ns = int(self._limits.behind_s * 1e9)
        highest = part.stream.highest_ns
        if min(part.timestamps_ns) >= max(highest, max(part.timestamps_ns)) - window_ns:
            return part
        kept, late = [], []
        for at_ns, line in zip(part.timestamps_ns, part.lines, strict=True):
            cutoff = highest - window_ns
            if highest >= 0 and at_ns < cutoff:
                late.append((at_ns, cutoff, line))
            else:
                highest = max(highest, at_ns)
                kept.append((at_ns, line))
        if late:
            listed = "".join(
                f"entry with timestamp {_go_time(at_ns)} ignored, reason: 'entry too far behind, "
                f"entry timestamp is: {_time(at_ns)}, oldest acceptable timestamp is: "
                f"{_time(cutoff)}',\n"
                for at_ns, cutoff, _ in late[:10]
            )
            message = (
                f"{listed}user '{TENANT}', total ignored: {len(late)} out of {len(part.lines)} "
                f"for stream: {part.stream.text}"
            )
            self.refuse("too_far_behind", [line for *_, line in late], message)
        return Part(part.stream, [at_ns for at_ns, _ in kept], [line for _, line in kept])

    def refuse_stream(self, part: Part, size: int) -> None:
        self._counts.discarded("stream_limit", len(part.lines), size)
        self._too_fast = (
            f"maximum active stream limit exceeded when trying to create stream "
            f"{part.stream.text}, reduce the number of active streams (reduce labels or reduce "
            "label values), or contact your Loki administrator to see if the limit can be "
            f"increased, user: '{TENANT}'"
        )

    def refuse_rate(self, part: Part, size: int) -> None:
        self._counts.discarded("per_stream_rate_limit", len(part.lines), size)
        self._too_fast = (
            f"Per stream rate limit exceeded (limit: {_size(self._limits.stream_rate_bytes)}/sec) "
            f"while attempting to ingest for stream '{part.stream.text}' totaling {_size(size)}, "
            "consider splitting a stream via additional labels or contact your Loki administrator "
            "to see if the limit can be increased"
        )


def _time(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _go_time(at_ns: int) -> str:
    seconds, rest_ns = divmod(at_ns, 1_000_000_000)
    fraction = f".{rest_ns:09}".rstrip("0").rstrip(".")
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{whole}{fraction} +0000 UTC"


def _size(size_bytes: float) -> str:
    return f"{size_bytes / (1 << 20):.0f}MB" if size_bytes >= 1 << 20 else f"{size_bytes:.0f}B"
