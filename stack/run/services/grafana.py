"""Grafana, or the lab's own viewer: shows the dashboards.

Both are set up by the same provisioning files. Settings of Grafana:
grafana.com/docs/grafana/latest/setup-grafana/configure-grafana.
"""

import configparser
import io
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stack.durations import INTERVAL_FLOOR_S, milliseconds, scale_duration
from stack.errors import BadInput
from stack.loopback import HOST
from stack.run import probes
from stack.run.choice import GRAFANA
from stack.run.render import render
from stack.run.service import OWN_MEMORY_BYTES, Layout, Service
from stack.run.validity import of_reader
from stack.yamltext import load

PORT = 3001

HOME = "overview.json"
"""The dashboard that Grafana opens with."""

_DASHBOARDS = "/etc/grafana/dashboards"
"""Folder of the container, as the files name it."""

_EMPTY = "apiVersion: 1\n"

_WRONG = "Fix it and try again: nothing was started or stopped. `doit check` shows all problems."


def config(layout: Layout) -> dict[str, str]:
    """Provisioning files with the addresses and folders of the instance, dashboards at its speed,
    and for Grafana itself its settings.

    A data source's `timeInterval`, which is the scrape interval, is divided by the speed, too.
    """
    source = layout.config_root / "grafana"
    files = {}
    for file in _yaml_files(source / "provisioning" / "datasources"):
        document = _at_speed(load(file), layout, file)
        files[f"provisioning/datasources/{file.name}"] = render(document, layout, file=file)
    for file in _yaml_files(source / "provisioning" / "dashboards"):
        document = _placed(load(file), layout)
        files[f"provisioning/dashboards/{file.name}"] = render(document, layout, file=file)
    for file in sorted((source / "dashboards").glob("*.json")):
        files[f"dashboards/{file.name}"] = _dashboard(file, layout)
    if GRAFANA.of(layout.packages) == GRAFANA.real:
        files["grafana.ini"] = _settings(layout)
        # It takes folders that are not there for an error.
        files |= {f"provisioning/{kind}/none.yml": _EMPTY for kind in ("alerting", "plugins")}
    return files


def _dashboard(file: Path, layout: Layout) -> str:
    """The file's text at the instance's speed. Raises BadInput that names the file."""
    if layout.speed == 1:
        return file.read_text()
    from stack import speed
    from stack.programs.viewer import dashboards
    from stack.speed.dashboards import scale_dashboard

    prometheus = load(layout.config_root / "prometheus" / "prometheus.yml")
    scrape_s = speed.scrape_interval(speed.scale_prometheus(prometheus, layout.speed))
    try:
        document = dashboards.parse(file.read_bytes(), file.stem)
        scaled = scale_dashboard(document, layout.speed, scrape_interval_s=scrape_s)
    except BadInput as error:
        raise BadInput(f"{file}: {error.what}", cure=error.cure) from None
    return json.dumps(scaled, indent=1)


def _yaml_files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])


def _at_speed(document: Any, layout: Layout, file: Path) -> Any:
    """The document of data sources at the speed, but no shorter an interval than that of the job
    that is scraped least often: its rates would be empty.

    Whole seconds: of others Grafana makes windows such as `6.5s`, which PromQL does not know.
    """
    if not isinstance(document, dict) or not isinstance(document.get("datasources"), list):
        return document  # `check` says what is wrong with it
    floor_s = INTERVAL_FLOOR_S
    if layout.speed > 1:
        from stack import speed

        prometheus = load(layout.config_root / "prometheus" / "prometheus.yml")
        floor_s = speed.slowest_scrape(speed.scale_prometheus(prometheus, layout.speed))

    def one(source: Any) -> Any:
        options = source.get("jsonData") if isinstance(source, dict) else None
        if not isinstance(options, dict) or "timeInterval" not in options:
            return source
        written = str(options["timeInterval"])
        try:
            scaled_ms = milliseconds(scale_duration(written, layout.speed, floor_s=floor_s))
        except BadInput as error:
            raise BadInput(f"{file}: `timeInterval`: {error.what}", cure=error.cure) from None
        interval = written if layout.speed == 1 else f"{math.ceil(scaled_ms / 1000)}s"
        return {**source, "jsonData": {**options, "timeInterval": interval}}

    return {**document, "datasources": [one(source) for source in document["datasources"]]}


def _placed(node: Any, layout: Layout) -> Any:
    """The document with the container's folder as the instance's."""
    if isinstance(node, dict):
        return {key: _placed(value, layout) for key, value in node.items()}
    if isinstance(node, list):
        return [_placed(value, layout) for value in node]
    if isinstance(node, str) and (node == _DASHBOARDS or node.startswith(f"{_DASHBOARDS}/")):
        return str(layout.config(SERVICE.name) / "dashboards") + node.removeprefix(_DASHBOARDS)
    return node


