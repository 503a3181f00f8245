"""All checks of one configuration, together: causes first, and not what only follows from them."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

from stack.check import (
    addresses,
    alerts,
    blanks,
    contract,
    coverage,
    declared,
    delivery,
    grafana,
    held,
    hours,
    inhibition,
    limits,
    loaded,
    logcontract,
    logrules,
    logtests,
    notifications,
    offered,
    playable,
    probed,
    programs,
    promises,
    routing,
    runbooks,
    scaling,
    scrapelimits,
    scrapes,
    settings,
    table,
)
from stack.check.configuration import Configuration, kind_of, load
from stack.check.names import snake_case
from stack.check.problem import Problem
from stack.check.programs import Programs
from stack.check.yamlfile import ConfigFile, entries, get, text
from stack.paths import CONFIG_ROOT, REPO
from stack.progress import Progress, Quiet


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is checked, and with what."""

    config_root: Path = CONFIG_ROOT
    """Folder with `prometheus/`, `loki/`, `alertmanager/` and `runbooks/`."""
    scenarios: Path = REPO / "scenarios"
    addresses: Collection[str]
    """Every `service:default port` of the lab."""
    programs: Programs
    readers: settings.Readers = field(default_factory=dict)
    """What reads the files of the lab's own programs."""
    services: Collection[str] = ()
    """Every service of the lab by name, as in the names of log files."""
    scraped: Mapping[str, str] = field(default_factory=dict)
    """Service that offers metrics → the path at which it does; empty where nobody knows."""
    health: probed.Known = field(default_factory=dict)
    """Service → the paths at which it says whether it is well; empty where nobody knows."""
    report: Progress = field(default_factory=Quiet)
    """Told what takes a while."""

    @property
    def shown_from(self) -> Path:
        """The folder that paths in messages are relative to."""
        return REPO if self.config_root.is_relative_to(REPO) else self.config_root.parent


def find_problems(setup: Setup, configuration: Configuration | None = None) -> list[Problem]:
    """Every problem, causes first; `configuration` is what lies there, if it is read already.

    What cannot be read, or is refused by the program that reads it, is told alone: whatever else
    depends on its contents is left out. Raises HostCannot if promtool or amtool cannot be run.
    """
    configuration = configuration or load(setup.config_root)
    unread = [*configuration.problems, *loaded.check(configuration)]
    with ThreadPoolExecutor() as pool:
        plays = pool.submit(lambda: list(playable.check(setup.scenarios, setup.report)))
        refused = _refused(configuration, setup, pool)
        gaps = {one.path for one in [*unread, *refused] if one.check != "files/loaded"}
        configuration = replace(
            configuration,
            gaps=frozenset(kind_of(path.relative_to(configuration.root)) for path in gaps
                           if path.is_relative_to(configuration.root)),
        )  # fmt: skip
        own, mixed = _taken(configuration, setup, gaps), [*_together(configuration, setup)]
        # Where amtool names a line, what we find in the same file only follows from it; where it
        # names none and we do, its word adds nothing.
        seen = {problem.path for problem in refused if problem.line}
        own = [problem for problem in own if problem.path not in seen]
        named = {problem.path for problem in own if problem.line}
        refused = [problem for problem in refused if problem.line or problem.path not in named]
        broken = gaps | {one.path for one in [*unread, *own]}
        tests = _unit_tests(configuration, setup, broken, pool)
        broken_texts = any(one.check.startswith("templates/") for one in [*unread, *own])
        if not refused and not broken_texts:
            mixed += notifications.check(configuration, setup.programs)
        shown = _dashboards(configuration, setup, own)
        tested = _log_tests(configuration, broken)
        tested += [problem for result in tests for problem in result]
        mixed += plays.result()
    found = {*unread, *refused, *own, *mixed, *tested, *shown}
    found = _without_consequences(configuration, setup, found)
    order = {one: _rank(one, unread, refused, own, {*found} - {*shown}) for one in found}
    return sorted(found, key=lambda one: (order[one], one.path, one.line or 0, one.check, one.what))


