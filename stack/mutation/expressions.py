"""What can be changed in an expression of PromQL or LogQL, one thing at a time.

By its text: all but the change stays as it was written. What makes no valid expression is noticed
by whoever reads it, which is no more than fair.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from stack.durations import milliseconds, text_of
from stack.errors import BadInput
from stack.speed import tokens
from stack.speed.tokens import Role


@dataclass(frozen=True, kw_only=True)
class Change:
    """A part of a text, and what it becomes."""

    start: int
    end: int
    new: str
    kind: str
    what: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


COMPARISONS = {
    ">": (">=", "<"),
    ">=": (">", "<="),
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    "==": ("!=",),
    "!=": ("==",),
}
_EVALUATION_MS = 15_000
MATCHES = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_LINES = {"|=": "!=", "!=": "|=", "|~": "!~", "!~": "|~"}
_WORDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "function": {
        "rate": ("increase",),
        "increase": ("rate",),
        "irate": ("rate",),
        "delta": ("increase",),
        "max_over_time": ("min_over_time",),
        "min_over_time": ("max_over_time",),
        "avg_over_time": ("max_over_time",),
        "sum_over_time": ("count_over_time",),
        "count_over_time": ("rate",),
        "absent": ("present_over_time",),
    },
    "aggregation": {
        "sum": ("max",),
        "max": ("min",),
        "min": ("max",),
        "avg": ("max",),
        "count": ("sum",),
    },
    "set operator": {
        "and": ("or", "unless"),
        "or": ("and", "unless"),
        "unless": ("and", "or"),
    },
    "grouping": {"by": ("without",), "without": ("by",)},
    "matching": {"on": ("ignoring",), "ignoring": ("on",)},
}
_LISTS = {"by": "grouping", "without": "grouping", "on": "matching", "ignoring": "matching",
          "group_left": "matching", "group_right": "matching"}  # fmt: skip
_KEYWORDS = {*_LISTS, "bool", "offset", "inf", "nan", "start", "end", "group", "stddev", "stdvar",
             "topk", "bottomk", "quantile", "count_values", "limitk", "limit_ratio",
             *(word for words in _WORDS.values() for word in words)}  # fmt: skip

_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
      | (?P<number>(?:[0-9]+(?:ms|[ywdhms]))+|[0-9.]+(?:[eE][+-]?[0-9]+)?)
      | (?P<word>[A-Za-z_:][A-Za-z0-9_:]*)
      | (?P<mark>=~|!~|==|!=|>=|<=|\|=|\|~|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class _Token:
    kind: str
    text: str
    start: int
    depth: int
    """How many braces it is in."""
    bracket: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def changes(expression: str, *, logs: bool = False) -> Iterator[Change]:
    """Every change, in no particular order. `logs`: it is LogQL."""
    found = list(_tokens(expression))
    yield from _comparisons(found, logs=logs)
    yield from _numbers(expression)
    yield from _words(found)
    yield from _lists(expression, found)
    yield from _selectors(expression, found)
    if logs:
        yield from _lines(found)
    else:
        yield from _metrics(found)


def _tokens(expression: str) -> Iterator[_Token]:
    depth, bracket = 0, False
    for match in _TOKEN.finditer(expression):
        text = match.group()
        if match.lastgroup == "blank":
            continue
        depth -= text == "}"
        bracket = bracket and text != "]"
        yield _Token(kind=str(match.lastgroup), text=text, start=match.start(), depth=depth,
                     bracket=bracket)  # fmt: skip
        depth += text == "{"
        bracket = bracket or text == "["


def _comparisons(found: Sequence[_Token], *, logs: bool) -> Iterator[Change]:
    for one, after in pairwise(found):
        if one.kind == "mark" and not one.depth and not (logs and after.kind == "string"):
            for new in COMPARISONS.get(one.text, ()):
                yield Change(start=one.start, end=one.end, new=new, kind="comparison",
                             what=f"with `{one.text}` turned into `{new}`")  # fmt: skip


def _numbers(expression: str) -> Iterator[Change]:
    for one in tokens.scan(expression):
        end = one.start + len(one.text)
        if one.role in (Role.RANGE, Role.OFFSET, Role.STEP):
            for new, how in _durations(one.text):
                kind = "range" if one.role is Role.RANGE else one.role.value
                yield Change(start=one.start, end=end, new=new, kind=kind,
                             what=f"with `{one.text}` made {how}, `{new}`")  # fmt: skip
        elif one.role is Role.NUMBER:
            before = re.search(r"(==|!=|[<>]=?)\s*(?:bool\s*)?$", expression[: one.start])
            follows = re.match(r"\s*(==|!=|[<>]=?)", expression[end:])
            part = re.search(r"[-+*/%^]\s*$", expression[: one.start])
            limit = bool(before or (follows and not part))
            sign = f"{before[1]} " if before else ""
            for new, how in numbers(one.text, far=limit):
                yield Change(
                    start=one.start, end=end, new=new, kind="threshold" if limit else "number",
                    what=f"with `{sign}{one.text}` {how} to `{sign}{new}`",
                )  # fmt: skip


def numbers(written: str, *, far: bool) -> Iterator[tuple[str, str]]:
    """Others in its place, and how they differ: by one in the last digit that is written and, when
    `far`, by an order of magnitude."""
    try:
        value = Decimal(written)
    except InvalidOperation:
        return
    step = Decimal(1).scaleb(int(value.as_tuple().exponent)) if value.is_finite() else Decimal(1)
    yield f"{value + step}", "raised"
    if value - step >= 0:
        yield f"{value - step}", "lowered"
    if far and value > 1 * step:
        yield f"{(value * 10).normalize():f}", "raised"
        yield f"{(value / 10).normalize():f}", "lowered"


def _durations(written: str) -> Iterator[tuple[str, str]]:
    try:
        length = milliseconds(written)
    except BadInput:
        return
    if length:
        yield text_of(length * 2), "longer"
        yield text_of(length // 2), "shorter"


def durations(written: str) -> Iterator[tuple[str, str]]:
    """Others in the place of a duration of a rule or a route: a fifth, or the time between two
    evaluations if that is more, and a lot."""
    try:
        length = milliseconds(written)
    except BadInput:
        return
    if not length:
        yield "1m", "raised"
        return
    step = max(length // 5, _EVALUATION_MS)
    found = {length + step: "raised", length - step: "lowered", length * 10: "raised",
             length // 10: "lowered"}  # fmt: skip
    yield from ((text_of(new), how) for new, how in found.items() if new > 0)


def _words(found: Sequence[_Token]) -> Iterator[Change]:
    for at, one in enumerate(found):
        if one.kind != "word" or one.depth:
            continue
        follows = found[at + 1].text if at + 1 < len(found) else ""
        for kind, words in _WORDS.items():
            if kind == "function" and follows != "(":
                continue
            for new in words.get(one.text, ()):
                yield Change(start=one.start, end=one.end, new=new, kind=kind,
                             what=f"with `{one.text}` turned into `{new}`")  # fmt: skip


def _lists(expression: str, found: Sequence[_Token]) -> Iterator[Change]:
    """Labels left out of `by (…)` and its like."""
    for at, one in enumerate(found):
        if one.kind != "word" or one.depth or one.text not in _LISTS:
            continue
        names = []
        for each in found[at + 2 :]:
            if each.text == ")":
                break
            names += [each] if each.kind == "word" else []
        if not names or found[at + 1].text != "(":
            continue
        for name in names:
            left = ", ".join(each.text for each in names if each is not name)
            start, end = found[at + 1].end, names[-1].end
            yield Change(start=start, end=end, new=left, kind=_LISTS[one.text],
                         what=f"without `{name.text}` in `{one.text} (…)`")  # fmt: skip


def _selectors(expression: str, found: Sequence[_Token]) -> Iterator[Change]:
    for at, one in enumerate(found):
        if one.text != "{" or one.kind != "mark":
            continue
        inner = found[at + 1 : next((n for n in range(at, len(found)) if found[n].text == "}"), at)]
        parts = [inner[n : n + 3] for n in range(0, len(inner), 4)]
        parts = [part for part in parts if len(part) == 3 and part[1].text in MATCHES]
        named = at > 0 and found[at - 1].kind == "word"
        for part in parts:
            start, end = part[0].start, part[2].end
            written = expression[start:end]
            for new, what in matchers(written):
                yield Change(start=start, end=end, new=new, kind="matcher", what=what)
            others = [expression[o[0].start : o[2].end] for o in parts if o is not part]
            if others or named:
                yield Change(start=inner[0].start, end=inner[-1].end, new=", ".join(others),
                             kind="matcher", what=f"without `{written}`")  # fmt: skip


_MATCHER = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)


def matchers(written: str) -> Iterator[tuple[str, str]]:
    """Other matchers in the place of one, and what they do otherwise, in words."""
    match = _MATCHER.fullmatch(written)
    if not match:
        return
    name, operator, value = match.groups()
    turned = f"{name}{MATCHES[operator]}{value}"
    yield turned, f"with `{written}` turned into `{turned}`"
    yield from _with_values(written, f"{name}{operator}", value, regex="~" in operator)


def _with_values(
    written: str, before: str, quoted: str, *, regex: bool
) -> Iterator[tuple[str, str]]:
    quote = quoted[:1] if quoted[:1] in "\"'`" and len(quoted) > 1 else ""
    value = quoted[1:-1] if quote else quoted
    if value:
        new = f"{before}{quote}{value}x{quote}"
        yield new, f"with `{written}` turned into `{new}`"
    for left in alternatives(value) if regex else ():
        new = f"{before}{quote}{left}{quote}"
        yield new, f"with `{written}` cut down to `{new}`"


def alternatives(pattern: str) -> Iterator[str]:
    """A regular expression without one of the words between which it lets choose."""
    for match in re.finditer(r"(?:^|(?<=\())[^()\\]*\|[^()\\]*(?:$|(?=\)))", pattern):
        words = match.group().split("|")
        for at in range(len(words)):
            left = "|".join(words[:at] + words[at + 1 :])
            yield pattern[: match.start()] + left + pattern[match.end() :]


def _lines(found: Sequence[_Token]) -> Iterator[Change]:
    """Filters of lines."""
    for one, after in pairwise(found):
        if one.depth or after.kind != "string" or one.text not in _LINES:
            continue
        new = _LINES[one.text]
        yield Change(start=one.start, end=one.end, new=new, kind="line filter",
                     what=f"with `{one.text}` turned into `{new}`")  # fmt: skip
        yield Change(start=one.start, end=after.end, new="", kind="line filter",
                     what=f"without `{one.text} {after.text}`")  # fmt: skip
        written = f"{one.text} {after.text}"
        for other, what in _with_values(written, f"{one.text} ", after.text,
                                        regex="~" in one.text):  # fmt: skip
            yield Change(start=one.start, end=after.end, new=other, kind="line filter", what=what)


def _metrics(found: Sequence[_Token]) -> Iterator[Change]:
    listed: set[int] = set()
    for at, one in enumerate(found):
        if one.kind == "word" and one.text in _LISTS and not one.depth:
            end = next((n for n in range(at, len(found)) if found[n].text == ")"), at)
            listed |= set(range(at, end))
    for at, one in enumerate(found):
        if one.kind != "word" or one.depth or one.bracket or at in listed:
            continue
        follows = found[at + 1].text if at + 1 < len(found) else ""
        if follows != "(" and one.text.lower() not in _KEYWORDS:
            new = f"{one.text}_x"
            yield Change(start=one.start, end=one.end, new=new, kind="metric",
                         what=f"with `{one.text}` renamed to `{new}`")  # fmt: skip
