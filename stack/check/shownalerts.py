"""Alerts on dashboards: each is shown by a panel, with its own bounds, and says by which.

A panel shows the alerts to whose runbooks it links (`Runbook: HighErrorRate`): that is where its
thresholds come from. A rule names its panel in the annotations `dashboard_uid` and `panel`.
"""

import itertools
from collections.abc import Iterator

import yaml

from stack.check.bounds import HEALTHY, Bound, Side, bounds
from stack.check.configuration import AlertRule, Configuration
from stack.check.dashboardfiles import Dashboards, Panel, Target
from stack.check.macros import examples, filled
from stack.check.names import runbook_url
from stack.check.problem import Problem
from stack.check.reads import selectors
from stack.check.suggest import nearest
from stack.check.yamlfile import entries, get, line, text
from stack.logql import LogQLError
from stack.logql.parse import parse
from stack.logql.walk import selectors as streams

Step = tuple[yaml.Node, float | None, str]
"""One step of thresholds: its node, value (None is the first, from -∞) and colour."""


def check(configuration: Configuration, found: Dashboards) -> Iterator[Problem]:
    if not found.all:
        return
    alerts = {alert.name: alert for alert in configuration.alerts}
    for panel in found.panels:
        yield from _panel(panel, alerts)
    for alert in configuration.alerts:
        yield from _alert(alert, found)


def _panel(panel: Panel, alerts: dict[str, AlertRule]) -> Iterator[Problem]:
    problem = panel.dashboard.problem
    known: list[Bound] = []
    for name, link in panel.alerts.items():
        if name not in alerts:
            yield problem(
                "dashboards/link",
                line(link),
                f"{panel.name}: no alert is called `{name}`.",
                nearest(name, alerts),
            )
            return
        if text(get(link, "url")) != runbook_url(name):
            yield problem(
                "dashboards/link",
                line(get(link, "url") or link),
                f"{panel.name}: the link to the runbook of `{name}` leads elsewhere.",
                f"Write {runbook_url(name)}",
            )
        if not _reads(panel, alerts[name]):
            yield problem(
                "dashboards/threshold",
                line(link),
                f"{panel.name} links the runbook of `{name}`, but reads nothing that its rule "
                "reads.",
                "Show what the rule compares, or remove the link.",
            )
        known += bounds(alerts[name])
    known += _of_counts(panel)
    yield from _steps(panel, known)


def _steps(panel: Panel, known: list[Bound]) -> Iterator[Problem]:
    steps = list(_all_steps(panel))
    drawn: set[str] = set()
    for steps_of_one in steps:
        for (_, _, below), (node, value, above) in itertools.pairwise(steps_of_one):
            at = value if value is not None else 0.0
            fits = [
                one
                for one in known
                if one.is_at(at) and one.colour == (above if one.side is Side.ABOVE else below)
            ]
            drawn |= {one.alert for one in fits}
            if not fits:
                yield panel.dashboard.problem(
                    "dashboards/threshold",
                    line(node),
                    f"{panel.name}: the threshold at {at:g} ({below} below, {above} above) is that "
                    f"of no alert that the panel links.",
                    _cure(known),
                )
    if len(steps) and not known:
        return
    for one in known:
        if one.alert not in drawn and panel.kind != "table" and steps:
            yield panel.dashboard.problem(
                "dashboards/threshold",
                panel.line,
                f"{panel.name} does not draw the threshold of `{one.alert}`: {one.words}.",
                "Add it to `thresholds`, with the colour of its severity.",
            )
            drawn.add(one.alert)


def _cure(known: list[Bound]) -> str:
    if not known:
        return "Link the runbook of the alert that it comes from, or remove the threshold."
    listed = "; ".join(dict.fromkeys(f"{one.words} for `{one.alert}`" for one in known))
    return f"By the rules it is {listed}; {HEALTHY} elsewhere."


