"""When each link of an alert's chain must be there, derived from the instance's own configuration.

All figures are real seconds on the instance, so they are read from its rendered files, where the
speed is already in them. Each deadline is a list of named terms, so that a report can say why.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from loadgen.faults.base import Fault
from stack import durations, speed, yamltext
from stack.errors import BadInput

BUSY_MACHINE_S = 2.0
"""What two busy cores may add to a chain, whatever the speed: processes wait for their turn, and
a scrape, an evaluation or a delivery comes late. Added once to each deadline."""

POLL_S = 0.2
"""How often the evidence is gathered; a state is seen at most that much late."""

DEFAULT_INTERVAL_S = 60.0
"""Prometheus' `evaluation_interval` and `scrape_interval` when unset."""

DEFAULT_TIMEOUT_S = 10.0
"""Prometheus' `scrape_timeout` when unset."""

DEFAULT_ROUTE = {"group_wait": 30.0, "group_interval": 300.0, "repeat_interval": 4 * 3600.0}
"""Alertmanager's defaults when the top route sets none."""


PROMQL, LOGQL = "PromQL", "LogQL"
"""What a rule is written in: Prometheus evaluates the one, the log store's ruler the other."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One alert rule as the instance evaluates it; times in seconds."""

    alert: str
    expression: str
    for_s: float
    keep_firing_for_s: float
    range_s: float
    """The longest look back of its expression."""
    evaluation_s: float
    scrape_s: float
    """Between two scrapes of what it reads, by the slowest of its jobs."""
    answer_s: float
    """How long such a scrape may take, its timeout."""
    ship_s: float = 0.0
    """How long a log line that it reads may be on its way; then there are no scrapes."""
    language: str = PROMQL

    @property
    def on_logs(self) -> bool:
        return self.language == LOGQL


@dataclass(frozen=True, kw_only=True)
class Route:
    """What Alertmanager does with an alert: the receivers and their slowest timing, in seconds."""

    receivers: tuple[str, ...]
    group_wait_s: float
    group_interval_s: float
    repeat_interval_s: float = DEFAULT_ROUTE["repeat_interval"]
    """The shortest of them."""


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """Seconds after its zero, as the sum of named terms."""

    terms: tuple[tuple[str, float], ...]

    @property
    def seconds(self) -> float:
        return sum(value for _, value in self.terms)

    def plus(self, **terms: float) -> "Deadline":
        """Later by the given terms; underscores in names become spaces."""
        named = tuple((name.replace("_", " "), value) for name, value in terms.items() if value)
        return Deadline(terms=self.terms + named)

    @property
    def why(self) -> str:
        """The terms, as a sum in words."""
        return " + ".join(f"{name} {value:.3g}" for name, value in self.terms)

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.why})"


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """The chain of one scenario; the first four count from the fault, the last two from its end."""

    pending: Deadline
    firing: Deadline
    held: Deadline
    notified: Deadline
    inactive: Deadline
    resolved: Deadline
    tail_s: float
    """Quiet to be seen after the last expected notification."""
    floor_s: float
    """`for` + `group_wait`: no notification can come sooner after the fault."""
    fastest_s: float
    """The floor, and what the fault itself takes before it can be seen: real time at any speed."""
    steady_evaluations: int = 4
    """Evaluations of the rule that must be seen inactive before the fault."""
    steady: Deadline = Deadline(terms=())
    """Within which the gate must be passed, counted from the start of the traffic."""
    repeat_s: float = DEFAULT_ROUTE["repeat_interval"]
    """At this pace the route repeats a notification while the alert fires."""
    drain_s: float = 0.0
    """After an alert was active, nothing may be for that long before the fault: its group tells of
    its end at its next flush."""
    held_s: float = 0.0
    """For how long Alertmanager must have held an alert that always fires before the fault."""


