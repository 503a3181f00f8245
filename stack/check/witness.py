"""Texts that a regular expression of a matcher matches, so that a route can be tried.

Guessed from the expression, then tried with RE2: what comes back does match.
"""

from collections.abc import Iterator

from stack.check.matchers import Matcher
from stack.logql import LogQLError, regex

_TRIED = "ax0 _-.:/AZ~é\n"
"""Characters for a class: one of each kind."""


def values(matcher: Matcher, known: frozenset[str] = frozenset()) -> list[str]:
    """Values that it names: for `=` and `!=` its own, else some that its pattern matches.

    `known` are values that the label has elsewhere.
    """
    if "~" not in matcher.operator:
        return [matcher.value]
    positive = Matcher(name=matcher.name, operator="=~", value=matcher.value, old=matcher.old)
    guessed = [*_Guesses(matcher.value).alternatives(), *sorted(known), "", "x", "0"]
    return [one for one in dict.fromkeys(guessed) if positive.matches({matcher.name: one})]


class _Guesses:
    """One text for each alternative at the top; within, the first and the shortest."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def alternatives(self) -> list[str]:
        found = [self._sequence()]
        while self._take("|"):
            found.append(self._sequence())
        return found

    def _take(self, token: str) -> bool:
        if not self._pattern.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _sequence(self) -> str:
        found = ""
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            found += self._repeated(self._atom())
        return found

    def _repeated(self, one: str) -> str:
        count = 1
        if self._take("*") or self._take("?"):
            count = 0
        elif not self._take("+") and (found := self._until("{", "}")) is not None:
            count = int(found.split(",")[0]) if found.split(",")[0].isdecimal() else 1
        self._take("?")
        return one * min(count, 1000)

    def _until(self, begin: str, end: str) -> str | None:
        """What stands between the two; None if the first does not come now."""
        if not self._take(begin):
            return None
        at = self._pattern.find(end, self._at)
        at = at if at >= 0 else len(self._pattern)
        found, self._at = self._pattern[self._at : at], at + len(end)
        return found

    def _atom(self) -> str:
        begin = self._at
        char = self._pattern[begin]
        self._at += 1
        if char == "(":
            return self._group()
        if char == "[":
            self._take("^")
            self._take("]")
            while self._at < len(self._pattern) and not self._take("]"):
                self._at += 2 if self._pattern[self._at] == "\\" else 1
                if self._pattern.startswith("[:", self._at):
                    self._until("[:", ":]")
            return self._of_kind(self._pattern[begin : self._at])
        if char == "\\":
            return self._escaped(begin)
        return {".": "x", "^": "", "$": ""}.get(char, char)

    def _group(self) -> str:
        if self._take("?"):
            if self._take("P<") or self._take("<"):
                self._at = self._pattern.find(">", self._at) + 1
            else:
                while self._at < len(self._pattern) and self._pattern[self._at] not in ":)":
                    self._at += 1
                if self._take(")"):
                    return ""
                self._take(":")
        found = self.alternatives()[0]
        self._take(")")
        return found

    def _escaped(self, begin: int) -> str:
        if (literal := self._until("Q", "\\E")) is not None:
            return literal
        letter = self._pattern[self._at : self._at + 1]
        self._at += 1
        if letter in "AzbB":
            return ""
        if letter in "pPx" and self._until("{", "}") is None:
            self._at += 2 if letter == "x" else 1
        return self._of_kind(self._pattern[begin : self._at])

    def _of_kind(self, written: str) -> str:
        """The first character that a class or an escape matches."""
        try:
            fits = regex.fits(written)
        except LogQLError:
            return ""
        return next((one for one in self._candidates(written) if fits(one)), "")

    @staticmethod
    def _candidates(written: str) -> Iterator[str]:
        yield from written
        yield from _TRIED
        yield from map(chr, range(1, 0x250))
