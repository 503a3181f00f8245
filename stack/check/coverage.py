"""Each alert has unit tests beside its rule and a scenario, and none of those is left over."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import yaml

from stack.check.configuration import AlertRule, Configuration
from stack.check.names import scenario_path
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, entries, get, line, text

ALWAYS = "none"
"""The severity of an alert that fires while all is well."""

NO_SCENARIOS = frozenset(
    {
        "capacity",
        "dashboards",
        "demo",
        "mutants",
        "nightly",
        "proof",
        "quiet",
        "routing",
        "tasks",
    }
)
"""Folders of `scenarios/` that mirror no rule file."""


def check(configuration: Configuration, scenarios: Path) -> Iterator[Problem]:
    yield from _unit_tests(configuration)
    yield from _scenarios(configuration, scenarios)


def renamed(configuration: Configuration, scenarios: Path) -> dict[str, AlertRule]:
    """Alerts that nothing belongs to, by the name whose unit tests, runbook and scenario are left.

    One cause, which would otherwise be told once for each of these.
    """
    if configuration.gaps & {"rules", "tests"}:
        return {}
    tested = {name for file in _tests(configuration) for _, name, _ in _cases(file)}
    pages = {page.stem for page in (configuration.root / "runbooks").glob("*.md")}
    ruled = {alert.name for alert in configuration.alerts}
    left = (tested & pages) - ruled
    found = {}
    for alert in configuration.alerts:
        alone = alert.name not in tested | pages
        near = get_close_matches(alert.name, left, n=1) if alone else []
        if near and (scenarios / scenario_path(near[0], alert.path)).is_file():
            found[near[0]] = alert
    return found


def told_renamed(old: str, alert: AlertRule) -> Problem:
    """The one problem of an alert that has another name than all that belongs to it."""
    return Problem(
        check="alerts/renamed",
        path=alert.path,
        line=line(get(alert.node, "alert") or alert.node),
        what=f"`{alert.name}` has no unit test, runbook or scenario; those of `{old}` have no "
        "rule.",
        cure=f"Did you mean `{old}`? Otherwise rename them, too, and its runbook_url.",
    )


def _tests(configuration: Configuration) -> tuple[ConfigFile, ...]:
    return (*configuration.unit_tests, *configuration.log_tests)


def _cases(file: ConfigFile) -> Iterator[tuple[yaml.Node, str, yaml.Node]]:
    """Each case of a file: itself, the alert that it names, and the node of the name."""
    for group in entries(file.root, "tests"):
        for case in entries(group, "alert_rule_test"):
            if name := get(case, "alertname"):
                yield case, text(name), name


def _unit_tests(configuration: Configuration) -> Iterator[Problem]:
    """An alert needs a case in which it fires, and one in which it does not if that is possible."""
    seen: dict[str, set[bool]] = {alert.name: set() for alert in configuration.alerts}
    unknown: set[str] = set()
    for file in _tests(configuration):
        for case, name, node in _cases(file):
            if name in seen:
                seen[name].add(bool(entries(case, "exp_alerts")))
            elif "rules" not in configuration.gaps and name not in unknown:
                unknown.add(name)
                yield Problem(
                    check="alerts/unit-test",
                    path=file.path,
                    line=line(node),
                    what=f"`{name}` is tested, but no rule has that name.",
                    cure=nearest(name, seen),
                )
    for alert in configuration.alerts if "tests" not in configuration.gaps else ():
        folder = "loki" if alert.on_logs else "prometheus"
        always = text(alert.label("severity")) == ALWAYS
        for fires, does in ((True, "fires"), (False, "stays quiet")):
            if fires not in seen[alert.name] and (fires or not always):
                yield Problem(
                    check="alerts/unit-test",
                    path=alert.path,
                    line=alert.line,
                    what=f"`{alert.name}` has no unit test in which it {does}.",
                    cure=f"Add one to {folder}/tests/{alert.path.name}.",
                )


def _scenarios(configuration: Configuration, scenarios: Path) -> Iterator[Problem]:
    wanted = {scenario_path(alert.name, alert.path): alert for alert in configuration.alerts}
    found = {
        path.relative_to(scenarios)
        for path in scenarios.glob("*/*.py")
        if path.parent.name not in NO_SCENARIOS and not path.name.startswith("_")
    }
    for path, alert in wanted.items():
        if path not in found:
            yield Problem(
                check="alerts/scenario",
                path=alert.path,
                line=alert.line,
                what=f"`{alert.name}` has no scenario: `scenarios/{path}` is missing.",
                cure="Write one, so that `doit verify-alerts` can prove the alert.",
            )
    for path in sorted(found - set(wanted)) if "rules" not in configuration.gaps else ():
        yield Problem(
            check="alerts/scenario",
            path=scenarios / path,
            what=f"scenario `{path.stem}` belongs to no alert of `rules/{path.parent}.yml`.",
            cure=f"Rename it or delete it. {nearest(str(path), map(str, wanted))}",
        )
