"""Whatever somebody sends, the program that it goes to stays within its memory, nothing is started
again, and a moment later all is well. How much and how long: `tests.bench.bench_exhaustion`."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.services import SERVICES
from tests.exhaustion.cases import CASES, Case
from tests.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.alone, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def stack(state_dir: Path) -> Iterator[Instance]:
    with running("exhausted", speed=60.0) as instance:
        yield instance


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_stack_does_not_fall_over(stack: Instance, case: Case) -> None:
    before = {name: stack.pid(name) for name in SERVICES}
    case.send(stack)
    eventually(
        lambda: not [why for one in SERVICES.values() if (why := one.ready(stack.layout))],
        "every service to answer",
        within_s=30,
    )
    assert {name: stack.pid(name) for name in SERVICES} == before
    limit = SERVICES[case.at].memory_limit_bytes
    if limit:
        assert psutil.Process(before[case.at]).memory_info().rss < limit