def derive(rule: Rule, route: Route, fault: Fault) -> Deadlines:
    """The deadlines of one scenario. Pure."""
    # The fault shows, the next scrape sees it, a window over it fills, the next evaluation reads
    # it. One more evaluation: the scrape may land just after the first.
    pending = Deadline(terms=()).plus(
        fault_shows=fault.shows_within_s,
        scrape=rule.scrape_s,
        answer=rule.answer_s,
        shipping=rule.ship_s,
        range=rule.range_s,
        two_evaluations=2 * rule.evaluation_s,
        busy_machine=BUSY_MACHINE_S,
    )
    # Prometheus fires at the first evaluation at which `for` has passed: it rounds up.
    firing = pending.plus(**{"for": rule.for_s, "evaluation": rule.evaluation_s})
    # Prometheus sends at once; only being busy can delay it, and that is in already.
    held = firing.plus(poll=POLL_S)
    notified = firing.plus(group_wait=route.group_wait_s)
    inactive = Deadline(terms=()).plus(
        fault_lingers=fault.lingers_s,
        scrape=rule.scrape_s,
        answer=rule.answer_s,
        shipping=rule.ship_s,
        range=rule.range_s,
        two_evaluations=2 * rule.evaluation_s,
        keep_firing_for=rule.keep_firing_for_s,
        busy_machine=BUSY_MACHINE_S,
    )
    # A group that has notified once speaks again at its next flush, at worst a whole interval on.
    resolved = inactive.plus(group_interval=route.group_interval_s)
    steady = Deadline(terms=()).plus(
        # Locust starts, its users log in, a rate needs two scrapes, and what an earlier fault left
        # in the windows and groups of the same instance has to drain.
        traffic_starts=10.0,
        range=rule.range_s,
        scrapes=4 * rule.scrape_s,
        evaluations=6 * rule.evaluation_s,
        group_interval=route.group_interval_s,
        busy_machine=2 * BUSY_MACHINE_S,
    )
    return Deadlines(
        pending=pending,
        firing=firing,
        held=held,
        notified=notified,
        inactive=inactive,
        resolved=resolved,
        # A stray that the same cause sets off has been scraped, evaluated and grouped by then.
        tail_s=rule.scrape_s + 4 * rule.evaluation_s + route.group_wait_s + 2 * POLL_S,
        floor_s=rule.for_s + route.group_wait_s,
        fastest_s=fault.shows_after_s + rule.for_s + route.group_wait_s,
        steady=steady,
        repeat_s=route.repeat_interval_s,
        drain_s=route.group_interval_s + BUSY_MACHINE_S / 2,
    )


@cache
def parsed(text: str) -> Mapping[str, Any]:
    """YAML; dozens of scenarios ask for the same few files."""
    found: Mapping[str, Any] = yamltext.read(text) or {}
    return found


