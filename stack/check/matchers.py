"""Alertmanager's matchers, in every form that 0.28 takes. The only place that reads them.

Alertmanager reads each string of a list of matchers by two grammars. The classic one is tried
first: names of letters, values with or without double quotes, few escapes, and single quotes that
are part of the value. What it refuses may still be UTF-8 matchers: any name, quoted or not, and
Go's escapes. Upstream: pkg/labels/parse.go, matcher/parse, matcher/compat; config/config.go for
the old `match` and `match_re`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import yaml

from stack.check.yamlfile import get, is_null, line, text
from stack.errors import BadInput
from stack.logql import LogQLError, golang, regex

OPERATORS = ("=~", "!~", "!=", "=")

_CURE = 'Write `label="value"`, with =, !=, =~ or !~.'
_SPACE = "\t\n\f\r "
_CLASSIC = re.compile(
    rf"[{_SPACE}]*([a-zA-Z_:][a-zA-Z0-9_:]*)[{_SPACE}]*(=~|=|!=|!~)[{_SPACE}]*"
    rf"((?s:.)*?)[{_SPACE}]*\Z"
)
_OLD_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_RESERVED = frozenset("{}!=~,\\\"'`")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OCTAL = re.compile(r"(?<!\\)(?:\\\\)*\\([0-7]{3})")
_NO_GO = re.compile(r"(?<!\\)(?:\\\\)*\\C")
"""One byte: RE2 knows it, Go's own package, which Alertmanager uses, does not."""


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """One label and what it must, or must not, be."""

    name: str
    operator: str
    """`=`, `!=`, `=~` or `!~`."""
    value: str
    old: bool = False
    """From `match_re`, which Alertmanager anchors once more: it matters to `a)|(b`."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """A label that is not there is the empty string."""
        found = labels.get(self.name, "")
        same = self._fits(found) if "~" in self.operator else found == self.value
        return same == (self.operator in ("=", "=~"))

    @cached_property
    def _fits(self) -> Callable[[str], bool]:
        """Raises LogQLError for what is not an expression."""
        once = _anchored(self.value)
        return regex.finds(_anchored(once) if self.old else once)

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{golang.quoted(self.value)}"


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A part of a route or an inhibit rule that Alertmanager would refuse."""

    line: int
    what: str
    cure: str

    @property
    def error(self) -> BadInput:
        return BadInput(f"line {self.line} of alertmanager.yml: {self.what}", cure=self.cure)


