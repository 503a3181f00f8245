"""Links between dashboards: to one that is there, and with variables that it has."""

import re
from collections.abc import Iterator

from stack.check.dashboardfiles import Dashboards
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import get, line, scalars, text

_LINK = re.compile(r"(?:^|[\s(\"'])/d/(?P<uid>[\w-]+)(?P<rest>[^\s)\"']*)")
_VARIABLE = re.compile(r"[?&]var-(\w+)=")
_PANEL = re.compile(r"[?&]viewPanel=(?:panel-)?(\d+)")


def check(found: Dashboards) -> Iterator[Problem]:
    variables = {one.uid: {text(get(node, "name")) for node in one.variables} for one in found.all}
    for dashboard in found.all:
        for node in scalars(dashboard.node):
            for match in _LINK.finditer(node.value):
                for what, cure in _wrong(match, variables, found):
                    yield dashboard.problem("dashboards/link", line(node), what, cure)


def _wrong(
    match: re.Match[str], variables: dict[str, set[str]], found: Dashboards
) -> Iterator[tuple[str, str]]:
    uid = match["uid"]
    if uid not in variables:
        # One that is there but cannot be read is told by itself.
        if not any(problem.path.stem == uid for problem in found.problems):
            yield f"a link leads to dashboard `{uid}`, which is not there.", nearest(uid, variables)
        return
    for name in _VARIABLE.findall(match["rest"]):
        if name not in variables[uid]:
            yield (
                f"a link sets variable `{name}` of dashboard `{uid}`, which has none of that name.",
                nearest(name, variables[uid]),
            )
    for number in _PANEL.findall(match["rest"]):
        if not found.panel(uid, number):
            yield f"a link leads to panel {number} of `{uid}`, which is not there.", "Fix the id."
