"""Results as Loki writes them in JSON (reference: "Loki HTTP API", 3.7)."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from stack.logql.golang import duration_text, printable
from stack.logql.results import Matrix, Result, Sample, Scalar, Series, Streams, Vector
from stack.programs.logstore.params import VolumeQuery
from stack.programs.logstore.settings import Limits


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a query read."""

    seconds: float
    lines: int
    size_bytes: int


def success(data: Any = None) -> bytes:
    """As Loki does, without `data` where there is none."""
    return encoded({"status": "success"} if data is None else {"status": "success", "data": data})


def encoded(document: Any) -> bytes:
    """As JSON; a byte that is not UTF-8, which templates can make, becomes U+FFFD, as in Go."""
    try:
        return orjson.dumps(document)
    except TypeError:  # a string with half a surrogate pair, which stands for such a byte
        return orjson.dumps(_printable(document))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(name): _printable(one) for name, one in value.items()}
    return [_printable(one) for one in value] if isinstance(value, list | tuple) else value


def result(found: Result, cost: Cost) -> bytes:
    kind, rows, count = _rows(found)
    return success({"resultType": kind, "result": rows, "stats": _stats(cost, count)})


def _rows(found: Result) -> tuple[str, Any, int]:
    """(type, rows, entries) of a result."""
    match found:
        case Streams():
            rows = [
                {"stream": dict(stream.labels),
                 "values": [(str(at_ns), line) for at_ns, line in stream.entries]}
                for stream in found.streams
            ]  # fmt: skip
            return "streams", rows, sum(len(stream.entries) for stream in found.streams)
        case Vector():
            samples = [
                {"metric": dict(sample.labels),
                 "value": (seconds(found.time_ns), number(sample.value))}
                for sample in found.samples
            ]  # fmt: skip
            return "vector", samples, len(samples)
        case Matrix():
            series = [
                {"metric": dict(one.labels),
                 "values": [(seconds(at_ns), number(value)) for at_ns, value in one.points]}
                for one in found.series
            ]  # fmt: skip
            return "matrix", series, len(series)
        case Scalar():
            return "scalar", (seconds(found.time_ns), number(found.value)), 1


def index_stats(totals: Collection[tuple[int, int]]) -> bytes:
    """`index/stats`, which has no envelope; each stream is one chunk."""
    return orjson.dumps(
        {
            "streams": len(totals),
            "chunks": len(totals),
            "bytes": sum(size for _, size in totals),
            "entries": sum(rows for rows, _ in totals),
        }
    )


def volume(
    sizes: Iterable[tuple[Mapping[str, str], int]], asked: VolumeQuery, named: Collection[str]
) -> bytes:
    """`index/volume`: bytes by series or label, largest first."""
    totals: Counter[tuple[tuple[str, str], ...]] = Counter()
    for labels, size in sizes:
        for group in _groups(labels, asked, named):
            totals[group] += size
    largest = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[: asked.limit]
    samples = tuple(
        Sample(labels=dict(group), value=float(size)) for group, size in largest if size
    )
    return result(
        Vector(time_ns=asked.end_ns, samples=samples), Cost(seconds=0, lines=0, size_bytes=0)
    )


def volume_range(found: Matrix, asked: VolumeQuery, named: Collection[str]) -> bytes:
    """`index/volume_range`: the same by step; a vector where nothing has two steps, as in Loki."""
    totals: dict[tuple[tuple[str, str], ...], Counter[int]] = {}
    for one in found.series:
        for group in _groups(one.labels, asked, named):
            counts = totals.setdefault(group, Counter())
            for at_ns, size in one.points:
                counts[at_ns] += int(size)
    series = [
        Series(labels=dict(group), points=tuple((at, float(n)) for at, n in sorted(counts.items())))
        for group, counts in totals.items()
    ]
    series.sort(key=lambda one: (-one.points[0][1], sorted(one.labels.items())))
    kept = tuple(series[: asked.limit])
    cost = Cost(seconds=0, lines=0, size_bytes=0)
    if all(len(one.points) == 1 for one in kept):
        samples = tuple(Sample(labels=one.labels, value=one.points[0][1]) for one in kept)
        return result(Vector(time_ns=asked.end_ns, samples=samples), cost)
    return result(Matrix(series=kept), cost)