@dataclass(frozen=True, kw_only=True)
class Matchers:
    """Those of a route, or of one side of an inhibit rule: all must match."""

    readable: tuple[Matcher, ...]
    unreadable: tuple[Unreadable, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Raises BadInput when one of them cannot be read: whom it takes is not known then."""
        for one in self.unreadable:
            raise one.error
        return all(one.matches(labels) for one in self.readable)


def read(node: yaml.Node | None, prefix: str = "") -> Matchers:
    """The matchers of a route, or those of an inhibit rule's side (`source_`, `target_`).

    Old and new forms may stand side by side; then all must match.
    """
    readable: list[Matcher] = []
    unreadable: list[Unreadable] = []
    for at, found in (
        *_old(get(node, f"{prefix}match"), f"{prefix}match", "="),
        *_old(get(node, f"{prefix}match_re"), f"{prefix}match_re", "=~"),
        *_listed(get(node, f"{prefix}matchers"), f"{prefix}matchers"),
    ):
        try:
            readable += found()
        except BadInput as error:
            unreadable.append(Unreadable(line=line(at), what=error.what, cure=error.cure or _CURE))
    return Matchers(readable=tuple(readable), unreadable=tuple(unreadable))


_Part = tuple[yaml.Node, Callable[[], list[Matcher]]]
"""A node, and what reads it. Raises BadInput."""


def _old(node: yaml.Node | None, key: str, operator: str) -> Iterator[_Part]:
    """`match` and `match_re`: a mapping of names to values."""
    if node is None or is_null(node):
        return
    if not isinstance(node, yaml.MappingNode):
        yield node, partial(_refuse, f"`{key}` is not a mapping of labels to values")
        return
    for name, value in node.value:
        yield value, partial(_old_one, name, value, operator)


def _old_one(name: yaml.Node, value: yaml.Node, operator: str) -> list[Matcher]:
    label = text(name)
    if not _OLD_NAME.fullmatch(label):
        raise BadInput(
            f"`{label or name.value}` is not a label name.",
            cure=f"Names with other characters go into `matchers`. {_CURE}",
        )
    if not isinstance(value, yaml.ScalarNode) or (operator == "=~" and is_null(value)):
        raise BadInput(f"the value of `{label}` is not text.", cure=_CURE)
    found = _matcher(label, operator, "" if is_null(value) else text(value))
    return [replace(found, old=operator == "=~")]


def _listed(node: yaml.Node | None, key: str) -> Iterator[_Part]:
    """`matchers`: a list of strings, each of which may hold several."""
    if node is None or is_null(node):
        return
    if not isinstance(node, yaml.SequenceNode):
        yield node, partial(_refuse, f"`{key}` is not a list")
        return
    for one in node.value:
        if isinstance(one, yaml.ScalarNode):
            yield one, partial(parse, "" if is_null(one) else text(one))
        else:
            yield one, partial(_refuse, f"an entry of `{key}` is not text")


def _refuse(what: str) -> list[Matcher]:
    raise BadInput(f"{what}.", cure=_CURE)


def parse(written: str) -> list[Matcher]:
    """The matchers of one string, in either grammar. Raises BadInput when neither can read it."""
    # Where both can read a string and do not agree, the classic grammar is the one that counts.
    try:
        return [_classic(one) for one in _classic_split(written)]
    except BadInput as classic:
        try:
            return _Modern(written).read()
        except BadInput as modern:
            # Of the two, the one that says more than that it is not a matcher.
            raise classic if "regular expression" in classic.what else modern from None


def _matcher(name: str, operator: str, value: str) -> Matcher:
    if "~" in operator:
        try:
            if _NO_GO.search(value):
                raise LogQLError(r"error parsing regexp: invalid escape sequence: `\C`")
            regex.compiled(_anchored(value))
        except LogQLError as error:
            said = str(error).partition("error parsing regexp: ")[2].partition(": `")[0]
            raise BadInput(
                f"`{value}` is not a valid regular expression: {said}.",
                cure="Write it in Go's syntax (RE2): no look-around, no back-references.",
            ) from None
    return Matcher(name=name, operator=operator, value=value)


def _anchored(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _no_matcher(written: str, why: str = "") -> BadInput:
    return BadInput(f"`{written}` is not a matcher{why}.", cure=_CURE)


# The classic grammar.


def _classic_split(written: str) -> list[str]:
    """Parts between commas that stand outside of double quotes; braces at the ends are optional."""
    body = written.removeprefix("{").removesuffix("}")
    parts, part = [], ""
    inside = escaped = False
    for char in body:
        if char == "," and not inside:
            parts.append(part)
            part = ""
            continue
        if char == '"':
            inside, escaped = inside != (not escaped), False
        elif char != ",":  # which, within quotes, leaves it open whether the next is escaped
            escaped = char == "\\" and not escaped
        part += char
    last = _stripped(part)
    return [*parts, last] if last else parts


def _classic(written: str) -> Matcher:
    found = _CLASSIC.match(written)
    if not found:
        raise _no_matcher(written)
    name, operator, raw = found.groups()
    quoted = raw.startswith('"')
    body = raw.removeprefix('"')
    value, closed, escaped = "", False, False
    for at, char in enumerate(body):
        last = at == len(body) - 1
        if escaped:
            escaped = False
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(char, f"\\{char}")
        elif char == "\\" and not last:
            escaped = True
        elif char == '"':
            if not quoted or not last:
                raise _no_matcher(written, ": a double quote stands within its value")
            closed = True
        else:
            value += char
    if quoted and not closed:
        raise _no_matcher(written, ": its quotes do not end")
    return _matcher(name, operator, value)


# The grammar of UTF-8 matchers.


class _Modern:
    """`{a="b",c!="d",}`; the braces come as a pair or not at all."""

    def __init__(self, written: str) -> None:
        self._written = written
        self._at = 0

    def read(self) -> list[Matcher]:
        """Raises BadInput."""
        found: list[Matcher] = []
        braced = self._take("{")
        while self._rest() and not self._rest().startswith("}"):
            name = self._word("a label name")
            operator = next((one for one in OPERATORS if self._take(one)), None)
            if not operator:
                raise self._wanted("=, !=, =~ or !~")
            found.append(_matcher(name, operator, self._word("a value")))
            if not self._take(","):
                break
        if self._take("}") != braced:
            raise self._wanted("a closing brace" if braced else "an opening brace")
        if self._rest():
            raise self._wanted("its end")
        return found

    def _rest(self) -> str:
        while self._at < len(self._written) and _is_space(self._written[self._at]):
            self._at += 1
        return self._written[self._at :]

    def _take(self, token: str) -> bool:
        if not self._rest().startswith(token):
            return False
        self._at += len(token)
        return True

    def _word(self, what: str) -> str:
        rest = self._rest()
        if found := _QUOTED.match(rest):
            self._at += found.end()
            try:
                return _unquoted(found[0])
            except ValueError:
                raise _no_matcher(
                    self._written, f": {found[0]} is not text with Go's escapes"
                ) from None
        plain = 0
        while plain < len(rest) and not (rest[plain] in _RESERVED or _is_space(rest[plain])):
            plain += 1
        if not plain:
            raise self._wanted(what)
        self._at += plain
        return rest[:plain]

    def _wanted(self, what: str) -> BadInput:
        before = self._written[: self._at].strip()
        where = f" after `{before}`" if before else ""
        return _no_matcher(self._written, f": expected {what}{where}")


def _unquoted(literal: str) -> str:
    """Raises ValueError."""
    if "\n" in literal or any(int(one, 8) > 255 for one in _OCTAL.findall(literal)):
        raise ValueError("invalid syntax")
    value = golang.unquoted(literal)
    value.encode()  # single bytes must be text together
    return value


def _stripped(written: str) -> str:
    while written and _is_space(written[0]):
        written = written[1:]
    while written and _is_space(written[-1]):
        written = written[:-1]
    return written


def _is_space(char: str) -> bool:
    """Go's `unicode.IsSpace`; Python takes four separators of ASCII for space as well."""
    return char.isspace() and not "\x1c" <= char <= "\x1f"
