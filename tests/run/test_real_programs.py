"""What the lab promises of its logs and dashboards, whoever keeps and shows them: each claim is
tried with the lab's own programs and, where their releases are at hand, with the real ones."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.check import offered
from stack.paths import CONFIG_ROOT
from stack.run.choice import GRAFANA, LOGS, Choice
from stack.run.instance import Instance
from stack.run.lifecycle import running
from stack.run.secrets import DEVELOPMENT_PASSWORD
from stack.run.services import SERVICES
from stack.run.startup import start_all
from stack.store.optional import absent
from stack.store.packageset import PackageSet, closures
from stack.yamltext import load
from tests.waiting import eventually

SPEED = 60.0
ADMIN = ("admin", DEVELOPMENT_PASSWORD)

Run = Callable[[Choice, str], Instance]


@pytest.fixture(scope="module")
def run(state_dir: Path) -> Iterator[Run]:
    """Brings up an instance with one variant of a choice, and with the lab's own for the other."""
    with ExitStack() as kept, pytest.MonkeyPatch.context() as patch:

        def begin(choice: Choice, variant: str) -> Instance:
            if variant == choice.real:
                skip_unless_at_hand(choice)
            for each in (LOGS, GRAFANA):
                patch.setenv(each.variable, variant if each is choice else each.own)
            instance = kept.enter_context(running(f"with-{variant}", speed=SPEED))
            assert choice.of(instance.layout.packages) == variant
            return instance

        yield begin


def skip_unless_at_hand(choice: Choice) -> None:
    host = PackageSet()
    lock = host.pinned()
    needed = closures(choice.packages, host.derivations(lock))
    if missing := absent(needed.values(), host.store(lock)):
        pytest.skip(f"not run: no artifact of {missing[0].name} {missing[0].version}")


@pytest.fixture(scope="module", params=[LOGS.own, LOGS.real])
def logs(request: pytest.FixtureRequest, run: Run) -> Instance:
    return run(LOGS, request.param)


@pytest.fixture(scope="module", params=[GRAFANA.own, GRAFANA.real])
def dashboards(request: pytest.FixtureRequest, run: Run) -> Instance:
    return run(GRAFANA, request.param)


def answer(instance: Instance, service: str, path: str, **asked: Any) -> httpx.Response:
    """What the service answers; parameters of httpx.request, a GET unless it says otherwise."""
    url = instance.layout.url(service, "http") + path
    return httpx.request(asked.pop("method", "GET"), url, timeout=20, **asked)


def got(instance: Instance, service: str, path: str, **asked: Any) -> Any:
    found = answer(instance, service, path, **asked)
    assert found.status_code == 200, f"{path}: {found.status_code} {found.text[:300]}"
    return found.json()


@pytest.mark.parametrize(
    "service", ["residency-scheduler-backend", "postgresql", "supervisord", "prometheus"]
)
def test_lines_arrive_with_service_and_level(logs: Instance, service: str) -> None:
    asked = {"query": f'{{service="{service}", level=~".+"}}', "limit": "1"}

    def streams() -> Any:
        found = got(logs, "loki", "/loki/api/v1/query_range", params=asked)
        return found["data"]["result"]

    [stream, *_] = eventually(streams, f"a line of {service}")
    assert set(stream["stream"]) >= {"job", "service", "level"}
    assert "filename" not in stream["stream"]


def test_log_rules_are_evaluated_without_trouble(logs: Instance) -> None:
    files = sorted((CONFIG_ROOT / "loki" / "rules").glob("*.yml"))
    wanted = {
        rule.get("alert") or rule["record"]
        for file in files
        for group in load(file)["groups"]
        for rule in group["rules"]
    }

    def healthy() -> set[str]:
        found = got(logs, "loki", "/prometheus/api/v1/rules")["data"]["groups"]
        rules = [rule for group in found for rule in group["rules"]]
        assert not any(rule.get("lastError") for rule in rules), rules
        return {rule["name"] for rule in rules if rule["health"] == "ok"}

    eventually(lambda: healthy() == wanted, f"rules to be evaluated: {wanted}")


WITH_ITS_EVENT = {"loki_discarded_samples_total"}
"""What Loki offers only once it has refused a line."""


