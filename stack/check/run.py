"""All checks of one configuration, together."""

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stack.check import (
    addresses,
    alerts,
    coverage,
    declared,
    delivery,
    inhibition,
    limits,
    loaded,
    logrules,
    logtests,
    notifications,
    programs,
    promises,
    routing,
    scaling,
)
from stack.check.configuration import Configuration, load
from stack.check.problem import Problem
from stack.check.programs import Programs
from stack.paths import CONFIG_ROOT, REPO


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is checked, and with what."""

    config_root: Path = CONFIG_ROOT
    """Folder with `prometheus/`, `loki/`, `alertmanager/` and `runbooks/`."""
    scenarios: Path = REPO / "scenarios"
    addresses: Collection[str]
    """Every `service:default port` of the lab."""
    programs: Programs

    @property
    def shown_from(self) -> Path:
        """The folder that paths in messages are relative to."""
        return REPO if self.config_root.is_relative_to(REPO) else self.config_root.parent


def find_problems(setup: Setup, configuration: Configuration | None = None) -> list[Problem]:
    """Every problem, by file and line; `configuration` is what lies there, if it is read already.

    Raises HostCannot if promtool or amtool cannot be run.
    """
    configuration = configuration or load(setup.config_root)
    own: list[Problem] = [
        *configuration.problems,
        *loaded.check(configuration),
        *alerts.check(configuration),
        *coverage.check(configuration, setup.scenarios),
        *declared.check(configuration, setup.scenarios),
        *routing.check(configuration),
        *delivery.check(configuration),
        *inhibition.check(configuration),
        *promises.check(configuration),
        *limits.check(configuration),
        *addresses.check(configuration, setup.addresses),
    ]
    theirs = _asked(configuration, setup.programs) + _logs(configuration)
    # Where a program found fault, speed and rendering would only repeat it in other words.
    faulty = {problem.path for problem in theirs}
    scaled = [problem for problem in scaling.check(configuration) if problem.path not in faulty]
    # amtool names no line; where we do, its word adds nothing.
    named = {problem.path for problem in own if problem.line}
    theirs = [problem for problem in theirs if problem.line or problem.path not in named]
    if not theirs and not any(problem.check.startswith("templates/") for problem in own):
        theirs += notifications.check(configuration, setup.programs)
    return sorted(
        {*own, *theirs, *scaled},
        key=lambda problem: (problem.path, problem.line or 0, problem.check, problem.what),
    )


def _asked(configuration: Configuration, tools: Programs) -> list[Problem]:
    """promtool and amtool, a file each, side by side."""
    asked: list[Callable[[], Iterable[Problem]]] = [
        partial(programs.check_alertmanager, configuration, tools)
    ]
    if configuration.prometheus:
        asked.append(partial(programs.check_prometheus, configuration.prometheus, tools))
    asked += [partial(programs.check_rules, file, tools) for file in configuration.rules]
    with ThreadPoolExecutor() as pool:
        found = [problem for result in pool.map(_call, asked) for problem in result]
        # Unit tests of a rule file that does not load say so once for each case.
        broken = {problem.path.name for problem in [*found, *configuration.problems]}
        tests = [one for one in configuration.unit_tests if one.path.name not in broken]
        ran = pool.map(lambda file: programs.check_unit_tests(file, tools), tests)
        return found + [problem for result in ran for problem in result]


def _logs(configuration: Configuration) -> list[Problem]:
    """What the log store says of its rules; they are tested only when it can read them."""
    refused = list(logrules.check(configuration))
    tests = () if refused else configuration.log_tests
    return refused + [one for file in tests for one in logtests.check(configuration, file)]


def _call(question: Callable[[], Iterable[Problem]]) -> list[Problem]:
    return list(question())
