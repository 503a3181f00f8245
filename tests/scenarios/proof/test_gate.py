"""The steady-state gate against a watcher that says what it is told."""

import io
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from scenarios.proof.deadlines import Deadline, Deadlines, derive
from scenarios.proof.evidence import Event, Evidence, Full, Gate, Lost, TrafficSeen
from scenarios.proof.gate import pass_gate, selectors
from scenarios.proof.timing import RouteTiming, RuleTiming
from stack.check.configuration import LOGQL

RULE = RuleTiming(alert="A", expression='rate(x{job="backend"}[5s]) > 2', for_s=1,
                  keep_firing_for_s=0, range_s=5, evaluation_s=0.25, scrape_s=0.25,
                  answer_s=0.25)  # fmt: skip


LOGS = replace(RULE, expression='rate({service="x", level="error"}[5s]) > 2', language=LOGQL)


@dataclass
class Healthy:
    """What Prometheus and locust say when all is well."""

    instance: Any = field(default_factory=lambda: SimpleNamespace(name="i"))
    until: float = 50.0
    targets: tuple[tuple[str, str], ...] = (("backend", "up"), ("inbox", "up"))
    samples: float = 3.0
    rate: float = 9.0
    alerts: tuple[str, ...] = ()
    evaluations: int = 4
    requests: int = 20
    failures: int = 0
    exit_code: int | None = None
    trouble: str = ""
    rest_s: float = float("inf")
    lines: float = 7.0
    scraped: str = "250ms"
    asked: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)

    def active(self) -> list[str]:
        return list(self.alerts)

    def evaluations_at_rest(self, alert: str) -> int:
        return self.evaluations

    def at_rest_s(self) -> float:
        return self.rest_s

    def held_s(self, alert: str) -> float:
        return 0.0

    def get(self, service: str, path: str, **query: str) -> Any:
        if path.endswith("targets"):
            found = [{"health": health, "labels": {"job": job}, "lastError": "refused",
                      "scrapeInterval": self.scraped}
                     for job, health in self.targets]  # fmt: skip
            return {"data": {"activeTargets": found}}
        self.asked.append(service)
        self.queries.append(query["query"])
        if service == "loki":
            assert query["query"] == 'sum(count_over_time({service="x"}[1h]))'
            return {"data": {"result": [{"value": [0, "7"]}] if self.lines else []}}
        value = self.rate if query["query"].startswith("sum(rate") else self.samples
        return {"data": {"result": [{"value": [0, str(value)]}] if value else []}}


UNSTEADY = [
    ("locust ended", {"exit_code": 1}, "locust ended with exit code 1"),
    ("locust unheard", {"trouble": "locust is no longer heard"}, "locust is no longer heard"),
    ("no traffic", {"requests": 0}, "0 of 10 requests"),
    ("failures", {"failures": 3}, "3 of 20 requests fail (3x GET /: 500)"),
    ("target down", {"targets": (("inbox", "down"),)}, "target `inbox` is down: refused"),
    ("not scraped", {"rate": 0.0}, "Prometheus sees no requests"),
    ("no series", {"samples": 0.0}, 'its rule reads `x{job="backend"}`, which has no series'),
    ("active", {"alerts": ("Other",)}, "`Other` is active"),
    ("draining", {"rest_s": 3.0}, "waiting for the resolved notification of an earlier alert"),
    ("not evaluated", {"evaluations": 3}, "its rule was evaluated at rest 3 of 4 times"),
]


