"""Metrics of each service as if it ran in a container; the lab's own, under cAdvisor's names."""

import json
import sys

from stack.run import probes
from stack.run.service import Layout, Service

PORT = 8080

OWN_IMAGE = "residency-lab"
"""Image of the lab's own programs; the others' is the name of their store path."""


def config(layout: Layout) -> dict[str, str]:
    """What the exporter must know of each service and cannot see: its image and its limits."""
    from stack.run.services import SERVICES  # which names this module

    def image(service: Service) -> str:
        # Loki and Promtail run from the packages of their names where the instance has these.
        package = service.package or service.name
        return layout.packages[package].name if package in layout.packages else OWN_IMAGE

    known = {
        service.name: {
            "image": image(service),
            "cpu_limit": service.cpu_limit,
            "memory_limit_bytes": service.memory_limit_bytes,
        }
        for service in SERVICES.values()
    }
    return {"containers.json": json.dumps(known, indent=1)}


def command(layout: Layout) -> list[str]:
    program = [sys.executable, "-m", "stack.programs.cadvisor"]
    return [*program, "--port", str(layout.port(SERVICE.name)), "--instance", str(layout.directory)]


SERVICE = Service(
    name="cadvisor",
    about="metrics of each service as a container",
    ports={"http": PORT},
    config=config,
    command=command,
    ready=probes.http("cadvisor", "/metrics", contains="container_last_seen{"),
)
