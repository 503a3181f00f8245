"""What dashboards ask: queries that parse, of metrics, labels and log lines that there are."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import yaml

from stack.check import logcontract, macros, programs
from stack.check.configuration import Configuration
from stack.check.contract import Contract
from stack.check.dashboardfiles import Dashboard, Dashboards, Panel, Target
from stack.check.offered import Offered
from stack.check.problem import Problem
from stack.check.programs import Programs
from stack.check.reads import Labels, read
from stack.check.scrapes import jobs
from stack.check.suggest import nearest
from stack.check.yamlfile import get, line, scalars, text
from stack.errors import BadInput
from stack.logql import LogQLError
from stack.logql import check as compiled
from stack.logql.ast import VectorAggregation
from stack.logql.parse import parse

_VALUES = re.compile(r"^label_values\((?:(?P<of>.+),\s*)?(?P<label>\w+)\)$", re.DOTALL)
_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FIELD = re.compile(r"\$\{__field\.labels\.(\w+)\}")


def check(
    configuration: Configuration,
    found: Dashboards,
    offered: Offered,
    services: Collection[str],
    tools: Programs,
) -> Iterator[Problem]:
    """`services` are those whose log files have their names."""
    file = configuration.prometheus
    asking = _Asking(
        contract=Contract(configuration, offered, jobs(file) if file else []),
        lines=logcontract.lines(configuration, services),
    )
    asked: list[tuple[Target, str]] = []
    for dashboard in found.all:
        values = macros.examples(dashboard.variables)
        for variable in dashboard.variables:
            yield from asking.variable(dashboard, variable, values)
        for panel in dashboard.panels:
            for target in panel.targets:
                query = macros.filled(target.expression, values.get)
                faults = list(asking.target(target, query))
                yield from faults
                if not faults and not target.on_logs:
                    asked.append((target, query))
    yield from _refused(asked, tools)


def _refused(asked: list[tuple[Target, str]], tools: Programs) -> Iterator[Problem]:
    """What promtool says of queries that our own reader takes."""
    complaints = programs.check_expressions([query for _, query in asked], tools)
    for at, said in complaints.items():
        target = asked[at][0]
        yield _problem(target, "dashboards/query", f"not valid PromQL: {said}", "Fix it.")


@dataclass(frozen=True, kw_only=True)
class _Asking:
    contract: Contract
    lines: logcontract.Lines

    def target(self, target: Target, query: str) -> Iterator[Problem]:
        if not query.strip():
            yield _problem(
                target,
                "dashboards/query",
                "it asks nothing: `expr` is empty",
                "Write a query, or remove the target.",
            )
            return
        asked = self._logql(target, query) if target.on_logs else self._promql(target, query)
        yield from asked

    def _promql(self, target: Target, query: str) -> Iterator[Problem]:
        try:
            reading = read(query, self.contract.labels)
        except BadInput as error:
            said = error.what.rpartition("is not PromQL: ")[2].rstrip(".")
            yield _problem(
                target,
                "dashboards/query",
                f"not valid PromQL: {said}",
                "Fix it: Prometheus would refuse it.",
            )
            return
        if not any(one.metric for one in reading.selectors):
            yield _problem(
                target,
                "dashboards/query",
                "it reads no metric, so it shows nothing of anybody",
                "Name the metric.",
            )
            return
        faults = list(self.contract.faults(reading, target.panel.name))
        for what, cure, _ in faults:
            yield _problem(target, "dashboards/metric", what, cure)
        if not faults:
            yield from _shown(target, reading.labels)

    def _logql(self, target: Target, query: str) -> Iterator[Problem]:
        try:
            compiled(query)
        except LogQLError as error:
            at = f" (column {error.column})" if error.column else ""
            yield _problem(
                target,
                "dashboards/query",
                f"not valid LogQL{at}: {error.message}",
                "Fix it; `doit logql` tries a query out.",
            )
            return
        faults = list(logcontract.faults(query, self.lines))
        for what, cure, _ in faults:
            yield _problem(target, "dashboards/metric", what, cure)
        outermost = parse(query)
        if not faults and isinstance(outermost, VectorAggregation):
            grouping = outermost.grouping
            known = grouping is None or not grouping.without
            yield from _shown(
                target, frozenset(grouping.labels if grouping else ()) if known else None
            )

    def variable(
        self, dashboard: Dashboard, node: yaml.Node, values: Mapping[str, str]
    ) -> Iterator[Problem]:
        """Where a variable's values come from is there."""
        if text(get(node, "type")) != "query":
            return
        name, query = text(get(node, "name")), get(node, "query")
        if text(get(node, "datasource", "uid")) == "loki":
            label = text(get(query, "label"))
            wrong = "" if label in self.lines.labels else f"no line has a label `{label}`"
            cure = nearest(label, self.lines.labels)
        else:
            words = text(query) or text(get(query, "query"))
            wrong, cure = self._label_values(macros.filled(words, values.get), name)
        if wrong:
            yield dashboard.problem(
                "dashboards/variable", line(query or node), f"variable `{name}`: {wrong}.", cure
            )

    def _label_values(self, query: str, name: str) -> tuple[str, str]:
        match = _VALUES.match(query.strip())
        if not match:
            return f"`{query}` is not a query for values", "Write `label_values(metric, label)`."
        if not match["of"]:
            return "", ""
        try:
            reading = read(match["of"], self.contract.labels)
        except BadInput:
            return f"`{match['of']}` is not a selector", 'Write `metric{label="value"}`.'
        for what, cure, _ in self.contract.faults(reading, name):
            return what, cure
        there = reading.labels
        if there is not None and match["label"] not in there:
            what = f"what it asks has no label `{match['label']}`"
            return what, nearest(match["label"], there)
        return "", ""


def _shown(target: Target, there: Labels) -> Iterator[Problem]:
    """Labels that a legend or a link names are those of what comes."""
    if there is None:
        return
    for label in _LEGEND.findall(text(get(target.node, "legendFormat"))):
        if label not in there:
            yield _problem(
                target,
                "dashboards/label",
                f"its legend shows `{{{{{label}}}}}`, a label that what it asks does not have",
                nearest(label, there),
            )
    if len(target.panel.targets) == 1:
        for node, label in _linked(target.panel):
            if label not in there:
                yield target.panel.dashboard.problem(
                    "dashboards/label",
                    line(node),
                    f"{target.panel.name}: a link uses label `{label}`, which "
                    "what it asks does not have.",
                    nearest(label, there),
                )


def _linked(panel: Panel) -> Iterator[tuple[yaml.Node, str]]:
    for node in scalars(get(panel.node, "fieldConfig")):
        for label in _FIELD.findall(node.value):
            yield node, label


def _problem(target: Target, check: str, what: str, cure: str) -> Problem:
    who = f"{target.panel.name}, query {target.ref}"
    return target.panel.dashboard.problem(check, target.line, f"{who}: {what}.", cure)
