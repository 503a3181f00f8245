"""The text of a scrape, read back as Prometheus' own client reads it."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from stack.programs.cadvisor.census import Usage
from stack.programs.cadvisor.exposition import Declared, Machine, render

WORKER = Usage(name="worker", started=1700000000.25, cpu_s=1.5, memory_bytes=12_000_000)
BACKEND = Usage(name="backend", started=1700000001.0, cpu_s=20.0, memory_bytes=60_000_000)
LIMITED = Declared(image="residency-lab", cpu_limit=0.25, memory_limit_bytes=64 * 1024 * 1024)
MACHINE = Machine(cpu_cores=2, memory_bytes=8_000_000_000, kernel="6.1.0")


def samples(*used: Usage, failed: bool = False, **declared: Declared) -> dict[str, dict[str, Any]]:
    """Metric → value of the label `name` (empty without one) → value."""
    text = render(used, declared, MACHINE, instance="default", now=1700000002.9, failed=failed)
    return {
        sample.name: {one.labels.get("name", ""): one.value for one in family.samples}
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labels(text: str, metric: str) -> dict[str, str]:
    return next(
        dict(sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric
    )


def test_exposition_without_services_still_shows_the_machine() -> None:
    found = samples()
    assert found["machine_cpu_cores"] == {"": 2}
    assert found["machine_memory_bytes"] == {"": 8e9}
    assert found["container_scrape_error"] == {"": 0}
    assert "container_last_seen" not in found


def test_exposition_says_that_nothing_was_seen() -> None:
    assert samples(failed=True)["container_scrape_error"] == {"": 1}


def test_exposition_gives_what_each_service_uses() -> None:
    found = samples(BACKEND, WORKER, worker=LIMITED)
    assert found["container_cpu_usage_seconds_total"] == {"backend": 20, "worker": 1.5}
    assert found["container_memory_working_set_bytes"] == {"backend": 6e7, "worker": 1.2e7}
    assert found["container_memory_usage_bytes"] == {"backend": 6e7, "worker": 1.2e7}
    assert found["container_start_time_seconds"] == {
        "backend": 1700000001, "worker": 1700000000.25,
    }  # fmt: skip
    assert found["container_last_seen"] == {"backend": 1700000002, "worker": 1700000002}


def test_exposition_gives_limits_as_docker_counts_them() -> None:
    found = samples(BACKEND, WORKER, worker=LIMITED)
    assert found["container_spec_cpu_quota"] == {"worker": 25000}, "no limit, no quota"
    assert found["container_spec_cpu_period"] == {"backend": 100000, "worker": 100000}
    assert found["container_spec_memory_limit_bytes"] == {"backend": 0, "worker": 67108864}


def test_exposition_labels_are_those_of_compose() -> None:
    text = render([WORKER], {"worker": LIMITED}, MACHINE, instance="default", now=0, failed=False)
    assert labels(text, "container_last_seen") == {
        "name": "worker",
        "id": "/residency-lab/default/worker",
        "image": "residency-lab",
        "container_label_com_docker_compose_project": "default",
        "container_label_com_docker_compose_service": "worker",
    }
    assert labels(text, "container_cpu_usage_seconds_total")["cpu"] == "total"
    assert labels(text, "cadvisor_version_info")["cadvisorVersion"] == "residency-lab"


def test_exposition_survives_odd_names() -> None:
    odd = Usage(name='a"b\\c\nd', started=1, cpu_s=1, memory_bytes=1)
    text = render([odd], {}, MACHINE, instance="default", now=0, failed=False)
    found = labels(text, "container_last_seen")
    assert (found["name"], found["image"]) == ('a"b\\c\nd', "unknown")
