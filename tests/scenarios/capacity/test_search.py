"""The knee of servers whose capacity can be computed, and what limits them."""

from dataclasses import replace

import pytest

from scenarios.capacity.objective import Objective
from scenarios.capacity.search import Found, Plan, Search
from scenarios.capacity.window import Verdict
from tests.scenarios.capacity.simulated import Simulated

OBJECTIVE = Objective(quantile=0.95, latency_s=2, errors=0.05, looks_s=300, horizon_s=600,
                      source="a test")  # fmt: skip


USUAL = Plan()


def searched(server: Simulated, plan: Plan = USUAL, objective: Objective = OBJECTIVE) -> Found:
    return Search(server, objective, plan, server.clock).run()


@pytest.mark.parametrize(
    ("servers", "service_s", "noise"),
    [(1, 0.005, 0.0), (1, 0.0047, 0.5), (20, 0.1, 0.3), (4, 0.07, 0.9), (1, 0.03, 0.0),
     (50, 0.02, 0.5)],
)  # fmt: skip
def test_knee_is_the_capacity_within_five_percent_in_six_minutes(
    servers: int, service_s: float, noise: float
) -> None:
    server = Simulated(servers=servers, service_s=service_s, noise=noise)
    found = searched(server)
    assert not found.ended
    assert found.knee == pytest.approx(server.capacity, rel=0.05)
    assert found.low * 0.98 <= server.capacity <= (found.high or 0) * 1.02
    assert found.limit.what == "CPU of backend"
    assert server.now <= 360


def test_pool_that_is_full_is_named() -> None:
    server = Simulated(servers=20, service_s=0.1, resource="database pool")
    assert searched(server).limit.what == "database pool"


def test_instant_server_shows_the_limit_of_the_generator() -> None:
    found = searched(Simulated(servers=1, service_s=0.0, generator=700))
    assert found.limit.is_generator
    assert "late for" in found.limit.evidence or "offered" in found.limit.evidence


def test_slow_generator_before_a_fast_server_is_no_result() -> None:
    found = searched(Simulated(servers=1, service_s=0.001, generator=400))
    assert found.limit.is_generator


def test_errors_decide_as_latency_does() -> None:
    found = searched(Simulated(servers=1, service_s=0.001, errors=0.2))
    [step] = found.steps
    assert step.verdict is Verdict.BREACHES
    assert "failed, the limit is 5 %" in step.why
    assert found.low == 0
    assert found.knee is None


def test_objective_that_no_rate_holds_is_found_at_the_first() -> None:
    found = searched(Simulated(servers=10, service_s=3.0), Plan(start=1))
    assert found.low == 0
    assert "over 2 s" in found.steps[0].why


def test_tighter_objective_is_asked_of_latency_itself() -> None:
    """One request takes longer than it may, so no rate will do, however low."""
    strict = replace(OBJECTIVE, latency_s=0.01)
    assert searched(Simulated(servers=50, service_s=0.02), objective=strict).low == 0


def test_search_that_holds_everywhere_ends_at_the_highest() -> None:
    found = searched(Simulated(servers=1, service_s=0.0), Plan(highest=300))
    assert found.ended == "it held up to 300 arrivals/s, the highest tried"
    assert found.low == 300
    assert found.knee is None


def test_search_out_of_time_says_so_and_keeps_what_it_has() -> None:
    server = Simulated(servers=1, service_s=0.005)
    found = searched(server, Plan(budget_s=60))
    assert found.ended == "time was over after 60 s"
    assert server.now <= 70
    assert found.low


def test_server_that_dies_makes_its_step_void_and_keeps_the_others() -> None:
    found = searched(Simulated(servers=1, service_s=0.001, dies_at=100))
    assert found.ended == "the scheduler died; that step is void"
    assert found.low == 80


def test_hiccup_is_no_breach() -> None:
    """One window in which all is slow, as when something else takes the machine for a moment."""

    class Hiccup(Simulated):
        windows = 0

        def measure(self, seconds: float):  # type: ignore[no-untyped-def]
            window = super().measure(seconds)
            self.windows += 1
            if self.windows != 5:
                return window
            return replace(window, by_name={"GET /": [9.0] * len(window.latencies)})

    server = Hiccup(servers=1, service_s=0.005)
    found = searched(server)
    assert found.knee == pytest.approx(server.capacity, rel=0.05)


def test_three_searches_agree_within_five_percent() -> None:
    knees = []
    for seed in (1, 2, 3):
        server = Simulated(servers=1, service_s=0.0047, noise=0.8)
        server._chance.seed(seed)
        knees.append(searched(server).knee or 0)
    assert max(knees) / min(knees) <= 1.05
