"""A stack that writes to VictoriaMetrics has it as a service, keeps it, and lets go of it."""

from pathlib import Path

import httpx
import pytest

from stack import loopback
from stack.run.instance import Instance
from stack.run.lifecycle import bring_up
from stack.run.remote import RemoteWrite
from stack.run.supervisor import processes
from tests.waiting import eventually

NAME = "remote"

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def instance(state_dir: Path) -> Instance:
    return bring_up(NAME, speed=15.0, free_ports=True, remote_write=RemoteWrite(to="victoria"))


def asked(instance: Instance, service: str, query: str) -> list[dict[str, object]]:
    url = f"{instance.url(service)}/api/v1/query"
    found: list[dict[str, object]] = loopback.request("GET", url, query={"query": [query]}).json()[
        "data"
    ]["result"]
    return found


def test_what_prometheus_scrapes_is_there_and_all_targets_are_up(instance: Instance) -> None:
    jobs = len(asked(instance, "prometheus", "up"))
    assert jobs > 10

    def there() -> bool:
        return len(asked(instance, "victoria", "up")) == jobs

    eventually(there, "every job in VictoriaMetrics", within_s=60)
    eventually(lambda: asked(instance, "prometheus", 'up{job="victoria"} == 1'))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/admin/tsdb/delete_series?match[]=up", 403),
        ("/prometheus/api/v1/admin/tsdb/delete_series?match[]=up", 401),
        ("/delete_series?match[]=up", 400),
        ("/tags/delSeries?path=up", 401),
        ("/snapshot/create", 401),
        ("/internal/force_merge", 401),
        ("/internal/resetRollupResultCache", 401),
        ("/-/reload", 401),
        ("/debug/pprof/profile?seconds=1", 401),
        ("/flags", 401),
    ],
)
def test_nothing_is_deleted_or_told_by_an_address_that_a_page_may_open(
    instance: Instance, path: str, status: int
) -> None:
    assert loopback.request("GET", instance.url("victoria") + path).status_code == status


def test_nobody_gets_past_nginx_without_the_instance_s_password(instance: Instance) -> None:
    at = f"http://{loopback.BEHIND}:{instance.port('victoria')}/api/v1/query?query=up"
    assert httpx.get(at, trust_env=False).status_code == 401


def test_it_stays_until_it_is_told_to_go(instance: Instance) -> None:
    assert instance.record.remote_write == RemoteWrite(to="victoria")
    again = bring_up(NAME, speed=15.0, free_ports=True)
    assert again.record.remote_write == RemoteWrite(to="victoria")
    assert again.service_running("victoria")
    without = bring_up(NAME, speed=15.0, free_ports=True, remote_write=RemoteWrite())
    assert "victoria" not in without.ports
    names = {one.name() for one in processes(without.directory)}
    assert not any("victoria" in name for name in names)
    assert "remote_write" not in (without.config_dir / "prometheus/prometheus.yml").read_text()
