"""What must hold under load: read from the alert rules, unless somebody says otherwise."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

from scenarios.capacity.window import Step, Verdict, Window, share
from stack import durations
from stack.check.conditions import conditions
from stack.check.configuration import AlertRule
from stack.check.yamlfile import get, text
from stack.errors import BadInput, CheckFailed

LATENCY, ERRORS = "HighLatencyP95", "HighErrorRate"
"""The alerts whose thresholds are the objective."""

_QUANTILE = re.compile(r"histogram_quantile\(\s*(0\.\d+)\s*,")
_SLO = re.compile(r"(latency|errors)=(\d+(?:\.\d+)?)(ms|s|%)")
_SCALE = {"ms": ("latency", 1e-3), "s": ("latency", 1.0), "%": ("errors", 0.01)}

LEAST, MOST = 3, 8
"""Windows of a step: no fewer before it is said to hold, no more before it is decided anyway."""
SUSTAINED = 2
"""Windows that must breach by themselves, one after the other: a hiccup is no breach."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Of `quantile` of all requests none takes longer, and no more than `errors` fail."""

    quantile: float
    latency_s: float
    errors: float
    """A share."""
    looks_s: float
    """Over how long the alert on latency looks."""
    horizon_s: float
    """How long it must hold: as long as the alert on latency looks and waits."""
    source: str
    """Where the limits come from, in words."""

    @property
    def words(self) -> str:
        return (f"P{100 * self.quantile:g} within {self.latency_s:g} s and at most"
                f" {100 * self.errors:g} % errors ({self.source})")  # fmt: skip


def read(rules: Sequence[AlertRule]) -> Objective:
    """The objective that the rules on latency and errors state. Raises CheckFailed when there is no
    such rule, or it has no such threshold."""
    latency, errors = _rule(rules, LATENCY), _rule(rules, ERRORS)
    quantile = _QUANTILE.search(latency.expression)
    if not quantile:
        raise CheckFailed(
            f"`{LATENCY}` has no `histogram_quantile(0.…, …)`: of which share is not known.",
            cure="Give the objective with --slo.",
        )
    looks_s = _looks_s(latency)
    return Objective(
        quantile=float(quantile[1]),
        latency_s=_threshold(latency),
        errors=_threshold(errors),
        looks_s=looks_s,
        horizon_s=looks_s + durations.seconds(text(get(latency.node, "for")) or "0"),
        source=f"the thresholds of {LATENCY} and {ERRORS}",
    )


def overridden(objective: Objective, slo: str) -> Objective:
    """With what `latency=1.5s,errors=1%` says. Raises BadInput."""
    changed: dict[str, float] = {}
    for part in filter(None, slo.split(",")):
        found = _SLO.fullmatch(part.strip())
        name, factor = _SCALE[found[3]] if found else ("", 0.0)
        value = float(found[2]) * factor if found else 0.0
        good = found and found[1] == name and isfinite(value) and value > 0
        if not good or (name == "errors" and value >= 1):
            raise BadInput(
                f"--slo: `{part.strip()}` is not an objective.",
                cure="Write it as latency=1.5s,errors=1% or one of them.",
            )
        changed["latency_s" if name == "latency" else "errors"] = value
    return replace(objective, source="--slo", **changed) if changed else objective


def _rule(rules: Sequence[AlertRule], name: str) -> AlertRule:
    for rule in rules:
        if rule.name == name:
            return rule
    raise CheckFailed(f"there is no rule `{name}`, whose threshold is the objective.",
                      cure="Give the objective with --slo.")  # fmt: skip


def _threshold(rule: AlertRule) -> float:
    for one in conditions(rule.expression):
        if not one.guard and one.comparison in (">", ">=") and one.threshold is not None:
            return one.threshold
    raise CheckFailed(f"`{rule.name}` is compared with no number, so that it states no objective.",
                      cure="Give the objective with --slo.")  # fmt: skip


def _looks_s(rule: AlertRule) -> float:
    """Seconds of its longest range, as written."""
    ranges = [durations.seconds(one) for one in re.findall(r"\[(\w+)\]", rule.expression)]
    return max(ranges, default=0.0)


def judged(objective: Objective, windows: Sequence[Window], *, last: bool) -> tuple[Verdict, str]:
    """Whether the objective holds at the rate of these windows, and why; with the `last` one, what
    is likelier is taken."""
    waits_s = waits_at(objective, windows)
    if waits_s > objective.latency_s:
        return Verdict.BREACHES, (
            f"the queue grows: after {durations.duration(objective.horizon_s)} requests would wait"
            f" {waits_s:.1f} s"
        )
    limits = {
        f"over {objective.latency_s:g} s": (1 - objective.quantile, [
            (one.slow(objective.latency_s), len(one.latencies)) for one in windows
        ]),
        "failed": (objective.errors, [
            (one.failed + one.dropped, len(one.latencies) + one.dropped) for one in windows
        ]),
    }  # fmt: skip
    sure = len(windows) >= LEAST
    for what, (limit, counts) in limits.items():
        found = share(counts)
        by_itself = [bad > limit * of for bad, of in counts]
        said = f"{100 * found.middle:.1f} % {what}, the limit is {100 * limit:g} %"
        sustained = len(by_itself) >= SUSTAINED and all(by_itself[-SUSTAINED:])
        # In the end most windows decide: the mean would be that of one hiccup.
        likelier = last and 2 * sum(by_itself) > len(by_itself)
        if (found.low > limit and sustained) or likelier:
            return Verdict.BREACHES, said
        sure = sure and found.high <= limit
    if sure or last:
        return Verdict.HOLDS, "" if sure else "not sure: the windows differ"
    return Verdict.OPEN, ""


def waits_at(objective: Objective, windows: Sequence[Window]) -> float:
    """Seconds that requests would wait when this had gone on for the objective's horizon: what
    waits at the end, and what was added meanwhile if that is more than chance."""
    if len(windows) < SUSTAINED:
        return 0.0
    begun, ended = windows[0].in_flight[0], windows[-1].in_flight[1]
    seconds = sum(one.seconds for one in windows)
    served = sum(one.served for one in windows) / seconds
    added = ended - begun
    if added <= 3 * max(begun, 1) ** 0.5 + 3:
        return 0.0
    return (ended + added / seconds * objective.horizon_s) / served if served else float("inf")


def holds(step: Step) -> bool:
    return step.verdict is Verdict.HOLDS


def window_of(steps: Sequence[Step]) -> tuple[float, float | None]:
    """The highest rate that held, 0 when none did, and the lowest above it that did not."""
    low = max((one.rate for one in steps if holds(one)), default=0.0)
    high = min((one.rate for one in steps if one.verdict is Verdict.BREACHES and one.rate > low),
               default=None)  # fmt: skip
    return low, high
