"""Alertmanager: groups alerts and routes them to Slack, PagerDuty and email.

Flags: prometheus.io/docs/alerting/latest/configuration. One process, so gossip is off.
"""

from pathlib import Path

from stack.run import front, guard, probes, reloads
from stack.run.render import render, render_template
from stack.run.service import Layout, Service
from stack.run.validity import of_program
from stack.yamltext import load

PORT = 9093


def config(layout: Layout) -> dict[str, str]:
    """alertmanager.yml, resolved and scaled for the instance, and its templates, resolved."""
    from stack import speed

    source = layout.config_root / "alertmanager"
    main = source / "alertmanager.yml"
    scaled = speed.scale_alertmanager(load(main), layout.speed)
    files = {"alertmanager.yml": render(scaled, layout, file=main)}
    for path in sorted((source / "templates").glob("*.tmpl")):
        text = path.read_text()
        files[f"templates/{path.name}"] = render_template(text, layout, file=path)
    return files


def check(layout: Layout, rendered: Path | None) -> None:
    """By amtool, the templates as well."""
    amtool = layout.program("alertmanager", "amtool")
    for folder in (layout.config_root / "alertmanager", rendered):
        if folder:
            main = folder / "alertmanager.yml"
            of_program(main, [amtool, "check-config", str(main)])


def command(layout: Layout) -> list[str]:
    from stack import speed

    return [
        layout.program("alertmanager", "alertmanager"),
        f"--config.file={layout.config(SERVICE.name) / 'alertmanager.yml'}",
        f"--storage.path={layout.data(SERVICE.name)}",
        *guard.listening(layout, SERVICE.name),
        *front.reached_by(layout, SERVICE.name),
        "--cluster.listen-address=",
        # What is silenced and what was sent is on the disk so soon: a crash or a backup loses less.
        "--data.maintenance-interval=5s",
        *speed.alertmanager_flags(layout.speed),
    ]


SERVICE = Service(
    name="alertmanager",
    about="routes alerts to channels",
    ports={"http": PORT},
    guarded=True,
    package="alertmanager",
    config=config,
    check=check,
    command=command,
    reload=reloads.post("alertmanager"),
    ready=probes.http("alertmanager", "/-/ready"),
    health=("/-/healthy", "/-/ready"),
    after=("nginx",),
)
