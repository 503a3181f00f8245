"""Prometheus: scrapes, evaluates the rules, sends alerts to Alertmanager.

Flags: prometheus.io/docs/prometheus/latest/command-line/prometheus.
"""

from pathlib import Path
from typing import Any

from stack.run import front, guard, probes, reloads
from stack.run.render import render
from stack.run.service import Layout, Service
from stack.run.services import victoria
from stack.run.validity import of_program
from stack.yamltext import load

PORT = 9090


def config(layout: Layout) -> dict[str, str]:
    """prometheus.yml and the rule files, resolved and scaled for the instance."""
    from stack import speed

    source = layout.config_root / "prometheus"
    main = load(source / "prometheus.yml")
    if remotes := layout.remote_write.entries():
        main["remote_write"] = [*(main.get("remote_write") or ()), *remotes]
    main["scrape_configs"] = [*main["scrape_configs"], *_of_optional(layout)]
    scaled = speed.scale_prometheus(main, layout.speed)
    scrape_s = speed.scrape_interval(scaled)
    files = {"prometheus.yml": render(scaled, layout, file=source / "prometheus.yml")}
    for path in sorted((source / "rules").glob("*.yml")):
        rules = speed.scale_rules(
            load(path),
            layout.speed,
            scrape_interval_s=scrape_s,
            written_scrape_s=speed.scrape_interval(main),
            evaluation_interval_s=speed.evaluation_interval(main),
            file=str(path),
        )
        files[f"rules/{path.name}"] = render(rules, layout, file=path)
    return files


def _of_optional(layout: Layout) -> list[dict[str, Any]]:
    """The jobs of services that only some instances have."""
    return [
        {
            "job_name": name,
            "sample_limit": 10_000,
            "static_configs": [{"targets": [f"{name}:{port}"], "labels": {"instance": name}}],
        }
        for name, port in ((victoria.NAME, victoria.PORT),)
        if name in layout.ports
    ]


def check(layout: Layout, rendered: Path | None) -> None:
    """By promtool: first each file that people edit, then all together as rendered."""
    source = layout.config_root / "prometheus"
    promtool = layout.program("prometheus", "promtool")
    main = source / "prometheus.yml"
    of_program(main, [promtool, "check", "config", "--syntax-only", str(main)])
    for path in sorted((source / "rules").glob("*.yml")):
        of_program(path, [promtool, "check", "rules", "--lint=none", str(path)])
    if rendered:
        main = rendered / "prometheus.yml"
        of_program(main, [promtool, "check", "config", "--lint=none", str(main)])


def command(layout: Layout) -> list[str]:
    from stack import speed

    return [
        layout.program("prometheus", "prometheus"),
        f"--config.file={layout.config(SERVICE.name) / 'prometheus.yml'}",
        f"--storage.tsdb.path={layout.data(SERVICE.name)}",
        *guard.listening(layout, SERVICE.name),
        *front.reached_by(layout, SERVICE.name),
        "--web.enable-lifecycle",
        "--web.enable-admin-api",  # for backups: nginx lets nobody ask for it
        *speed.prometheus_flags(layout.speed),
    ]


SERVICE = Service(
    name="prometheus",
    about="metrics and alert rules",
    ports={"http": PORT},
    guarded=True,
    package="prometheus",
    config=config,
    check=check,
    command=command,
    reload=reloads.post("prometheus"),
    ready=probes.http("prometheus", "/-/ready"),
    health=("/-/healthy", "/-/ready"),
    # The last of its targets to come up: one that is not there yet would be taken for down.
    after=("nginx", "blackbox-exporter", "promtail", "grafana", "proxy", "victoria"),
    page="/classic/alerts",
)
