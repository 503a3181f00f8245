"""Label matchers and line filters as functions of a text."""

from collections.abc import Callable, Iterable, Mapping

from stack.logql import addresses, linepattern, regex
from stack.logql.ast import FilterOp, LineFilter, Matcher, MatchOp, Needle
from stack.logql.errors import LogQLError

Test = Callable[[str], bool]

NEGATED = {
    FilterOp.LACKS: FilterOp.CONTAINS,
    FilterOp.MATCHES_NOT: FilterOp.MATCHES,
    FilterOp.PATTERN_NOT: FilterOp.PATTERN,
}


def accepts(matcher: Matcher) -> Test:
    """Whether a label's value ("" when there is none) matches. Raises LogQLError."""
    value = matcher.value
    match matcher.op:
        case MatchOp.EQ:
            return lambda text: text == value
        case MatchOp.NE:
            return lambda text: text != value
        case MatchOp.RE:
            return regex.fits(value)
        case MatchOp.NRE:
            fits = regex.fits(value)
            return lambda text: not fits(text)


def selects(matchers: Iterable[Matcher]) -> Callable[[Mapping[str, str]], bool]:
    """Whether the labels of a stream match all of them. Raises LogQLError."""
    tests = [(matcher.name, accepts(matcher)) for matcher in matchers]
    return lambda labels: all(test(labels.get(name, "")) for name, test in tests)


def passes(line_filter: LineFilter) -> Test:
    """Whether a line passes. Raises LogQLError."""
    op = NEGATED.get(line_filter.op, line_filter.op)
    finders = [_finder(op, needle) for needle in line_filter.needles]
    if op is not line_filter.op:
        return _none(finders)
    return finders[0] if len(finders) == 1 else _any(finders)


def _finder(op: FilterOp, needle: Needle) -> Test:
    if needle.ip:
        if op is not FilterOp.CONTAINS:
            raise LogQLError("ip: invalid operation")
        return addresses.found_in(needle.text)
    if op is FilterOp.MATCHES:
        return regex.finds(needle.text)
    if op is FilterOp.PATTERN:
        return linepattern.fits(needle.text)
    text = needle.text
    return lambda line: text in line


def _any(finders: list[Test]) -> Test:
    return lambda line: any(find(line) for find in finders)


def _none(finders: list[Test]) -> Test:
    if len(finders) == 1:
        only = finders[0]
        return lambda line: not only(line)
    return lambda line: not any(find(line) for find in finders)
