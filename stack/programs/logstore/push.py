"""What a client pushes: Loki's message, as JSON or as snappy-compressed protocol buffers."""

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cramjam
import orjson
from google.protobuf.message import DecodeError

from stack.logql.golang import with_replacements
from stack.programs.lokiproto import RawPushRequest

BODY_BYTES = 32 << 20
"""The most that is read of one request."""
DECOMPRESSED_BYTES = 64 << 20
"""The most that it may expand to."""

_JSON = "application/json"
_LATEST_NS = 2**63 - 1


class Refused(Exception):
    """A push that is refused: the status and the message that the client gets."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Pushed(NamedTuple):
    """Entries of one stream, as columns of the same length."""

    labels: "str | Mapping[str, str]"
    """A selector's text, or pairs."""
    timestamps_ns: Sequence[int]
    lines: Sequence[str]
    metadata: bool
    """Whether any entry has structured metadata."""


class Body(NamedTuple):
    data: bytes
    content_type: str
    """Without parameters."""
    encoding: str


def decode(body: Body) -> list[Pushed]:
    """The streams of a push. Raises Refused."""
    if body.content_type == _JSON:
        return _from_json(_unzipped(body))
    return _from_protobuf(_unsnapped(body.data))  # like Loki: whatever else it claims to be


def _unzipped(body: Body) -> bytes:
    if body.encoding not in ("", "identity", "gzip", "deflate"):
        raise Refused(400, f'Content-Encoding "{body.encoding}" not supported')
    if body.encoding in ("", "identity"):
        return body.data
    unzip = zlib.decompressobj(31 if body.encoding == "gzip" else zlib.MAX_WBITS)
    try:
        data = unzip.decompress(body.data, DECOMPRESSED_BYTES + 1)
    except zlib.error as error:
        raise Refused(400, f"{body.encoding}: {error}") from None
    if len(data) > DECOMPRESSED_BYTES:
        raise _too_large(len(data))
    if not unzip.eof:
        raise Refused(400, "unexpected EOF")
    return data


def _unsnapped(data: bytes) -> bytes:
    length = _declared_length(data)
    if length > DECOMPRESSED_BYTES:
        raise _too_large(length)
    try:
        return bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError:
        raise Refused(400, "snappy: corrupt input") from None


def _declared_length(data: bytes) -> int:
    """The size that a snappy block says it expands to, checked before it is expanded."""
    length = 0
    for count, byte in enumerate(data[:5]):
        length |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return length
    raise Refused(400, "snappy: corrupt input")


def _too_large(size: int) -> Refused:
    return Refused(413, f"request body too large: {size} bytes, limit: {DECOMPRESSED_BYTES} bytes")


def _from_protobuf(data: bytes) -> list[Pushed]:
    try:
        request = RawPushRequest.FromString(data)
    except DecodeError:
        raise Refused(400, "proto: malformed push request") from None
    return [_stream(stream) for stream in request.streams]


def _stream(stream: Any) -> Pushed:
    timestamps_ns, lines, metadata = [], [], False
    for entry in stream.entries:
        at = entry.timestamp
        timestamps_ns.append(at.seconds * 1_000_000_000 + at.nanos)
        lines.append(entry.line.decode(errors="replace"))
        metadata = metadata or len(entry.structuredMetadata) > 0
    if timestamps_ns and not 0 <= min(timestamps_ns) <= max(timestamps_ns) <= _LATEST_NS:
        raise Refused(400, "proto: a timestamp is before 1970 or after 2262")
    return Pushed(stream.labels.decode(errors="replace"), timestamps_ns, lines, metadata)


def _from_json(data: bytes) -> list[Pushed]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        document = _with_replacements(data, error)
    streams = document.get("streams") if isinstance(document, dict) else None
    if streams is not None and not isinstance(streams, list):
        raise Refused(400, "loghttp.PushRequest.Streams: expects [ or n")
    return [_from_json_stream(stream) for stream in streams or []]


def _with_replacements(data: bytes, error: orjson.JSONDecodeError) -> Any:
    """Read again with what is not text replaced (bytes that are not UTF-8, halves of surrogate
    pairs), which orjson refuses and Loki does not."""
    if data.isascii() and b"\\u" not in data:  # nothing of the kind: no need for a copy
        raise Refused(400, f"loghttp.PushRequest.Streams: {error}")
    text = data.decode(errors="replace")
    repaired = with_replacements(text)
    if "\ufffd" in text or repaired is not text:
        text = repaired
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as again:
            error = again
    raise Refused(400, f"loghttp.PushRequest.Streams: {error}")


def _timestamp(text: Any) -> int:
    """Of the size of 64 bits: a longer one is none, however Python reads it."""
    if not isinstance(text, str):
        return int(text)  # refused below, as Loki does, with the other numbers
    if not re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII):
        raise ValueError(f"a timestamp is not a string of nanoseconds: {str(text)[:50]!r}")
    return int(text)


def _from_json_stream(stream: Any) -> Pushed:
    try:
        labels, values = stream["stream"], stream["values"]
        if not all(isinstance(item, str) for pair in labels.items() for item in pair):
            raise Refused(400, "loghttp.PushRequest.Streams: label values must be strings")
        timestamps_ns = [_timestamp(value[0]) for value in values]
        lines = [value[1] for value in values]
        metadata = any(len(value) > 2 and value[2] for value in values)
    except (TypeError, KeyError, IndexError, AttributeError, ValueError, OverflowError) as error:
        raise Refused(
            400, f"loghttp.PushRequest.Streams: {type(error).__name__}: {error}"
        ) from None
    strings = all(isinstance(value[0], str) for value in values)
    if not strings or not all(isinstance(line, str) for line in lines):
        raise Refused(
            400, "loghttp.PushRequest.Streams: Value looks like Number/Boolean/None, but can't "
            "find its end: ',' or '}' symbol",
        )  # fmt: skip
    if timestamps_ns and not 0 <= min(timestamps_ns) <= max(timestamps_ns) <= _LATEST_NS:
        raise Refused(400, "loghttp.PushRequest.Streams: error reading entry timestamp")
    return Pushed(labels, timestamps_ns, lines, metadata)
