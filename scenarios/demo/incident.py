"""Which incidents there are, and what must be seen of each: every one is a proven scenario."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from scenarios.proof import packing
from scenarios.proof.catalogue import ScenarioFile, find
from scenarios.proof.estimate import length_s
from scenarios.proof.messages import expected
from scenarios.proof.scenario import Scenario
from scenarios.proof.timing import route_timing, rule_timing
from stack import names
from stack.check.configuration import Configuration
from stack.check.yamlfile import text
from stack.errors import BadInput

DASHBOARD, PANEL = "dashboard_uid", "panel"
"""Annotations of a rule that name the dashboard and the id of the panel that shows its alert."""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One scenario's fault, and what the lab must say of it."""

    found: ScenarioFile
    first_told_s: float
    """Real seconds after which somebody can be told at the soonest."""
    lasts_s: float
    """Real seconds: long enough to be told of, and for a while to look at it."""
    runbook_url: str = ""
    dashboard_uid: str = ""
    panel: int = 0

    @property
    def scenario(self) -> Scenario:
        return self.found.scenario

    @property
    def name(self) -> str:
        return self.scenario.alert

    @property
    def what(self) -> str:
        """What is done."""
        return str(self.scenario.fault)

    def clashes(self, other: "Incident") -> bool:
        """Whether both at once would not show what each shows alone."""
        return packing.clash(self.found, other.found)


LOOK_AT_S = 120.0
"""How long an incident goes on after it is told of, in the instance's own time, unless somebody
says how long."""


def known(configuration: Configuration, speed: float = 1.0) -> dict[str, Incident]:
    """By name, for an instance of this speed; `configuration` is as written.

    Raises BadInput when a scenario cannot be used. One whose rule is not there shows nothing.
    """
    rules = {rule.name for rule in configuration.alerts}
    return {
        one.scenario.alert: _incident(one, configuration, speed)
        for one in sorted(find(), key=lambda one: one.where)
        if one.scenario.alert in rules
    }


def _incident(found: ScenarioFile, configuration: Configuration, speed: float) -> Incident:
    # Here an incident lives as fast as its instance.
    scenario = replace(found.scenario, speedup=1.0)
    found = replace(found, scenario=scenario)
    rule = rule_timing(scenario.alert, configuration)
    route = route_timing(scenario.routed, configuration)
    soonest_s = scenario.missed_after_s or rule.for_s + route.group_wait_s
    look_at_s = length_s(found, configuration, speed) + LOOK_AT_S / speed
    wanted = expected(scenario.routed, configuration)
    notes = {
        name: text(one.annotation(name))
        for one in configuration.alerts
        if one.name == scenario.alert
        for name in (DASHBOARD, PANEL)
    }
    panel = notes.get(PANEL, "")
    return Incident(
        found=found,
        first_told_s=soonest_s / speed + scenario.fault.shows_after_s,
        lasts_s=look_at_s,
        runbook_url=wanted.runbook_url if wanted else "",
        dashboard_uid=notes.get(DASHBOARD, ""),
        panel=int(panel) if panel.isdigit() else 0,
    )


def choose(name: str, incidents: Mapping[str, Incident]) -> Incident:
    """The one called `name`, in any case. Raises BadInput that suggests the nearest."""
    (alert,) = choose_some([name], incidents)
    return incidents[alert]


def choose_some(given: Sequence[str], incidents: Mapping[str, Incident]) -> list[str]:
    """The names of those that are meant, in any case, also by patterns. Raises BadInput."""
    return names.choose(given, incidents, what="incident", see="`doit incident` lists them.")


def choose_to_end(
    given: Sequence[str], incidents: Mapping[str, Incident], going_on: Collection[str]
) -> list[str]:
    """As `choose_some`, but a pattern means those that go on; none of these, and it means all that
    it fits."""
    found = choose_some(given, incidents)
    named = {name.lower() for name in given}
    return [name for name in found if name in going_on or name.lower() in named] or found


def check_apart(wanted: Incident, going_on: Collection[Incident], option: str = "") -> None:
    """Raises BadInput when it goes on already, or beside one that it would disturb. `option` names
    the instance on a command line."""
    for other in going_on:
        if other.name == wanted.name:
            raise BadInput(
                f"{wanted.name} is going on already.",
                cure=f"`doit incident --end {wanted.name}{option}` ends it.",
            )
        if wanted.clashes(other):
            raise BadInput(
                f"{wanted.name} and {other.name}, which is going on, would disturb each other:"
                " neither would show what it shows alone.",
                cure=f"`doit incident --end {other.name}{option}` first.",
            )
