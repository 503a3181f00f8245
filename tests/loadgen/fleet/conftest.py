"""What the stub scheduler itself answers, after some requests."""

from random import Random

import pytest

from stack.programs.scheduler.app import create_app
from stack.programs.scheduler.metrics import Metrics
from stack.programs.scheduler.settings import Settings


@pytest.fixture(scope="session")
def scheduler() -> Metrics:
    """The metrics of a stub scheduler that nobody has asked yet."""
    app = create_app(Settings(conninfo="host=127.0.0.1 port=1 dbname=x"))
    metrics: Metrics = app.state.services.metrics
    return metrics


@pytest.fixture(scope="session")
def idle(scheduler: Metrics) -> str:
    return scheduler.text().decode()


@pytest.fixture(scope="session")
def busy(idle: str, scheduler: Metrics) -> str:
    """After two hundred requests of three kinds."""
    random = Random(1)
    for _ in range(200):
        path = random.choice(["/api/people", "/api/people", "/api/schedule"])
        scheduler.requests.answered("GET", path, 200, random.expovariate(20))
    scheduler.validation_seconds.observe(0.02)
    return scheduler.text().decode()