def outcome(
    watcher: Healthy, *, limit_s: float, rule: RuleTiming = RULE, seen: Sequence[Event] = ()
) -> Gate:
    fault = SimpleNamespace(shows_after_s=0, shows_within_s=0, lingers_s=0)
    route = RouteTiming(receivers=("a",), group_wait_s=0.5, group_interval_s=5, drain_s=5)
    deadlines: Deadlines = replace(
        derive(rule, route, fault),
        steady=Deadline(terms=(("limit", limit_s),)),
    )
    evidence = Evidence(instance="i", file=io.StringIO(), lock=threading.Lock())
    evidence.add(TrafficSeen(at=1, scenario="A", users=4, requests=watcher.requests,
                             failures=watcher.failures, errors=("3x GET /: 500",)))  # fmt: skip
    for event in seen:
        evidence.add(event)
    locust: Any = SimpleNamespace(exit_code=watcher.exit_code, trouble=watcher.trouble)
    passed = pass_gate(
        rule, deadlines, watcher, locust,  # type: ignore[arg-type]
        evidence, stopped=lambda: False, tell=lambda said: None,
    )  # fmt: skip
    gate = evidence.of("A")[-1]
    assert isinstance(gate, Gate)
    assert gate.passed == passed
    return gate


def test_gate_opens_when_all_is_steady() -> None:
    gate = outcome(Healthy(), limit_s=5)
    assert (gate.passed, gate.evaluations, gate.requests_per_s) == (True, 4, 9.0)


def test_gate_asks_loki_only_for_rules_on_logs() -> None:
    watcher = Healthy()
    assert outcome(watcher, limit_s=5).passed
    assert "loki" not in watcher.asked
    assert outcome(watcher, limit_s=5, rule=LOGS).passed
    assert "loki" in watcher.asked


@pytest.mark.parametrize("rule", [RULE, replace(LOGS, scrape_s=0)], ids=["metrics", "logs"])
def test_gate_sees_requests_at_any_speed(rule: RuleTiming) -> None:
    for scraped, window in (("250ms", "[3000ms]"), ("15s", "[60000ms]")):
        watcher = Healthy(scraped=scraped)
        assert outcome(watcher, limit_s=5, rule=rule).passed
        assert any(window in query for query in watcher.queries)


def test_gate_stays_shut_while_no_line_of_a_rule_on_logs_has_arrived() -> None:
    gate = outcome(Healthy(lines=0), limit_s=0, rule=LOGS)
    said = 'its rule reads `{service="x"}`, but no matching log line has arrived, still after 0 s'
    assert (gate.passed, gate.reason) == (False, said)


@pytest.mark.parametrize(
    ("change", "said"), [row[1:] for row in UNSTEADY], ids=[row[0] for row in UNSTEADY]
)
def test_gate_stays_shut_and_says_why(change: dict[str, Any], said: str) -> None:
    gate = outcome(replace(Healthy(), **change), limit_s=0)
    assert not gate.passed
    assert gate.reason == f"{said}, still after 0 s"


@pytest.mark.parametrize("kind", [Lost, Full])
def test_gate_does_not_wait_for_what_waiting_cannot_heal(kind: type) -> None:
    gate = outcome(Healthy(), limit_s=60, seen=[kind(at=1, what="the watcher ended: KeyError")])
    assert (gate.passed, gate.reason) == (False, "the watcher ended: KeyError")


def test_gate_is_limited_by_a_clock_that_nobody_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set ahead by an hour at each look, it would give up at the second one."""
    ahead = iter(range(0, 10**9, 3600))
    watcher, real = Healthy(evaluations=3), time.time
    clock = SimpleNamespace(time=lambda: real() + next(ahead), monotonic=time.monotonic,
                            sleep=lambda s: setattr(watcher, "evaluations", 4))  # fmt: skip
    monkeypatch.setattr("scenarios.proof.gate.time", clock)
    assert outcome(watcher, limit_s=60).passed


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up == 0", ["up"]),
        ('rate(x{path=~"[a-z]"}[5m] offset 1m) > 2', ['x{path=~"[a-z]"}']),
        ("a / on (x) b unless absent(c)", ["a", "b"]),
        ("max_over_time(rate(a[1m])[5m:10s]) > 1", ["a"]),
        ("sum(rate(a[1m]) or vector(0)) > 0 or rate(b[1m]) > 0", ["b"]),
        ("a or b", ["a", "b"]),
    ],
)
def test_gate_knows_what_a_rule_reads(expression: str, expected: list[str]) -> None:
    assert selectors(expression) == expected