def _all_steps(panel: Panel) -> Iterator[list[Step]]:
    """The steps of a panel's thresholds, and of its overrides'."""
    config = get(panel.node, "fieldConfig")
    holders = [get(config, "defaults", "thresholds")]
    holders += [
        get(one, "value")
        for override in entries(config, "overrides")
        for one in entries(override, "properties")
        if text(get(one, "id")) == "thresholds"
    ]
    for holder in holders:
        if steps := entries(holder, "steps"):
            yield [
                (one, _number(text(get(one, "value"))), text(get(one, "color"))) for one in steps
            ]


def _number(words: str) -> float | None:
    try:
        return float(words)
    except ValueError:
        return None


def _of_counts(panel: Panel) -> list[Bound]:
    """Of a panel that counts firing alerts of one severity: one is too many."""
    found = []
    for target in panel.targets:
        for one in selectors(_query(target)) if not target.on_logs else ():
            wanted = {each.name: each.value for each in one.conditions}
            colour = {"critical": "red", "warning": "orange"}.get(wanted.get("severity", ""))
            if one.metric == "ALERTS" and colour:
                found.append(Bound(alert="ALERTS", side=Side.ABOVE, value=0.0, colour=colour))
    return found


def _query(target: Target) -> str:
    return filled(target.expression, examples(target.panel.dashboard.variables).get)


def _reads(panel: Panel, alert: AlertRule) -> bool:
    """Whether the panel reads something that the rule reads."""
    if alert.on_logs:
        theirs = _services(alert.expression)
        return any(theirs & _services(_query(one)) for one in panel.targets if one.on_logs)
    queries = [_query(one) for one in panel.targets if not one.on_logs]
    ours = {one.metric for query in queries for one in selectors(query)}
    if "ALERTS" in ours:
        return any(alert.name in query for query in queries)
    return bool(ours & {one.metric for one in selectors(alert.expression)})


def _services(query: str) -> set[str]:
    try:
        return {
            one.value
            for matchers in streams(parse(query))
            for one in matchers
            if one.name == "service"
        }
    except LogQLError:
        return set()


def _alert(alert: AlertRule, found: Dashboards) -> Iterator[Problem]:
    uid, number = alert.annotation("dashboard_uid"), alert.annotation("panel")
    showing = [panel for panel in found.panels if alert.name in panel.alerts]
    if uid is None or number is None:
        if showing:
            yield _lost(
                alert,
                alert.line,
                f"`{alert.name}` does not say which panel shows it.",
                f"Add annotations `dashboard_uid: {showing[0].dashboard.uid}` and "
                f'`panel: "{showing[0].id}"`.',
            )
        else:
            yield _lost(
                alert,
                alert.line,
                f"no panel shows `{alert.name}`.",
                "Link its runbook (`Runbook: NAME`) from the panel that shows it.",
            )
        return
    panel = found.panel(text(uid), text(number))
    if panel is None:
        uids = {one.uid for one in found.all}
        gone = text(uid) not in uids
        yield _lost(
            alert,
            line(uid if gone else number),
            f"`{alert.name}`: no dashboard has uid `{text(uid)}`."
            if gone
            else f"`{alert.name}`: dashboard `{text(uid)}` has no panel {text(number)}.",
            nearest(text(uid), uids) if gone else _shown_by(showing),
        )
    elif panel not in showing:
        yield _lost(
            alert,
            line(number),
            f"`{alert.name}` names {panel.name} of `{text(uid)}`, which does not link its runbook.",
            _shown_by(showing),
        )


def _shown_by(showing: list[Panel]) -> str:
    if not showing:
        return "Link its runbook from the panel that shows it, and name that one."
    listed = " or ".join(f"{one.id} of `{one.dashboard.uid}`" for one in showing[:3])
    return f"Its runbook is linked by panel {listed}."


def _lost(alert: AlertRule, number: int, what: str, cure: str) -> Problem:
    return Problem(check="alerts/panel", path=alert.path, line=number, what=what, cure=cure)
