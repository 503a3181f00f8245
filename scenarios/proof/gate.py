"""The steady-state gate: nothing is injected before an instance is seen healthy under traffic."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import httpx

from loadgen.traffic import Locust
from scenarios.proof.deadlines import POLL_S, Deadlines
from scenarios.proof.evidence import Evidence, Full, Gate, Lost, TrafficSeen
from scenarios.proof.logrules import streams
from scenarios.proof.timing import RuleTiming
from scenarios.proof.watch import Watcher
from stack import durations
from stack.speed import tree

REQUESTS_AT_LEAST = 10
"""Before that many, healthy traffic has not been seen."""

BACKEND = "backend"
REQUESTS = f'sum(rate(http_requests_total{{{{job="{BACKEND}"}}}}[{{window_ms}}ms]))'

TRAFFIC_WINDOW_S = 3.0
"""Real seconds over which requests are counted: people make one a second, whatever the speed."""


def pass_gate(
    rule: RuleTiming,
    deadlines: Deadlines,
    watcher: Watcher,
    locust: Locust,
    evidence: Evidence,
    *,
    stopped: Callable[[], bool],
    tell: Callable[[str], None],
) -> bool:
    """Wait until everything is steady; the evidence says that it is, or why it never was."""
    limit_s = deadlines.steady.seconds
    give_up = time.monotonic() + limit_s
    while not stopped():
        hopeless = _hopeless(rule.alert, evidence)
        reason = hopeless or _unsteady_traffic(rule.alert, locust, evidence)
        rate = 0.0 if reason else _requests_per_s(watcher)
        reason = (
            reason
            or _unsteady_metrics(rule, watcher, rate)
            or _unsteady_logs(rule, watcher)
            or _unsteady_rule(rule.alert, watcher, deadlines)
        )
        if reason is None or hopeless or time.monotonic() > give_up:
            evaluations = watcher.evaluations_at_rest(rule.alert)
            said = hopeless or (f"{reason}, still after {limit_s:.0f} s" if reason else "")
            evidence.add(Gate(
                at=watcher.until, instance=watcher.instance.name, scenario=rule.alert,
                passed=reason is None, reason=said, evaluations=evaluations, requests_per_s=rate,
            ))  # fmt: skip
            return reason is None
        tell(f"not steady yet: {reason}")
        time.sleep(POLL_S)
    return False


def _hopeless(alert: str, evidence: Evidence) -> str | None:
    """What waiting cannot heal: an observer that is gone, a disk that is full."""
    found = [one.what for one in evidence.of(alert) if isinstance(one, Lost | Full)]
    return found[0] if found else None


def _unsteady_traffic(alert: str, locust: Locust, evidence: Evidence) -> str | None:
    """Why the traffic is not healthy yet; None when it is."""
    if locust.exit_code is not None:
        return f"locust ended with exit code {locust.exit_code}"
    if locust.trouble:
        return locust.trouble
    seen = [one for one in evidence.of(alert) if isinstance(one, TrafficSeen)]
    if not seen or seen[-1].requests < REQUESTS_AT_LEAST:
        return f"{seen[-1].requests if seen else 0} of {REQUESTS_AT_LEAST} requests"
    if seen[-1].failures:
        return f"{seen[-1].failures} of {seen[-1].requests} requests fail ({seen[-1].errors[0]})"
    return None


def _unsteady_metrics(rule: RuleTiming, watcher: Watcher, rate: float) -> str | None:
    """Why Prometheus does not see a healthy stack yet; None when it does."""
    try:
        for target in _targets(watcher):
            if target["health"] != "up":
                job = target["labels"]["job"]
                why = f": {target['lastError']}" if target["lastError"] else ""
                return f"target `{job}` is {target['health']}{why}"
        if not rate > 0:
            return "Prometheus sees no requests"
        for selector in () if rule.on_logs else selectors(rule.expression):
            if not _value(watcher, f"count({selector})"):
                return f"its rule reads `{selector}`, which has no series"
    except httpx.HTTPError as error:
        return f"Prometheus does not answer: {error}"
    return None


LINES = "sum(count_over_time({selector}[1h]))"


def _unsteady_logs(rule: RuleTiming, watcher: Watcher) -> str | None:
    """Why what a rule on logs reads is not there yet; None when it is."""
    try:
        for selector in streams(rule.expression) if rule.on_logs else ():
            if not _value(watcher, LINES.format(selector=selector), source="loki"):
                return f"its rule reads `{selector}`, but no matching log line has arrived"
    except httpx.HTTPError as error:
        return f"Loki does not answer: {error}"
    return None


def _unsteady_rule(alert: str, watcher: Watcher, deadlines: Deadlines) -> str | None:
    """Why the alert is not known to be at rest yet; None when it is."""
    if active := watcher.active():
        return f"`{active[0]}` is active"
    if watcher.at_rest_s() < deadlines.drain_s:
        return "waiting for the resolved notification of an earlier alert"
    if watcher.held_s(alert) < deadlines.held_s:
        return "Alertmanager has not held it long enough to notify"
    done, wanted = watcher.evaluations_at_rest(alert), deadlines.steady_evaluations
    return None if done >= wanted else f"its rule was evaluated at rest {done} of {wanted} times"


def selectors(expression: str) -> list[str]:
    """What a rule reads and must therefore exist; within `absent`, or where it has a default
    (`or vector(0)`), nothing has to."""

    def below(node: tree.Node) -> list[str]:
        if node.kind == "call" and node.name.startswith("absent"):
            return []
        if node.kind == "binary" and node.name == "or" and node.parts[1].name == "vector":
            return []
        # Its range is dropped: what matters is that the series are there.
        text = node.text.rpartition("[")[0] if node.range_s else node.text
        own = [text] if node.kind == "selector" else []
        return own + [text for part in node.parts for text in below(part)]

    return below(tree.read(expression))


def _requests_per_s(watcher: Watcher) -> float:
    try:
        backends = [one for one in _targets(watcher) if one["labels"]["job"] == BACKEND]
        four_scrapes_s = [4 * durations.seconds(one["scrapeInterval"]) for one in backends]
        window_ms = round(max([TRAFFIC_WINDOW_S, *four_scrapes_s]) * 1000)
        return _value(watcher, REQUESTS.format(window_ms=window_ms))
    except httpx.HTTPError:
        return 0.0


def _targets(watcher: Watcher) -> Sequence[Mapping[str, Any]]:
    """What Prometheus scrapes."""
    found = watcher.get("prometheus", "/api/v1/targets", state="active")["data"]["activeTargets"]
    return cast(Sequence[Mapping[str, Any]], found)


QUERY = {"prometheus": "/api/v1/query", "loki": "/loki/api/v1/query"}


def _value(watcher: Watcher, query: str, source: str = "prometheus") -> float:
    """The value of a query that gives one sample; 0 when it gives none."""
    result: Any = watcher.get(source, QUERY[source], query=query)["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0
