"""A real locust against real servers whose knee can be computed."""

import os
import time
from pathlib import Path

import pytest

from scenarios.capacity.bench import Bench
from scenarios.capacity.search import Plan, Search
from tests.scenarios.capacity.made import OBJECTIVE
from tests.scenarios.capacity.stand_in import Pooled, instance_of, instant

pytestmark = [pytest.mark.nightly, pytest.mark.alone, pytest.mark.timeout(500)]

# Some arrivals are a request and another one that follows from its answer: of a stand-in's answer,
# which is an empty list, nothing follows.


@pytest.mark.parametrize(
    ("connections", "service_s"), [(4, 0.05), (1, 0.02)], ids=["4 x 50 ms", "1 x 20 ms"]
)
def test_knee_of_a_pool_is_found_within_five_percent_and_the_pool_named(
    connections: int, service_s: float, tmp_path: Path
) -> None:
    with (
        Pooled(connections, service_s) as server,
        instance_of(server.port, tmp_path, os.getpid()) as instance,
        Bench(instance, tmp_path) as bench,
    ):
        found = Search(bench, OBJECTIVE, Plan(), time.monotonic).run()
    assert found.knee == pytest.approx(server.capacity, rel=0.05), found
    assert found.limit.what == "database pool", found.limit


def test_server_that_answers_at_once_shows_the_generator_as_the_limit(tmp_path: Path) -> None:
    with (
        instant(tmp_path) as (port, pid),
        instance_of(port, tmp_path, pid) as instance,
        Bench(instance, tmp_path) as bench,
    ):
        found = Search(bench, OBJECTIVE, Plan(start=100), time.monotonic).run()
    assert found.limit.is_generator, (found.limit, [one.usage for one in found.steps])
    assert found.knee is None or found.low > 100