def _settings(layout: Layout) -> str:
    """grafana.ini. It asks nobody outside, and nobody outside is let in."""
    folder, data = layout.config(SERVICE.name), layout.data(SERVICE.name)
    password, key = (layout.secret(f"grafana_{name}") for name in ("admin_password", "secret_key"))
    written = configparser.RawConfigParser()
    written.read_dict(
        {
            "paths": {
                "data": data,
                "logs": data / "log",
                "plugins": data / "plugins",
                "provisioning": folder / "provisioning",
            },
            "server": {"http_addr": HOST, "http_port": layout.port(SERVICE.name)},
            "analytics": {
                "enabled": "false",
                "reporting_enabled": "false",
                "check_for_updates": "false",
                "check_for_plugin_updates": "false",
                "feedback_links_enabled": "false",
            },
            "security": {
                "admin_user": "admin",
                "admin_password": f"$__file{{{password}}}",
                "secret_key": f"$__file{{{key}}}",
                "disable_gravatar": "true",
                "content_security_policy": "true",
            },
            "users": {"allow_sign_up": "false", "allow_org_create": "false"},
            "auth.anonymous": {"enabled": "true", "org_role": "Viewer"},
            "dashboards": {
                "default_home_dashboard_path": folder / "dashboards" / HOME,
                "min_refresh_interval": "1s",
            },
            "plugins": {
                "plugin_admin_enabled": "false",
                "public_key_retrieval_disabled": "true",
                "preinstall_disabled": "true",
            },
            "news": {"news_feed_enabled": "false"},
            "snapshots": {"enabled": "false", "external_enabled": "false"},
            "public_dashboards": {"enabled": "false"},
            # Prometheus and Loki evaluate the rules; Grafana only shows them.
            "unified_alerting": {"execute_alerts": "false"},
            "metrics": {"enabled": "true"},
            "log": {"mode": "console", "level": "info"},
            "log.console": {"format": "text"},
        }
    )
    text = io.StringIO()
    written.write(text)
    return text.getvalue()


def check(layout: Layout, rendered: Path | None) -> None:
    """By the viewer's own readers. Grafana itself knows more kinds of things than these do, and has
    no checker."""
    from stack.programs.viewer import dashboards, datasources

    source = layout.config_root / "grafana"
    real = GRAFANA.of(layout.packages) == GRAFANA.real
    readers: tuple[tuple[str, Callable[[Path], object]], ...] = (
        ("datasources", datasources.read_file),
        ("dashboards", dashboards.read_providers),
    )
    for folder, read in readers:
        for file in _yaml_files(source / "provisioning" / folder):
            with of_reader(file):
                if not real:
                    read(file)
    _check_dashboards(source / "dashboards")
    if rendered and not real:
        datasources.read(rendered / "provisioning" / "datasources")  # across files


def _check_dashboards(folder: Path) -> None:
    from stack.programs.viewer import dashboards

    problems, uids = [], dict[str, str]()
    for file in sorted(folder.glob("*.json")):
        try:
            document = dashboards.parse(file.read_bytes(), file.stem)
        except BadInput as error:
            problems.append(f"{file}: {error.what}.")
            continue
        first = uids.setdefault(document["uid"], file.name)
        if first != file.name:
            problems.append(f"{file}: its `uid` is `{document['uid']}`, which `{first}` has, too.")
    if problems:
        raise BadInput("\n".join(problems), cure=_WRONG)


def command(layout: Layout) -> list[str]:
    folder = layout.config(SERVICE.name)
    if GRAFANA.of(layout.packages) == GRAFANA.real:
        home = layout.packages["grafana"]
        grafana = layout.program("grafana", "grafana")
        return [grafana, "server", f"--homepath={home}", f"--config={folder / 'grafana.ini'}"]
    return [
        sys.executable, "-m", "stack.programs.viewer",
        "--port", str(layout.port(SERVICE.name)),
        "--provisioning", str(folder / "provisioning"),
        "--annotations", str(layout.data(SERVICE.name) / "annotations.sqlite"),
        "--password-file", str(layout.secret("grafana_admin_password")),
        "--control", str(layout.control(SERVICE.name)),
        *_page(layout),
        *(part for address in _reach(layout) for part in ("--reach", address)),
    ]  # fmt: skip


def _page(layout: Layout) -> list[str]:
    page = layout.packages.get("viewer")
    return ["--page", str(page / "share" / "viewer")] if page else []


def _reach(layout: Layout) -> Iterator[str]:
    """The addresses of the instance's own services, of those that data sources can be."""
    for name in ("prometheus", "loki", "alertmanager"):
        if name in layout.ports:
            yield f"{HOST}:{layout.port(name)}"


SERVICE = Service(
    name="grafana",
    about="shows the dashboards",
    ports={"http": PORT},
    config=config,
    check=check,
    command=command,
    memory_limit_bytes=OWN_MEMORY_BYTES,
    ready=probes.http("grafana", "/api/health"),
    health=("/api/health",),
    page="/",
)
