"""blackbox_exporter: asks the scheduler from outside whether it can serve.

Modules: github.com/prometheus/blackbox_exporter, CONFIGURATION.md. What is asked stands in
prometheus.yml.
"""

from stack.loopback import HOST
from stack.run import probes
from stack.run.render import render
from stack.run.service import Layout, Service
from stack.yamltext import load

PORT = 9115

_ANSWER_S = 0.05
"""Seconds of Prometheus' scrape timeout that are kept for the way back, so that a probe which runs
out of time shows as a failed probe and not as a dead exporter."""


def config(layout: Layout) -> dict[str, str]:
    source = layout.config_root / "blackbox" / "blackbox.yml"
    return {"blackbox.yml": render(load(source), layout, file=source)}


def command(layout: Layout) -> list[str]:
    return [
        layout.program("blackbox_exporter", "blackbox_exporter"),
        f"--config.file={layout.config(SERVICE.name) / 'blackbox.yml'}",
        f"--web.listen-address={HOST}:{layout.port(SERVICE.name)}",
        f"--timeout-offset={_ANSWER_S}",
    ]


SERVICE = Service(
    name="blackbox-exporter",
    about="asks the scheduler whether it can serve",
    ports={"http": PORT},
    package="blackbox_exporter",
    config=config,
    command=command,
    ready=probes.http("blackbox-exporter", "/-/healthy"),
    # A scheduler that is seeding its database for the first time is not a failing one.
    after=("backend",),
)
