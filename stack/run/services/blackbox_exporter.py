"""blackbox_exporter: asks the scheduler from outside whether it can serve.

Modules: github.com/prometheus/blackbox_exporter, CONFIGURATION.md. What is asked stands in
prometheus.yml.
"""

from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlencode

from stack.errors import BadInput
from stack.loopback import HOST
from stack.run import guard, probes, reloads
from stack.run.render import render
from stack.run.service import Layout, Service
from stack.run.validity import of_program, of_reader
from stack.yamltext import load

PORT = 9115

_PROBERS = ("http", "tcp", "icmp", "dns", "grpc")
"""Of blackbox_exporter 0.26."""

_ANSWER_S = 0.05
"""Seconds of Prometheus' scrape timeout that are kept for the way back, so that a probe which runs
out of time shows as a failed probe and not as a dead exporter."""


def config(layout: Layout) -> dict[str, str]:
    source = layout.config_root / "blackbox" / "blackbox.yml"
    return {"blackbox.yml": render(load(source), layout, file=source)}


def check(layout: Layout, rendered: Path | None) -> None:
    """By the exporter itself, which learns only from a probe that it does not know a prober."""
    source = layout.config_root / "blackbox" / "blackbox.yml"
    program = layout.program("blackbox_exporter", "blackbox_exporter")
    of_program(source, [program, "--config.check", f"--config.file={source}"])
    for name, module in (load(source).get("modules") or {}).items():
        prober = str(module.get("prober", ""))
        if prober not in _PROBERS:
            near = get_close_matches(prober, _PROBERS, n=1) or list(_PROBERS)
            with of_reader(source):
                raise BadInput(
                    f"`modules.{name}.prober` is `{prober}`, which the exporter does not know.",
                    cure=f"Did you mean {' or '.join(near)}? Nothing was started or stopped.",
                )


def _modules(layout: Layout) -> list[str]:
    rendered = layout.config(SERVICE.name) / "blackbox.yml"
    return list(load(rendered).get("modules") or {})


def ready(layout: Layout) -> str | None:
    """Ready when it can probe with each module, whatever the outcome. What is asked is the exporter
    itself: it is there."""
    own = f"{HOST}:{layout.port(SERVICE.name)}/-/healthy"
    for name in _modules(layout):
        query = urlencode({"module": name, "target": own})
        reason = probes.http(SERVICE.name, f"/probe?{query}", contains="\nprobe_success ")(layout)
        if reason:
            return reason
    return None


def command(layout: Layout) -> list[str]:
    return [
        layout.program("blackbox_exporter", "blackbox_exporter"),
        f"--config.file={layout.config(SERVICE.name) / 'blackbox.yml'}",
        *guard.listening(layout, SERVICE.name),
        f"--timeout-offset={_ANSWER_S}",
    ]


SERVICE = Service(
    name="blackbox-exporter",
    about="asks the scheduler whether it can serve",
    ports={"http": PORT},
    guarded=True,
    package="blackbox_exporter",
    config=config,
    check=check,
    command=command,
    reload=reloads.post("blackbox-exporter"),
    ready=ready,
    health=("/-/healthy",),
    # A scheduler that is seeding its database for the first time is not a failing one.
    after=("nginx", "backend"),
)
