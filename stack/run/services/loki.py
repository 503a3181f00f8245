"""Loki, or the lab's embedded log store: keeps and queries logs, evaluates the log rules.

Both read the same file. Flags and settings: grafana.com/docs/loki/latest/configure.
"""

import sys
from pathlib import Path
from typing import Any

from stack.errors import BadInput
from stack.loopback import HOST
from stack.run import probes
from stack.run.choice import LOGS
from stack.run.render import render, stranger
from stack.run.service import Layout, Service
from stack.run.validity import of_program, of_reader
from stack.yamltext import load

PORTS = {"http": 3100, "grpc": 9095}

_RULES = "/etc/loki/rules"
_DATA = "/loki"
"""Folders of the container, as the file names them."""


def read_settings(file: Path) -> None:
    """Read the file as the lab's own program does. Raises BadInput naming file and key, also for
    a folder that is none of the container's, which no instance would replace.
    """
    from stack.programs.logstore import settings

    if settings.load(file).ruler.rules != Path(_RULES):
        raise BadInput(f"`{file}`: `ruler.storage.local.directory` is not `{_RULES}`.")
    key, path = stranger(load(file), (f"{_DATA}/",), (_DATA, _RULES))
    if path:
        raise BadInput(
            f"`{file}`: `{key}` is `{path}`, which is not below `{_DATA}/`.",
            cure="Use a folder there: an instance puts one of its own in its place.",
        )


def config(layout: Layout) -> dict[str, str]:
    """loki-config.yml and the rule files, resolved and scaled for the instance."""
    from stack.programs.logstore import TENANT
    from stack.speed.loki import evaluation_interval, scale_log_rules, scale_loki

    source = layout.config_root / "loki"
    main = load(source / "loki-config.yml")
    placed = _placed(scale_loki(main, layout.speed), layout)
    server = placed.setdefault("server", {})
    server["http_listen_address"] = server["grpc_listen_address"] = HOST
    server["http_listen_port"] = layout.port(SERVICE.name, "http")
    server["grpc_listen_port"] = layout.port(SERVICE.name, "grpc")
    files = {"loki-config.yml": render(placed, layout, file=source / "loki-config.yml")}
    for path in sorted((source / "rules").glob("*.yml")):
        rules = scale_log_rules(
            load(path),
            layout.speed,
            evaluation_interval_s=evaluation_interval(main),
            file=str(path),
        )
        files[f"rules/{TENANT}/{path.name}"] = render(rules, layout, file=path)
    return files


def _placed(node: Any, layout: Layout) -> Any:
    """The document with the container's folders as the instance's."""
    if isinstance(node, dict):
        return {key: _placed(value, layout) for key, value in node.items()}
    if isinstance(node, list):
        return [_placed(value, layout) for value in node]
    if node == _RULES:
        return str(layout.config(SERVICE.name) / "rules")
    if isinstance(node, str) and (node == _DATA or node.startswith(_DATA + "/")):
        return str(layout.data(SERVICE.name)) + node.removeprefix(_DATA)
    return node


def check(layout: Layout, rendered: Path | None) -> None:
    """By Loki itself where it runs; the rules by the lab's own reader, since Loki reads them only
    once it runs."""
    from stack.logql.rules import read_group
    from stack.programs.logstore import settings
    from stack.speed.loki import evaluation_interval

    source = layout.config_root / "loki"
    main = source / "loki-config.yml"
    for file in (main, rendered / main.name if rendered else main):
        if LOGS.of(layout.packages) == LOGS.real:
            loki = layout.program("loki", "loki")
            of_program(file, [loki, "-verify-config", f"-config.file={file}"])
        else:
            with of_reader(main, file):
                settings.load(file)
    for path in sorted((source / "rules").glob("*.yml")):
        document = load(path)
        with of_reader(path):
            try:
                for group in document["groups"]:
                    read_group(path, group, evaluation_interval(load(main)))
            except (TypeError, KeyError, AttributeError) as error:
                raise BadInput(f"this is not a file of rule groups: {error!r}.") from None


def command(layout: Layout) -> list[str]:
    file = str(layout.config(SERVICE.name) / "loki-config.yml")
    if LOGS.of(layout.packages) == LOGS.real:
        return [layout.program("loki", "loki"), f"-config.file={file}"]
    return [sys.executable, "-m", "stack.programs.logstore", "--config", file]


SERVICE = Service(
    name="loki",
    about="keeps and queries logs, log alerts",
    ports=PORTS,
    config=config,
    check=check,
    command=command,
    ready=probes.http("loki", "/ready", port="http"),
    health=("/ready",),
)
