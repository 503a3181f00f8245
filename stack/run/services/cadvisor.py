"""Metrics of each service as if it ran in a container; the lab's own, under cAdvisor's names."""

import json
import sys
from collections.abc import Mapping

from stack.run import probes
from stack.run.service import Layout, Service

NAME = "cadvisor"
PORT = 8080

OWN_IMAGE = "residency-lab"
"""Image of the lab's own programs; the others' is the name of their store path."""


def config(layout: Layout, services: Mapping[str, Service]) -> dict[str, str]:
    """What the exporter must know of each service and cannot see: its image and its limits."""

    def image(service: Service) -> str:
        # Loki, Promtail and Grafana run from packages of their names where the instance has these.
        package = service.package or service.name
        return layout.packages[package].name if package in layout.packages else OWN_IMAGE

    known = {
        service.name: {
            "image": image(service),
            "cpu_limit": service.cpu_limit,
            "memory_limit_bytes": service.memory_limit_bytes,
        }
        for service in services.values()
    }
    return {"containers.json": json.dumps(known, indent=1)}


def command(layout: Layout) -> list[str]:
    program = [sys.executable, "-m", "stack.programs.cadvisor"]
    return [*program, "--port", str(layout.port(NAME)), "--instance", str(layout.directory)]


def service(services: Mapping[str, Service]) -> Service:
    """The exporter of `services`, which it may be one of."""
    return Service(
        name=NAME,
        about="metrics of each service as a container",
        ports={"http": PORT},
        config=lambda layout: config(layout, services),
        command=command,
        ready=probes.http(NAME, "/metrics", contains="container_last_seen{"),
        health=("/healthz",),
    )