def first_problem(setup: Setup, configuration: Configuration) -> Problem | None:
    """Some problem, the sooner found the better, where one file was changed after all was well.

    The scenarios are not imported again, and no unit test is run by promtool. Raises as
    `find_problems`.
    """
    with ThreadPoolExecutor() as pool:
        found = chain(
            configuration.problems,
            loaded.check(configuration),
            _refused(configuration, setup, pool),
        )
        if first := next(found, None):
            return first
    found = chain(
        _single(configuration, setup),
        _together(configuration, setup),
        notifications.check(configuration, setup.programs),
    )
    return next(found, None) or next(
        iter(_log_tests(configuration, set()) or _dashboards(configuration, setup, ())), None
    )


def _rank(one: Problem, *causes: Collection[Problem]) -> int:
    return next((rank for rank, known in enumerate(causes) if one in known), len(causes))


def _refused(configuration: Configuration, setup: Setup, pool: ThreadPoolExecutor) -> list[Problem]:
    """What the program that reads a file says of it, a file each, side by side."""
    tools = setup.programs
    asked: list[Callable[[], Iterable[Problem]]] = [
        partial(programs.check_alertmanager, configuration, tools)
    ]
    if configuration.prometheus:
        asked.append(partial(programs.check_prometheus, configuration.prometheus, tools))
    if configuration.blackbox:
        asked.append(partial(programs.check_blackbox, configuration.blackbox, tools))
    asked += [partial(programs.check_rules, file, tools) for file in configuration.rules]
    asked += [partial(programs.check_fields, file, tools) for file in configuration.unit_tests]
    ours = [*logrules.check(configuration), *settings.check(configuration, setup.readers),
            *logtests.refused(configuration)]  # fmt: skip
    return ours + [problem for result in pool.map(_call, asked) for problem in result]


def _single(configuration: Configuration, setup: Setup) -> Iterator[Problem]:
    """What is wrong with one rule, route or job by itself."""
    yield from alerts.check(configuration)
    yield from addresses.check(configuration, setup.addresses)
    if "prometheus" not in configuration.gaps:
        lost = list(scrapes.check(configuration, setup.scraped)) if setup.scraped else []
        yield from lost
        if setup.scraped and not lost:
            yield from scrapelimits.check(configuration, offered.table())
        if "blackbox" not in configuration.gaps:
            yield from probed.check(configuration, setup.health)
        # Of a target that is dropped or has another name nothing arrives as it should.
        if not any(one.check == "scrapes/relabel" for one in lost):
            rules = "rules" not in configuration.gaps
            read = list(contract.check(configuration, offered.table())) if rules else []
            yield from read or contract.tested(configuration, offered.table())
    if not configuration.gaps & {"rules", "promtail"}:
        unread = list(logcontract.check(configuration, setup.services))
        yield from unread or settings.meant(configuration, setup.readers)
    yield from blanks.check(configuration, setup.scenarios)
    yield from routing.check(configuration)
    yield from hours.check(configuration)
    yield from scaling.check(configuration)
    yield from runbooks.check(configuration, offered.table())


def _taken(configuration: Configuration, setup: Setup, gaps: set[Path]) -> list[Problem]:
    """The same in files that their programs take, but for alertmanager.yml: what amtool says of
    that may be a consequence. Speed is another matter, there as well."""
    broken = gaps - {configuration.root / "alertmanager" / "alertmanager.yml"}
    return [one for one in _single(configuration, setup)
            if one.path not in (gaps if one.check.startswith("speed/") else broken)]  # fmt: skip


def _together(configuration: Configuration, setup: Setup) -> Iterator[Problem]:
    """Whether rules, tests, scenarios, routes and promises fit each other; nothing about a pair of
    which one side is not known."""
    yield from coverage.check(configuration, setup.scenarios)
    gaps = configuration.gaps
    if "rules" not in gaps:
        yield from declared.check(configuration, setup.scenarios)
    unclear = list(table.check())
    yield from unclear
    if unclear:
        return
    if not gaps & {"rules", "alertmanager"}:
        yield from delivery.check(configuration)
        yield from hours.rests(configuration)
        yield from limits.check(configuration)
        if "prometheus" not in gaps:
            yield from promises.check(configuration)
    if not gaps & {"rules", "alertmanager", "tests"}:
        yield from inhibition.check(configuration)
        yield from held.check(configuration)


def _dashboards(
    configuration: Configuration, setup: Setup, own: Collection[Problem]
) -> list[Problem]:
    """What is wrong with dashboards; of what they ask for, only where targets are as they were."""
    arrives = not any(one.check == "scrapes/relabel" for one in own)
    found = grafana.check(
        configuration, offered.table(), setup.services, setup.programs, queries=arrives
    )
    return list(_gathered(found))


