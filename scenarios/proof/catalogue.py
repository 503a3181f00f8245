"""Which scenarios there are, which alert rules there are, and whether each has the other."""

import importlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scenarios.proof.scenario import Scenario
from scenarios.proof.timing import route_timing
from stack import names
from stack.check.configuration import Configuration
from stack.check.coverage import NO_SCENARIOS
from stack.errors import BadInput
from stack.paths import REPO

FOLDER = REPO / "scenarios"


@dataclass(frozen=True, kw_only=True)
class ScenarioFile:
    """A scenario and the file that declares it, which is a locustfile too."""

    scenario: Scenario
    file: Path

    @property
    def where(self) -> str:
        return f"{self.file.parent.name}/{self.file.name}"


def find(folder: Path = FOLDER) -> list[ScenarioFile]:
    """All scenarios, validated, by file name. Raises one BadInput with everything that is wrong."""
    found, broken = survey(folder)
    if broken:
        raise BadInput("scenarios that cannot be played:\n  " + "\n  ".join(broken.values()))
    return found


def survey(folder: Path = FOLDER) -> tuple[list[ScenarioFile], dict[Path, str]]:
    """The sound scenarios, by file name, and for each other file what is wrong with it."""
    found: list[ScenarioFile] = []
    broken: dict[Path, str] = {}
    for file in sorted(folder.glob("*/*.py")):
        if file.parent.name in NO_SCENARIOS or file.name.startswith("_"):
            continue
        try:
            one = ScenarioFile(scenario=_load(file), file=file)
        except BadInput as error:
            broken[file] = str(error)
            continue
        problems = one.scenario.problems()
        if one.scenario.alert in (known.scenario.alert for known in found):
            problems.append(f"alert `{one.scenario.alert}` has another scenario; keep one.")
        if problems:
            broken[file] = "\n  ".join(f"{one.where}: {problem}" for problem in problems)
        else:
            found.append(one)
    return found, broken


def alert_of(file: Path, known: Iterable[str]) -> str:
    """The alert that a scenario's file is named after; the file's name when there is none."""
    names = {alert.lower(): alert for alert in known}
    return names.get(file.stem.replace("_", ""), f"{file.parent.name}/{file.name}")


def _load(file: Path) -> Scenario:
    where = f"{file.parent.name}/{file.name}"
    try:
        with _unpatched():
            module = importlib.import_module(f"scenarios.{file.parent.name}.{file.stem}")
        scenario = module.SCENARIO
    except Exception as error:  # whatever a scenario's author wrote, the message names the file
        raise BadInput(f"{where}: {type(error).__name__}: {error}") from error
    if not isinstance(scenario, Scenario):
        raise BadInput(f"{where}: `SCENARIO` is a {type(scenario).__name__}, expected a Scenario.")
    if file.stem.replace("_", "") != scenario.alert.lower():
        raise BadInput(f"{where}: its alert is `{scenario.alert}`; name the file after it.")
    return scenario


@contextmanager
def _unpatched() -> Iterator[None]:
    """Locust patches the standard library when it is imported, unless it is told not to."""
    name = "LOCUST_SKIP_MONKEY_PATCH"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def rules(configuration: Configuration) -> dict[str, str]:
    """Alert → the stem of the rule file that has it, Prometheus' or Loki's."""
    return {rule.name: rule.path.stem for rule in configuration.alerts}


def areas(
    found: Sequence[ScenarioFile], known: dict[str, str], gaps: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Area → the alerts in it: those with a scenario in its folder, and those of `gaps` with a rule
    in its rule file. What has no area is one of its own."""
    alerts: dict[str, list[str]] = {}
    for one in found:
        alerts.setdefault(one.file.parent.name, []).append(one.scenario.alert)
    there = {one.scenario.alert for one in found}
    for alert in gaps:
        if alert not in there:
            alerts.setdefault(known.get(alert, alert.partition("/")[0]), []).append(alert)
    return alerts


def choose(only: Sequence[str], areas: Mapping[str, Sequence[str]]) -> list[str]:
    """The names in `areas` that are meant, by name, pattern or area, all when none is given.

    Raises BadInput that suggests the nearest names.
    """
    every = [name for inside in areas.values() for name in inside]
    see = f"Areas are {', '.join(areas)}."
    return names.choose(words(only), every, what="alert", groups=areas, see=see) if only else every


def words(only: Sequence[str]) -> list[str]:
    """Names as people give them: one by one, or with commas."""
    return [name for given in only for name in re.split(r"[,\s]+", given) if name]


def uncovered(found: Sequence[ScenarioFile], known: dict[str, str]) -> dict[str, str]:
    """Alert → why it fails without being played: a rule without scenario, or the reverse."""
    gaps = {}
    by_name = {one.scenario.alert: one for one in found}
    for alert, stem in known.items():
        if alert not in by_name:
            gaps[alert] = (
                f"alert rule without scenario: `rules/{stem}.yml` has it,"
                f" but `scenarios/{stem}/` does not"
            )
        elif by_name[alert].file.parent.name != stem:
            gaps[alert] = (
                f"its rule is in `rules/{stem}.yml`, its scenario is {by_name[alert].where}"
            )
    for alert, one in by_name.items():
        if alert not in known:
            gaps[alert] = f"scenario without alert rule: {one.where}, but no rule has that name"
    return gaps


def unreached(found: Sequence[ScenarioFile], configuration: Configuration) -> dict[str, str]:
    """`receiver <name>` → that no scenario's alert is routed to it, so that nobody knows whether it
    works. None when nothing is routed at all."""
    if not configuration.route:
        return {}
    reached = {
        receiver
        for one in found
        for receiver in route_timing(one.scenario.routed, configuration).receivers
    }
    return {
        f"receiver {name}": f"no scenario reaches receiver `{name}` of alertmanager.yml:"
        " nobody knows whether it works"
        for name in configuration.receivers
        if name not in reached
    }