def _groups(
    labels: Mapping[str, str], asked: VolumeQuery, named: Collection[str]
) -> list[tuple[tuple[str, str], ...]]:
    """The series, or the labels, that a stream's volume counts for."""
    kept = asked.targets or named
    pairs = [(name, value) for name, value in labels.items() if not kept or name in kept]
    return [((name, ""),) for name, _ in pairs] if asked.by_labels else [tuple(pairs)]


def buildinfo(version: str) -> bytes:
    return orjson.dumps(
        {
            "version": version, "revision": "", "branch": "embedded", "buildUser": "",
            "buildDate": "", "goVersion": "",
        }
    )  # fmt: skip


def drilldown_limits(limits: Limits, version: str) -> bytes:
    """What Grafana's Logs Drilldown asks first, with the limits that the store has."""
    named = {
        "max_entries_limit_per_query": limits.entries,
        "max_line_size": limits.line_bytes,
        "max_line_size_truncate": limits.truncate_lines,
        "max_query_length": duration_text(int(limits.query_length_s * 1e9)),
        "max_query_series": limits.series,
        "query_timeout": duration_text(int(limits.query_timeout_s * 1e9)),
        "retention_period": duration_text(int(limits.retention_s * 1e9)),
        "volume_enabled": True,
        "discover_log_levels": False,
        "discover_service_name": [],
        "allow_structured_metadata": False,
    }
    return orjson.dumps({"limits": named, "pattern_ingester_enabled": True, "version": version})


def seconds(at_ns: int) -> int | float:
    """Unix seconds, with milliseconds if there are any."""
    whole, rest = divmod(at_ns // 1_000_000, 1000)
    return whole + rest / 1000 if rest else whole


def number(value: float) -> str:
    """A float without an exponent, the shortest that reads back the same."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value):
        return str(int(value))
    return format(Decimal(repr(value)), "f")


_CACHES = (
    "chunk", "index", "result", "statsResult", "volumeResult", "seriesResult", "labelResult",
)  # fmt: skip


def _stats(cost: Cost, entries: int) -> dict[str, Any]:
    """The `stats` object; a single process has no queue, cache or index to wait for."""
    per_second = 1 / cost.seconds if cost.seconds else 0
    chunk = {
        "headChunkBytes": 0, "headChunkLines": 0, "decompressedBytes": cost.size_bytes,
        "decompressedLines": cost.lines, "compressedBytes": 0, "totalDuplicates": 0,
    }  # fmt: skip
    store = {"totalChunksRef": 0, "totalChunksDownloaded": 0, "chunksDownloadTime": 0,
             "chunk": chunk}  # fmt: skip
    cache = {
        "entriesFound": 0, "entriesRequested": 0, "entriesStored": 0, "bytesReceived": 0,
        "bytesSent": 0, "requests": 0, "downloadTime": 0,
    }  # fmt: skip
    return {
        "summary": {
            "bytesProcessedPerSecond": int(cost.size_bytes * per_second),
            "linesProcessedPerSecond": int(cost.lines * per_second),
            "totalBytesProcessed": cost.size_bytes,
            "totalLinesProcessed": cost.lines,
            "execTime": round(cost.seconds, 6),
            "queueTime": 0,
            "subqueries": 0,
            "totalEntriesReturned": entries,
            "splits": 0,
            "shards": 0,
        },
        "querier": {"store": store},
        "ingester": {
            "totalReached": 1, "totalChunksMatched": 0, "totalBatches": 0, "totalLinesSent": 0,
            "store": store,
        },
        "cache": dict.fromkeys(_CACHES, cache),
        "index": {"totalChunks": 0, "postFilterChunks": 0, "shardsDuration": 0},
    }  # fmt: skip