def _gathered(found: list[Problem]) -> Iterator[Problem]:
    """Several panels that lack the same are told as one."""
    lacking: dict[tuple[str, str], list[Problem]] = {}
    for one in found:
        if one.check == "dashboards/metric":
            lacking.setdefault((_about(one), one.cure), []).append(one)
        else:
            yield one
    for same in lacking.values():
        more = len(same) - 1
        what = same[0].what.replace(": ", f" (and {more} more): ", 1) if more else same[0].what
        yield replace(same[0], what=what)


def _unit_tests(
    configuration: Configuration, setup: Setup, broken: set[Path], pool: ThreadPoolExecutor
) -> Iterator[list[Problem]]:
    """Those that can be run, begun at once: first the files that test expressions, which need every
    rule and keep one core busy for longest."""
    files = [file for file in configuration.unit_tests if _whole(file, broken)]
    files.sort(key=_tests_expressions, reverse=True)
    return pool.map(
        lambda file: programs.check_unit_tests(
            file, setup.programs, configuration.alerts, setup.report
        ),
        files,
    )


def _tests_expressions(file: ConfigFile) -> bool:
    return any(get(test, "promql_expr_test") for test in entries(file.root, "tests"))


def _log_tests(configuration: Configuration, broken: set[Path]) -> list[Problem]:
    return [one for file in configuration.log_tests if _whole(file, broken)
            for one in logtests.check(configuration, file)]  # fmt: skip


def _whole(file: ConfigFile, broken: set[Path]) -> bool:
    """Whether a file of unit tests, and all that it loads, is read and refused by nobody."""
    patterns = [text(one) for one in entries(file.root, "rule_files")]
    loads = [{path.resolve() for path in file.path.parent.glob(one)} for one in patterns if one]
    used = {file.path.resolve()}.union(*loads)
    return all(loads) and used.isdisjoint(path.resolve() for path in broken)


_FOLLOWS = ("alerts/", "dashboards/", "scenarios/", "inhibition/", "prometheus/unit-test",
            "loki/unit-test", "promises/", "routes/")  # fmt: skip
"""Checks that compare an alert with what belongs to it."""

_OF_THE_RULE = (
    "alerts/blank",
    "alerts/name",
    "alerts/severity",
    "alerts/team",
    "alerts/label",
    "alerts/duplicate",
    "metrics/",
)
"""What is wrong with a rule itself: until it is fixed, its tests and scenario fail as well."""


_WORDS, _QUOTED = re.compile(r"\w+"), re.compile(r"`([^`]+)`")


def _without_consequences(
    configuration: Configuration, setup: Setup, found: set[Problem]
) -> set[Problem]:
    """Leave out what a fault of one alert's name or labels makes of all that belongs to it."""
    causes: set[Problem] = set()
    names: set[str] = set()
    for old, alert in coverage.renamed(configuration, setup.scenarios).items():
        causes.add(coverage.told_renamed(old, alert))
        names |= {old, alert.name}
    if any(one.check == "alerts/blank" for one in found):
        found = {one for one in found if one.check == "alerts/blank" or not blanks.named(one)}
    for one in found:
        if one.check.startswith(_OF_THE_RULE):
            causes.add(one)
            names |= set(_QUOTED.findall(one.what)[:1])
    words = names | {snake_case(name) for name in names}
    lost = {_about(one) for one in found if one.check.startswith("metrics/")}
    odd = any(one.check == "alerts/name" for one in causes)

    def follows(one: Problem) -> bool:
        if odd and one.check == "templates/says":
            return True  # a link to it cannot be read as others are
        if one.check == "dashboards/metric" and _about(one) in lost:
            return True  # what a rule has lost, dashboards have lost, too
        said = {one.path.stem, *_WORDS.findall(one.what), *_QUOTED.findall(one.what)}
        return one.check.startswith(_FOLLOWS) and bool(said & words)

    return causes | {one for one in found if not follows(one)}


def _about(one: Problem) -> str:
    """What is said of whoever is named first."""
    return one.what.partition(": ")[2]


def _call(question: Callable[[], Iterable[Problem]]) -> list[Problem]:
    return list(question())
