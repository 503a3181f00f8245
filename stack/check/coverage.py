"""Each alert has unit tests beside its rule and a scenario, and none of those is left over."""

from collections.abc import Iterator
from pathlib import Path

from stack.check.configuration import Configuration
from stack.check.names import scenario_path
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import entries, get, line, text

ALWAYS = "none"
"""The severity of an alert that fires while all is well."""

NO_SCENARIOS = frozenset({"proof", "quiet", "routing", "tasks"})
"""Folders of `scenarios/` that mirror no rule file."""


def check(configuration: Configuration, scenarios: Path) -> Iterator[Problem]:
    yield from _unit_tests(configuration)
    yield from _scenarios(configuration, scenarios)


def _unit_tests(configuration: Configuration) -> Iterator[Problem]:
    """An alert needs a case in which it fires, and one in which it does not if that is possible."""
    seen: dict[str, set[bool]] = {alert.name: set() for alert in configuration.alerts}
    for file in (*configuration.unit_tests, *configuration.log_tests):
        for group in entries(file.root, "tests"):
            for case in entries(group, "alert_rule_test"):
                name = get(case, "alertname")
                if text(name) in seen:
                    seen[text(name)].add(bool(entries(case, "exp_alerts")))
                elif name:
                    yield Problem(
                        check="alerts/unit-test",
                        path=file.path,
                        line=line(name),
                        what=f"`{text(name)}` is tested, but no rule has that name.",
                        cure=nearest(text(name), seen),
                    )
    for alert in configuration.alerts:
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
    for path in sorted(found - set(wanted)):
        yield Problem(
            check="alerts/scenario",
            path=scenarios / path,
            what=f"scenario `{path.stem}` belongs to no alert of `rules/{path.parent}.yml`.",
            cure=f"Rename it or delete it. {nearest(str(path), map(str, wanted))}",
        )
