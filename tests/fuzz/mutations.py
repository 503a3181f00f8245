"""Makes bad inputs of good ones: by bytes, by tokens, and by the structure of JSON.

All that is random comes from the generator that is passed in, so the same number of an input is
the same input.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any

LONGEST = 100_000
"""Bytes of an input. What is larger is refused by each reader's own limit, which tests beside it
know."""

_TOKEN = re.compile(rb"[A-Za-z_]\w*|\d+(?:\.\d+)?|\s+|.", re.S)
_NUMBER = re.compile(rb"\d+(?:\.\d+)?")
_STRING = re.compile(rb'"([^"\\\n]*)"')

NUMBERS = (
    b"0", b"-1", b"1e999", b"-1e999", b"1e-999", b"0x7f", b"1_0", b"NaN", b"Infinity", b"-0",
    b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"2147483648",
    b"99999999999999999999", b"0.1", b"1.", b".5", b"9" * 400, b"9" * 5000, "٣".encode(),
    b"300y", b"1e9", b"4294967296", b"true",
)  # fmt: skip
WORDS = (
    b"\x00", b"\n", b"\r\n", b"\r", b"\t", b" ", b'"', b"'", b"`", b"\\", b"\\x00", b"\\u0000",
    b"\\ud800", b"\\udc00\\ud800", b"\\ud83d\\ude00", "\ud800".encode("utf-8", "surrogatepass"),
    b"\xff", b"\xc3", b"\xf0\x9f", "\ufeff".encode(), "\u202e".encode(), "ß".encode(), "İ".encode(),
    "😀".encode(), "\u2028".encode(), "\x85".encode(), b"\x1b[31m", b"{{", b"}}", b"%s", b"%!d(",
    b"../", b"/", b"<", b">", b"&", b"&#x110000;", b"&#0;", b"<!--", b"]]>", b"null", b"true",
    b"[]", b"{}", b",", b":", b"=", b"|", b"*", b"(?", b")", b"[", b"]", b"{", b"}", b"$", b"#",
    b"a" * 300, b"-", b"!", b"~", b"@", b"=?utf-8?b?//8=?=", b"=?x?q?=ff?=",
)  # fmt: skip
_BRACKETS = (
    (b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b'{"a":', b"}"), (b"{{", b"}}"), (b"<b>", b"</b>"),
    (b"[[", b"]]"), (b'["', b'"]'), (b"- ", b""), (b"-", b""), (b"<", b">"), (b"!", b""),
)  # fmt: skip
_DEPTHS = (2, 3, 20, 99, 101, 300, 490, 960, 1010, 3000, 20_000)

_MARK = "\ue123"
"""Stands in a document where other text goes once it is written."""

_RAW = (
    *(number.decode() for number in NUMBERS),
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '""', '"a\\nb"', "null", "true", "false", "[]",
    "{}", '[""]', '{"": ""}', '"' + "x" * 70_000 + '"', "[" * 100 + "]" * 100,
    "[" * 900 + "]" * 900, "[" * 970 + "]" * 970, "[" * 5000 + "]" * 5000,
    '{"a":' * 900 + "1" + "}" * 900, '{"a":' * 5000, "[" * 20_000, "[null]", "[[]]", "[0, 1]",
    '"{{"', '"2024-02-30T25:61:61Z"', '"-"', "tru", '"\\q"', '"http://[::"', '"http://a:b/"',
    '"\u0661"', '"\\u0130"', '"<|a>"', '{"__proto__": 1}', "1.5", "-5", "1e308",
)  # fmt: skip


def mutated(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Something near `data`. `words` belong to its language; `others` are more good inputs."""
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5, 9))):
        change = random.choice(_CHANGES)
        data = change(data, random, words, others)[:LONGEST]
    return data


Change = Callable[[bytes, Random, Sequence[bytes], Sequence[bytes]], bytes]


def _byte(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes((random.randrange(256),)) + data[at + 1 :]


def _bit(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << random.randrange(8)),)) + data[at + 1 :]