def alert_rules(folder: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every alerting rule below `rules/` of a folder, with its group; by file and line."""
    for path in sorted((folder / "rules").rglob("*.yml")):
        for group in parsed(path.read_text()).get("groups") or ():
            for rule in group.get("rules") or ():
                if "alert" in rule:
                    yield group, rule


def read_rule(alert: str, prometheus_config: Path) -> Rule:
    """The rule of `alert` in the folder with `prometheus.yml` and `rules/`.

    Raises BadInput when there is none, or more than one.
    """
    document = parsed((prometheus_config / "prometheus.yml").read_text())
    settings = document.get("global") or {}
    evaluation_s = seconds(settings, "evaluation_interval", DEFAULT_INTERVAL_S)
    found = [
        Rule(
            alert=alert,
            expression=str(rule["expr"]),
            for_s=seconds(rule, "for", 0),
            keep_firing_for_s=seconds(rule, "keep_firing_for", 0),
            range_s=speed.longest_range(str(rule["expr"])),
            evaluation_s=seconds(group, "interval", evaluation_s),
            scrape_s=_slowest(rule, document, "scrape_interval", DEFAULT_INTERVAL_S),
            answer_s=_slowest(rule, document, "scrape_timeout", DEFAULT_TIMEOUT_S),
        )
        for group, rule in alert_rules(prometheus_config)
        if rule["alert"] == alert
    ]
    if len(found) != 1:
        raise BadInput(
            f"alert `{alert}`: {len(found)} rules in `{prometheus_config / 'rules'}`, wanted one.",
            cure="Give each alert one rule with a name of its own.",
        )
    return found[0]


FLEETING_S = 1.0
"""A `for` shorter than that rides out no scrape that a busy machine loses."""


def fleeting(config: Path) -> frozenset[str]:
    """Alerts of a folder with `rules/` whose `for`, at the instance's speed, is so short that a
    single lost scrape makes them fire; as written, it takes several."""
    return frozenset(
        str(rule["alert"])
        for _, rule in alert_rules(config)
        if 0 < seconds(rule, "for", 0) < FLEETING_S
    )


def _slowest(
    rule: Mapping[str, Any], document: Mapping[str, Any], key: str, default_s: float
) -> float:
    """The longest `key` of the jobs that the rule's expression names, of all when it names none.

    Only `job="…"` narrows it down; a pattern does not, so that the slowest job counts.
    """
    named = re.findall(r'job\s*=\s*"([^"]*)"', str(rule["expr"]))
    every = document.get("scrape_configs") or ()
    jobs = [job for job in every if job["job_name"] in named] or every
    paces = [{**(document.get("global") or {}), **job} for job in jobs] or [{}]
    return max(seconds(pace, key, default_s) for pace in paces)


def read_route(labels: Mapping[str, str], alertmanager_config: Path) -> Route:
    """The receivers and the slowest timing of an alert with these labels (`alertname` included)."""
    document = parsed((alertmanager_config / "alertmanager.yml").read_text())
    leaves = list(_walk(document["route"], labels, DEFAULT_ROUTE))
    return Route(
        receivers=tuple(dict.fromkeys(str(leaf["receiver"]) for leaf in leaves)),
        group_wait_s=max(leaf["group_wait"] for leaf in leaves),
        group_interval_s=max(leaf["group_interval"] for leaf in leaves),
        repeat_interval_s=min(leaf["repeat_interval"] for leaf in leaves),
    )


def _walk(
    route: Mapping[str, Any], labels: Mapping[str, str], inherited: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Alertmanager's own walk: children first, in order, `continue` goes on to the next sibling."""
    own = {
        **inherited,
        **{key: seconds(route, key, 0) for key in DEFAULT_ROUTE if key in route},
        **({"receiver": route["receiver"]} if "receiver" in route else {}),
    }
    leaves: list[dict[str, Any]] = []
    for child in route.get("routes") or ():
        if all(_matches(matcher, labels) for matcher in child.get("matchers") or ()):
            leaves += _walk(child, labels, own)
            if not child.get("continue"):
                break
    return leaves or [own]


_MATCHER = re.compile(
    r"""^\s*(?P<name>[\w:]+)\s*(?P<operator>=~|!~|!=|=)\s*"?(?P<value>.*?)"?\s*$"""
)


def _matches(matcher: str, labels: Mapping[str, str]) -> bool:
    """One matcher against a label set; an absent label is the empty string."""
    found = _MATCHER.match(matcher)
    if not found:
        raise BadInput(
            f"matcher `{matcher}` in alertmanager.yml cannot be read.",
            cure='Write it as `label="value"`, with =, !=, =~ or !~.',
        )
    value, wanted = labels.get(found["name"], ""), found["value"]
    if found["operator"] in ("=", "!="):
        return (value == wanted) == (found["operator"] == "=")
    return bool(re.fullmatch(wanted, value)) == (found["operator"] == "=~")


def seconds(document: Mapping[str, Any], key: str, default: float) -> float:
    """The duration under `key`. Raises BadInput."""
    return durations.seconds(str(document[key])) if key in document else default
