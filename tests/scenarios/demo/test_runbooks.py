"""The runbooks' commands while their alert fires: each says what its step promises."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from loadgen.traffic import Crew
from scenarios.demo.stage import Stage
from scenarios.proof.catalogue import find
from stack.run.instance import Instance
from stack.run.lifecycle import running
from tests import runbooks
from tests.waiting import eventually

SPEED = 60.0
SCENARIOS = {one.scenario.alert: one.scenario for one in find()}

pytestmark = pytest.mark.nightly

LASTS_S = 3600.0
"""Until the test ends it."""

WITHIN_S = 240.0
"""For an alert to fire or resolve, which takes seconds where nothing else runs."""


@pytest.fixture(scope="module")
def stage_of(state_dir: Path) -> Iterator[Callable[[str], Stage]]:
    """An instance on which the alert can fire in seconds; alerts of one speed share it."""
    with ExitStack() as stack:
        stages: dict[float, Stage] = {}

        def stage(alert: str) -> Stage:
            speed = SCENARIOS[alert].speed(SPEED)
            if speed not in stages:
                made = stack.enter_context(running(f"alarm-{speed:g}", speed=speed))
                stages[speed] = Stage(made.name, say=lambda words: None)
            return stages[speed]

        yield stage


def fires(instance: Instance, alert: str) -> bool:
    """By the engine that evaluates its rule. One that always fires is an alarm once it is gone."""
    for service, path in (("prometheus", "/api/v1/alerts"), ("loki", "/prometheus/api/v1/alerts")):
        try:
            answer = httpx.get(f"{instance.url(service)}{path}", timeout=10).raise_for_status()
            held = answer.json()["data"]["alerts"]
        except httpx.HTTPError:
            if SCENARIOS[alert].always:
                return True
            continue
        if any(one["labels"]["alertname"] == alert and one["state"] == "firing" for one in held):
            return not SCENARIOS[alert].always
    return False


def is_watched(instance: Instance) -> bool:
    """All is scraped, and was so for some scrapes: what was never there cannot be missed."""
    query = "min(min_over_time(up[5s])) * min(count_over_time(up[5s]))"
    reply = httpx.get(f"{instance.url('prometheus')}/api/v1/query", params={"query": query},
                      timeout=10).json()  # fmt: skip
    return any(float(one["value"][1]) >= 3 for one in reply["data"]["result"])


def keeps_its_promises(instance: Instance, alert: str) -> bool:
    """Fails with what its reader is not prepared for."""
    said = runbooks.played(instance, alert)
    assert not [line for one in said for line in one.surprises]
    return not all(one.empty for one in said)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("alert", sorted(SCENARIOS))
def test_runbook_shows_what_it_promises_during_its_alert(
    stage_of: Callable[[str], Stage], tmp_path: Path, alert: str
) -> None:
    stage = stage_of(alert)
    eventually(lambda: is_watched(stage.instance), "all targets to be scraped", within_s=WITHIN_S)
    stage.begin(stage.incidents[alert], LASTS_S)
    try:
        eventually(lambda: fires(stage.instance, alert), f"{alert} to fire", within_s=WITHIN_S)
        # A fast instance forgets in seconds what a busy machine did not scrape: then ask again.
        eventually(lambda: keeps_its_promises(stage.instance, alert), "what the runbook promises")
    finally:
        stage.end([alert])
    # The next alert begins on an instance that is well: its people are back at work, without whom
    # no schedule would be generated.
    incident = stage.incidents[alert]
    with Crew(stage.instance, tmp_path) as crew:
        crew.join(incident.scenario.traffic.kind, incident.found.file, lambda figures: None)
        eventually(
            lambda: not fires(stage.instance, alert), f"{alert} to resolve", within_s=WITHIN_S
        )
