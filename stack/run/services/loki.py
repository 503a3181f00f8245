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


_LEAST = {
    "reject_old_samples_max_age": ("oldest_s", 3600),
    "max_line_size": ("line_bytes", 4096),
    "max_label_names_per_series": ("label_names", 4),
    "max_label_name_length": ("label_name_bytes", 16),
    "max_label_value_length": ("label_value_bytes", 64),
    "max_global_streams_per_user": ("streams", 100),
    "max_entries_limit_per_query": ("entries", 100),
    "max_query_series": ("series", 20),
    "max_query_length": ("query_length_s", 86400),
    "query_timeout": ("query_timeout_s", 1),
    "retention_period": ("retention_s", 86400),
}
"""Key of `limits_config` → the log store's name of it, and with how much the lab's own lines are
taken and its rules and dashboards answered. 0 is no limit."""


def try_limits(file: Path) -> None:
    """Raise BadInput, naming file and key, for a limit under which the lab's own lines or questions
    would be refused.
    """
    from stack.programs.logstore import settings

    limits = settings.load(file).limits
    for key, (name, least) in _LEAST.items():
        if 0 < (given := getattr(limits, name)) < least:
            raise BadInput(
                f"`{file}`: `limits_config.{key}`: {given:g} is too little; the lab's own lines, "
                "rules or dashboards need more.",
                cure=f"Leave at least {least}{' (seconds)' if name.endswith('_s') else ''}.",
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
    from stack.logql.rules import known_keys, read_group, repeated
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
                known_keys(document, "the file")
                for group in document["groups"]:
                    read_group(path, group, evaluation_interval(load(main)))
                if double := repeated(str(group["name"]) for group in document["groups"]):
                    raise BadInput(f"group `{double}` is there twice.")
            except (TypeError, KeyError, AttributeError) as error:
                raise BadInput(f"this is not a file of rule groups: {error!r}.") from None


def command(layout: Layout) -> list[str]:
    file = str(layout.config(SERVICE.name) / "loki-config.yml")
    if LOGS.of(layout.packages) == LOGS.real:
        return [layout.program("loki", "loki"), f"-config.file={file}"]
    token = str(layout.secret("shipper_token"))
    return [sys.executable, "-m", "stack.programs.logstore", "--config", file, "--shipper", token]


SERVICE = Service(
    name="loki",
    about="keeps and queries logs, log alerts",
    ports=PORTS,
    config=config,
    check=check,
    command=command,
    memory_limit_bytes=500_000_000,
    ready=probes.http("loki", "/ready", port="http"),
    health=("/ready",),
)
