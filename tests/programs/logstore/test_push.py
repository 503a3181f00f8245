"""What may arrive as a push, and what is said of what may not."""

import gzip
import zlib

import cramjam
import orjson
import pytest

from stack.programs.logstore.push import DECOMPRESSED_BYTES, Body, Pushed, Refused, decode
from stack.programs.lokiproto import PushRequest

JSON = "application/json"
GOOD = {"streams": [{"stream": {"a": "b"}, "values": [["1", "line"], ["2", "more"]]}]}
WANTED = [Pushed({"a": "b"}, [1, 2], ["line", "more"], False)]


def as_json(document: object) -> Body:
    return Body(orjson.dumps(document), JSON, "")


def as_protobuf(*lines: bytes) -> bytes:
    request = PushRequest()
    stream = request.streams.add(labels='{a="b"}')
    for count, _ in enumerate(lines):
        entry = stream.entries.add(line=f"<{count}>")
        entry.timestamp.seconds, entry.timestamp.nanos = 5, count
    data = request.SerializeToString()
    for count, line in enumerate(lines):
        assert len(line) == 3, "of the length of what it stands for"
        data = data.replace(f"<{count}>".encode(), line)
    return data


def snappy(data: bytes) -> Body:
    return Body(bytes(cramjam.snappy.compress_raw(data)), "application/x-protobuf", "")


@pytest.mark.parametrize(
    "body",
    [
        as_json(GOOD),
        Body(gzip.compress(orjson.dumps(GOOD)), JSON, "gzip"),
        Body(zlib.compress(orjson.dumps(GOOD)), JSON, "deflate"),
    ],
    ids=["plain", "gzip", "deflate"],
)
def test_push_reads_json(body):
    assert decode(body) == WANTED


def test_push_reads_protobuf():
    found = decode(snappy(as_protobuf(b"one", b"two")))
    assert found == [Pushed('{a="b"}', [5_000_000_000, 5_000_000_001], ["one", "two"], False)]


def test_push_replaces_what_is_not_utf8():
    assert decode(snappy(as_protobuf(b"a\xffb")))[0].lines == ["a\ufffdb"]
    raw = orjson.dumps(GOOD).replace(b"line", b"l\xffne")
    assert decode(Body(raw, JSON, ""))[0].lines == ["l\ufffdne", "more"]


def test_push_reports_structured_metadata():
    document = {"streams": [{"stream": {"a": "b"}, "values": [["1", "line", {"id": "x"}]]}]}
    assert decode(as_json(document))[0].metadata
    document["streams"][0]["values"][0][2] = {}
    assert not decode(as_json(document))[0].metadata


def values(*of: object) -> Body:
    return as_json({"streams": [{"stream": {"a": "b"}, "values": list(of)}]})


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (Body(b"{", JSON, ""), 400, "loghttp.PushRequest.Streams"),
        (Body(b"", JSON, ""), 400, "loghttp.PushRequest.Streams"),
        (as_json({"streams": {}}), 400, "expects ["),
        (as_json({"streams": [{"stream": {"a": "b"}}]}), 400, "KeyError: 'values'"),
        (as_json({"streams": [{"stream": {"a": 1}, "values": []}]}), 400, "must be strings"),
        (as_json({"streams": [7]}), 400, "TypeError"),
        (values([1, "number for a time"]), 400, "Number"),
        (values(["1", 7]), 400, "Number"),
        (values(["1"]), 400, "IndexError"),
        (values(["soon", "line"]), 400, "ValueError"),
        (values(["-1", "line"]), 400, "entry timestamp"),
        (values([str(2**63), "line"]), 400, "entry timestamp"),
        (Body(b"x", JSON, "br"), 400, 'Content-Encoding "br" not supported'),
        (Body(b"not gzip", JSON, "gzip"), 400, "gzip: "),
        (Body(gzip.compress(b"{}" * 99)[:-9], JSON, "gzip"), 400, "unexpected EOF"),
        (Body(gzip.compress(bytes(DECOMPRESSED_BYTES + 1)), JSON, "gzip"), 413, "too large"),
        (Body(b"\xff\xff\xff\xff\x0f" + bytes(9), "", ""), 413, "4294967295 bytes, limit"),
        (Body(b"", "", ""), 400, "snappy: corrupt input"),
        (Body(b"\xff" * 20, "", ""), 400, "snappy: corrupt input"),
        (Body(b"\x05hello", "text/plain", ""), 400, "snappy: corrupt input"),
        (snappy(b"\xff\xff"), 400, "proto: malformed"),
    ],
)  # fmt: skip
def test_push_refuses(body, status, words):
    with pytest.raises(Refused) as refused:
        decode(body)
    assert refused.value.status == status
    assert words in refused.value.message


def test_push_without_streams_is_read_and_refused_later():
    assert decode(as_json({})) == []
    assert decode(as_json({"streams": None})) == []
    assert decode(snappy(b"")) == []
