"""Stages: the dwell clock starts when the users are there."""

import importlib
from types import ModuleType, SimpleNamespace

import pytest


@pytest.fixture(scope="module")
def shapes() -> ModuleType:
    """Imported without locust patching the standard library under pytest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        return importlib.import_module("loadgen.shapes")


@pytest.mark.parametrize(
    ("index", "reached_s", "now_s", "following"),
    [(0, None, 99.0, 0), (0, 5.0, 9.9, 0), (0, 5.0, 10.0, 1), (1, 5.0, 1e9, 1)],
    ids=["users not there yet", "dwelling", "over", "endless"],
)
def test_stage_follows_when_its_dwell_is_over(
    shapes: ModuleType, index: int, reached_s: float | None, now_s: float, following: int
) -> None:
    stages = (shapes.Stage(users=4, dwell_s=5), shapes.Stage(users=10))
    assert shapes.stage_at(stages, index, reached_s, now_s) == following


def test_shape_walks_its_stages_and_ends_with_run_time(
    shapes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = shapes.ClinicMorning()
    options = SimpleNamespace(run_time=10)
    shape.runner = SimpleNamespace(
        user_count=0, environment=SimpleNamespace(parsed_options=options)
    )
    clock = {"s": 0.0}
    monkeypatch.setattr(shape, "get_run_time", lambda: clock["s"])
    seen = []
    for clock["s"], users in ((0.0, 0), (3.0, 4), (3.9, 4), (4.1, 4), (9.9, 10), (10.0, 10)):
        shape.runner.user_count = users
        seen.append(shape.tick() and shape.tick()[0])
    assert seen == [4, 4, 4, 10, 10, None]
