"""Metrics of each service as if it ran in a container; the lab's own, under cAdvisor's names."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from stack.run import probes
from stack.run.service import OWN_MEMORY_BYTES, Layout, Service

NAME = "cadvisor"
PORT = 8080

Limit = TypeVar("Limit", int | None, float | None)

OWN_IMAGE = "residency-lab"
"""Image of the lab's own programs; the others' is the name of their store path."""


def config(layout: Layout, services: Mapping[str, Service]) -> dict[str, str]:
    """What the exporter must know of each service and cannot see: its image and its limits."""

    def package(service: Service) -> Path | None:
        # Loki, Promtail and Grafana run from packages of their names where the instance has these.
        return layout.packages.get(service.package or service.name)

    known = {
        service.name: {
            "image": own.name if (own := package(service)) else OWN_IMAGE,
            "cpu_limit": _all(service.cpu_limit, service, layout),
            # Nothing holds those to it that are not the lab's own.
            "memory_limit_bytes": None
            if package(service)
            else _all(service.memory_limit_bytes, service, layout),
        }
        for service in services.values()
        if service.name in layout.ports
    }
    return {"containers.json": json.dumps(known, indent=1)}


def _all(limit: Limit, service: Service, layout: Layout) -> Limit:
    """Of all its processes."""
    return limit and limit * service.processes(layout)


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
        memory_limit_bytes=OWN_MEMORY_BYTES,
        ready=probes.http(NAME, "/metrics", contains="container_last_seen{"),
        health=("/healthz",),
    )