def test_metrics_that_rules_and_panels_read_are_offered(logs: Instance) -> None:
    files = [
        *(CONFIG_ROOT / "prometheus" / "rules").glob("*.yml"),
        *(CONFIG_ROOT / "grafana" / "dashboards").glob("*.json"),
    ]
    found = re.findall(r"\b(?:loki|promtail)_\w+", "".join(file.read_text() for file in files))
    read = set(found) - WITH_ITS_EVENT
    table = offered.table().jobs
    wanted = {
        (job, name): table[job][name] or frozenset()
        for job in ("loki", "promtail")
        for name in read & table[job].keys()
    }
    assert {name for _, name in wanted} == read

    def there() -> bool:
        now = offered.ask(logs.url("prometheus")).jobs
        lacking = [
            f"{name} {sorted(labels)}"
            for (job, name), labels in wanted.items()
            if not labels <= (now.get(job, {}).get(name) or frozenset())
            or name not in now.get(job, {})
        ]
        assert not lacking, lacking
        return True

    eventually(there, "what is read to be offered")


def test_query_that_is_wrong_is_refused_with_its_reason(logs: Instance) -> None:
    found = answer(logs, "loki", "/loki/api/v1/query_range", params={"query": '{service="backend"'})
    assert found.status_code == 400
    assert found.text.startswith("parse error at line 1, col 19: syntax error")


def test_shipper_is_ready_without_a_warning_for_each_time_that_it_was_not(logs: Instance) -> None:
    told = logs.layout.log("promtail").read_text()
    assert "/ready" not in told


def test_shipper_is_stopped_before_the_store_and_neither_is_killed(logs: Instance) -> None:
    logs.take_down()
    try:
        told = logs.layout.log("supervisord").read_text()
        assert told.rindex("stopped: promtail") < told.rindex("stopped: loki")
        assert "with SIGKILL" not in told
    finally:  # for the others
        logs.supervisor.start()
        start_all(logs.layout, logs.supervisor, SERVICES)


def test_sources_are_those_of_the_files_and_answer(dashboards: Instance) -> None:
    found = got(dashboards, "grafana", "/api/datasources", auth=ADMIN)
    assert {source["uid"] for source in found} == {"prometheus", "loki", "alertmanager"}
    assert [source["uid"] for source in found if source["isDefault"]] == ["prometheus"]
    for uid, path in (
        ("prometheus", "api/v1/query?query=up"),
        ("loki", "loki/api/v1/labels"),
        ("alertmanager", "api/v2/status"),
    ):
        got(dashboards, "grafana", f"/api/datasources/proxy/uid/{uid}/{path}", auth=ADMIN)


def test_everybody_finds_the_dashboards_of_the_files(dashboards: Instance) -> None:
    files = dashboards.layout.config("grafana") / "dashboards"
    wanted = {each["uid"]: each for each in map(read, files.glob("*.json"))}
    path = "/api/search?type=dash-db"

    def found() -> bool:
        return {one["uid"] for one in got(dashboards, "grafana", path)} == set(wanted)

    eventually(found, "the dashboards to be there")
    for uid, dashboard in wanted.items():
        shown = got(dashboards, "grafana", f"/api/dashboards/uid/{uid}")
        assert shown["meta"]["folderTitle"] == "Residency Scheduler"
        assert shown["meta"]["provisioned"]
        for key in ("title", "time", "refresh"):
            assert shown["dashboard"][key] == dashboard[key], (uid, key)
        assert [panel["id"] for panel in shown["dashboard"]["panels"]] == [
            panel["id"] for panel in dashboard["panels"]
        ]


def read(file: Path) -> Any:
    return json.loads(file.read_text())


def test_admin_marks_incidents_and_nobody_else_does(dashboards: Instance) -> None:
    at_ms = 1_795_000_000_000
    mark = {"text": "tried", "tags": ["incident"], "time": at_ms}
    path = "/api/annotations"
    refused = answer(dashboards, "grafana", path, method="POST", json=mark)
    assert refused.status_code in (401, 403)
    got(dashboards, "grafana", path, method="POST", json=mark, auth=ADMIN)
    asked = {"tags": "incident", "from": str(at_ms - 1), "to": str(at_ms + 1)}
    [found] = got(dashboards, "grafana", path, params=asked)
    assert (found["text"], found["time"]) == ("tried", at_ms)


def test_provisioning_has_nothing_to_complain_of(dashboards: Instance) -> None:
    lines = dashboards.layout.log("grafana").read_text().splitlines()
    told = [line for line in lines if "provisioning" in line or "plugin" in line]
    assert not [line for line in told if "level=error" in line or "level=warn" in line]