def _cut(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    begin, end = _span(data, random)
    return data[:begin] + data[end:]


def _truncated(
    data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]
) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _word(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """A word put in, or in place of something."""
    word = random.choice(words) if words and random.random() < 0.7 else random.choice(WORDS)
    begin, end = _span(data, random)
    return data[:begin] + word + data[end if random.random() < 0.3 else begin :]


def _unicode(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    top = random.choice((0x80, 0x800, 0x10000, 0x110000))
    text = "".join(chr(random.randrange(top)) for _ in range(random.randrange(1, 8)))
    return data[:at] + text.encode("utf-8", "surrogatepass") + data[at:]


def _repeated(
    data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]
) -> bytes:
    begin, end = _span(data, random)
    times = (
        random.choice((2, 2, 3, 5, 50)) if random.random() < 0.95 else random.choice((500, 5000))
    )
    return data[:begin] + data[begin:end] * times + data[end:]


def _spliced(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    other = random.choice(others)
    begin, end = _span(other, random)
    at = random.randrange(len(data) + 1)
    return data[:at] + other[begin:end] + data[at:]


def _nested(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    opening, closing = random.choice(_BRACKETS)
    begin, end = _span(data, random)
    depth = random.choice(_DEPTHS) if random.random() < 0.2 else 2
    closed = closing * depth if random.random() < 0.8 else b""
    return data[:begin] + opening * depth + data[begin:end] + closed + data[end:]


def _tokens(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """One token doubled, gone, or in another's place."""
    at = random.randrange(max(len(data) - 200, 0) + 1)  # of a part: all of a long one takes long
    tokens = _TOKEN.findall(data[at : at + 400])
    if not tokens:
        return data
    here, there = random.randrange(len(tokens)), random.randrange(len(tokens))
    match random.randrange(3):
        case 0:
            tokens[here], tokens[there] = tokens[there], tokens[here]
        case 1:
            del tokens[here]
        case _:
            tokens.insert(there, tokens[here])
    return data[:at] + b"".join(tokens) + data[at + 400 :]


def _number(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    return _replaced(data, random, _NUMBER, random.choice(NUMBERS))


def _string(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    return _replaced(data, random, _STRING, b'"' + random.choice(WORDS) + b'"')


def _replaced(data: bytes, random: Random, pattern: re.Pattern[bytes], new: bytes) -> bytes:
    found = pattern.search(data, random.randrange(len(data) + 1))
    return data[: found.start()] + new + data[found.end() :] if found else data


def _line(data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """A whole line again somewhere else, or gone."""
    lines = data.split(b"\n")
    if random.random() < 0.5:
        lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
    else:
        del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def _structure(
    data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]
) -> bytes:
    """Of a JSON document: one value in place of another, twice, away, or a key written twice."""
    document = _document(data) if len(data) < 20_000 else None
    if document is None:
        return _tokens(data, random, words, others)
    content, paths = document
    path = random.choice(paths)
    node = _at(content, path)
    match random.randrange(6):
        case 0 if isinstance(node, dict) and node:
            text = json.dumps(node)
            raw = f"{text[:-1]}, {text[1:]}"
        case 1 if isinstance(node, list):
            raw = json.dumps(node * random.choice((0, 2, 3, 60)))
        case 2:
            raw = json.dumps(_at(content, random.choice(paths)))
        case 3 if isinstance(node, dict) and node:
            gone = random.choice(list(node))
            raw = json.dumps({key: value for key, value in node.items() if key != gone})
        case 4 if isinstance(node, str):
            word = random.choice(words or WORDS).decode(errors="replace")
            at = random.randrange(len(node) + 1)
            raw = json.dumps(node[:at] + word + node[at:])
        case _:
            raw = random.choice(_RAW)
    return json.dumps(_with(content, path, _MARK)).replace(json.dumps(_MARK), raw).encode()


@lru_cache(maxsize=512)
def _document(data: bytes) -> tuple[Any, list[tuple[Any, ...]]] | None:
    try:
        content = json.loads(data)
        json.dumps(content)
        paths = list(_paths(content, ()))
    except (ValueError, RecursionError):
        return None
    return content, paths


def _paths(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _paths(value, (*path, key))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _paths(value, (*path, place))


def _at(node: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        node = node[part]
    return node


def _with(node: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = dict(node) if isinstance(node, dict) else list(node)
    copied[path[0]] = _with(node[path[0]], path[1:], new)
    return copied


def _span(data: bytes, random: Random) -> tuple[int, int]:
    """Mostly a short one."""
    begin = random.randrange(len(data) + 1)
    length = random.randrange(1, 9) if random.random() < 0.7 else random.randrange(len(data) + 1)
    return begin, min(begin + length, len(data))


_CHANGES: tuple[Change, ...] = (
    _byte, _bit, _cut, _truncated, _word, _word, _word, _unicode, _repeated, _spliced, _nested,
    _tokens, _tokens, _number, _string, _line, _structure, _structure, _structure, _structure,
)  # fmt: skip
