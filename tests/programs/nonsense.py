"""Requests that make no sense, for any program that speaks HTTP, and how one is sent as it is."""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Nonsense:
    method: str
    target: str
    """Path and query, as they stand in the request."""
    headers: tuple[tuple[str, bytes], ...]
    body: bytes


_texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "\0", "\ud800", "..", "%", "9" * 5000, "-1", "1e999", "NaN", "🙂", "'"]),
)
_escaped = st.one_of(
    st.binary(max_size=8).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12),
    st.sampled_from(
        ["%", "%zz", "%u0041", "..", "%2e%2e%2f", "%00", "9" * 400, "9" * 5000, "-1", "2" * 19]
    ),
)
_documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)
    ),
    max_leaves=6,
)
_bodies = st.one_of(
    st.binary(max_size=60),
    _documents.map(lambda one: json.dumps(one).encode()),
    st.sampled_from([b"[" * 50_000, b'{"a":' * 5000, b"{", b'{"a": "\\ud800"}', b"\xff\xfe{\0}\0"]),
)
_headers = st.dictionaries(
    st.sampled_from(["Accept", "Accept-Encoding", "Authorization", "Content-Type", "If-None-Match",
                     "Origin", "Range", "X-Forwarded-For", "Cookie", "Content-Encoding"]),
    st.one_of(
        st.binary(max_size=12).map(lambda raw: raw.translate(None, b"\r\n\0")),
        st.sampled_from([b"application/json", b"application/x-www-form-urlencoded", b"Basic =",
                         b"Bearer .", b"gzip", b"bytes=0-,-1", b"text/plain; charset=x"]),
    ),
    max_size=3,
)  # fmt: skip

_METHODS = (*["GET"] * 8, *["POST"] * 5, "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "X")


def requests(paths: Sequence[str], names: Sequence[str]) -> st.SearchStrategy[Nonsense]:
    """Of those paths, where `*` stands for anything, and parameters of those names."""
    values = st.one_of(_escaped, st.integers(-(2**70), 2**70).map(str))
    queries = st.lists(st.tuples(st.one_of(st.sampled_from(names), _escaped), values), max_size=3)
    targets = st.builds(
        lambda path, more, query: (
            path.replace("*", more) + ("?" if query else "")
            + "&".join(f"{name}={value}" for name, value in query)
        ),
        st.one_of(st.sampled_from(paths), _escaped.map(lambda text: f"/{text}")), _escaped, queries,
    )  # fmt: skip
    return st.builds(
        Nonsense,
        method=st.sampled_from(
            [*["GET"] * 8, *["POST"] * 5, "PUT", "PATCH", "DELETE", "HEAD", "X"]
        ),
        target=targets.map(lambda text: text.replace(" ", "")),
        headers=_headers.map(lambda found: tuple(found.items())),
        body=_bodies,
    )


def status(port: int, sent: Nonsense, admin: str = "") -> int:
    """The status of the answer; `admin` is a header that lets in, where nonsense has none."""
    head = [f"{sent.method} {sent.target} HTTP/1.1".encode("latin-1", "replace"),
            f"Host: 127.0.0.1:{port}".encode(), b"Connection: close",
            b"Content-Length: %d" % len(sent.body),
            *(name.encode() + b": " + value for name, value in sent.headers)]  # fmt: skip
    if admin and not any(name == "Authorization" for name, _ in sent.headers):
        head.append(f"Authorization: {admin}".encode())
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n" + sent.body)
        answer = b""
        while b" " not in answer or len(answer) < 12:
            if not (more := connection.recv(4096)):
                break
            answer += more
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])
