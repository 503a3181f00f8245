"""What runbooks tell people to ask is there: PromQL and LogQL that parses, metrics that exist."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from stack.check.configuration import Configuration
from stack.check.offered import OF_PROMETHEUS, Offered
from stack.check.problem import Problem
from stack.check.reads import selectors
from stack.check.suggest import nearest
from stack.check.yamlfile import entries, get, text
from stack.errors import BadInput
from stack.logql import LogQLError
from stack.logql import check as compiled
from stack.speed import tree

_QUOTED = r"'((?:[^']|'\$\w+')+)'"
"""What stands in single quotes, in which a variable of the shell may stand between two others."""

_PROMQL = re.compile(
    rf"promtool query (?:instant|range) [^'`]*{_QUOTED}|```promql\n(.*?)```", re.DOTALL
)
_LOGQL = re.compile(rf"doit logql [^'`]*{_QUOTED}")
_ALIKE = 0.88
"""How alike a word must be to a metric to be taken for it: other words have this form, too."""

_METRIC = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+){2,})(?:\{[^`]*)?`")
"""A word in backticks that has the form of a metric's name."""


def check(configuration: Configuration, offered: Offered) -> Iterator[Problem]:
    recorded = {text(get(rule, "record")) for file in configuration.rules
                for group in entries(file.root, "groups")
                for rule in entries(group, "rules")}  # fmt: skip
    known = offered.metrics() | recorded | OF_PROMETHEUS
    for page in sorted((configuration.root / "runbooks").glob("*.md")):
        content = page.read_text(errors="replace")
        told: set[tuple[int, str]] = set()
        for at, what, cure in _faults(content, known, "rules" in configuration.gaps):
            number = content[:at].count("\n") + 1
            if (number, what) not in told:
                told.add((number, what))
                yield Problem(check="runbooks/query", path=page, line=number, what=what, cure=cure)


def _faults(content: str, known: set[str], lost: bool) -> Iterator[tuple[int, str, str]]:
    """Where in the page, what, and what to do. `lost`: there may be recorded names beyond `known`,
    which have a colon.
    """
    for match in _PROMQL.finditer(content):
        group = 1 if match[1] else 2
        query, at = _filled(match[group]), match.start(group)
        try:
            tree.read(query)
        except BadInput as error:
            said = error.what.rpartition("is not PromQL: ")[2].rstrip(".")
            yield at, f"its query is not valid PromQL: {said}.", "Fix it: people paste it."
            continue
        for one in selectors(query):
            if one.metric and one.metric not in known and not (lost and ":" in one.metric):
                found = at + max(query.find(one.metric), 0)
                yield (
                    found,
                    f"its query reads `{one.metric}`, which nothing offers.",
                    _near(one.metric, known),
                )
    for match in _LOGQL.finditer(content):
        try:
            compiled(_filled(match[1]))
        except LogQLError as error:
            yield match.start(1), f"its query is not valid LogQL: {error.message}.", "Fix it."
    for match in _METRIC.finditer(content):
        if match[1] in known:
            continue
        if near := get_close_matches(match[1], known, n=1, cutoff=_ALIKE):
            cure = f"Did you mean `{near[0]}`?"
            yield match.start(1), f"it names `{match[1]}`, which nothing offers.", cure


def _filled(quoted: str) -> str:
    """With something in place of the shell's variables, so that what follows stays where it is."""
    return re.sub(r"'\$\w+'", lambda match: "x" * len(match[0]), quoted)


def _near(name: str, known: set[str]) -> str:
    said = nearest(name, known)
    return said if said.startswith("Did") else "stack/check/offered.txt lists what is offered."
