"""What the services use, as text in Prometheus' format under cAdvisor's names. Pure.

Format: prometheus.io/docs/instrumenting/exposition_formats.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stack.programs.cadvisor.census import Usage

CPU_PERIOD = 100_000
"""Microseconds over which a quota is counted; Docker's default for `cpus`."""

UNKNOWN = "unknown"
"""Image of a service that the instance's configuration does not list."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What is known about a service without looking at it."""

    image: str = UNKNOWN
    cpu_limit: float | None = None
    """Cores."""
    memory_limit_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine that they all share."""

    cpu_cores: int
    memory_bytes: int
    kernel: str


Sample = tuple[str, float]
"""Labels as they stand between the braces, and the value."""

Family = tuple[str, str, str, list[Sample]]
"""Name, type, help text and samples."""


def render(
    used: Sequence[Usage],
    declared: Mapping[str, Declared],
    machine: Machine,
    *,
    instance: str,
    now: float,
    failed: bool,
) -> str:
    """All metrics. `instance` is its name, `now` is in Unix seconds; `failed`: nothing was seen."""
    known = [(usage, declared.get(usage.name, Declared())) for usage in used]
    labels = {usage.name: _labels(usage, about, instance) for usage, about in known}

    def each(value: str) -> list[Sample]:
        return [(labels[usage.name], getattr(usage, value)) for usage in used]

    families: list[Family] = [
        ("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.",
         [(f'{text},cpu="total"', value) for text, value in each("cpu_s")]),
        ("container_last_seen", "gauge", "Last time a container was seen by the exporter",
         [(labels[usage.name], int(now)) for usage in used]),
        ("container_memory_usage_bytes", "gauge",
         "Current memory usage in bytes, including all memory regardless of when it was accessed",
         each("memory_bytes")),
        ("container_memory_working_set_bytes", "gauge", "Current working set in bytes.",
         each("memory_bytes")),
        ("container_scrape_error", "gauge",
         "1 if there was an error while getting container metrics, 0 otherwise", [("", failed)]),
        ("container_spec_cpu_period", "gauge", "CPU period of the container.",
         [(labels[usage.name], CPU_PERIOD) for usage in used]),
        ("container_spec_cpu_quota", "gauge", "CPU quota of the container.",
         [(labels[usage.name], round(about.cpu_limit * CPU_PERIOD))
          for usage, about in known if about.cpu_limit]),
        ("container_spec_memory_limit_bytes", "gauge", "Memory limit for the container.",
         [(labels[usage.name], about.memory_limit_bytes or 0) for usage, about in known]),
        ("container_start_time_seconds", "gauge",
         "Start time of the container since unix epoch in seconds.", each("started")),
        *_machine(machine),
    ]  # fmt: skip
    return "".join(line for family in families for line in _lines(*family))


def _machine(machine: Machine) -> list[Family]:
    build = (
        f'kernelVersion="{_escaped(machine.kernel)}",osVersion="no container: processes of the lab"'
        ',dockerVersion="",cadvisorVersion="residency-lab",cadvisorRevision=""'
    )
    return [
        ("cadvisor_version_info", "gauge",
         "A metric with a constant '1' value labeled by kernel version, OS version, docker version,"
         " cadvisor version & cadvisor revision. This is not cAdvisor but the lab's own exporter.",
         [(build, 1)]),
        ("machine_cpu_cores", "gauge", "Number of logical CPU cores.", [("", machine.cpu_cores)]),
        ("machine_memory_bytes", "gauge", "Amount of memory installed on the machine.",
         [("", machine.memory_bytes)]),
    ]  # fmt: skip


def _labels(usage: Usage, about: Declared, instance: str) -> str:
    """As cAdvisor labels a container of Docker Compose; the id outlives restarts, as there."""
    pairs = {
        "container_label_com_docker_compose_project": instance,
        "container_label_com_docker_compose_service": usage.name,
        "id": f"/residency-lab/{instance}/{usage.name}",
        "image": about.image,
        "name": usage.name,
    }
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _lines(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        yield f"{name}{{{labels}}} {float(value)!r}\n" if labels else f"{name} {float(value)!r}\n"
