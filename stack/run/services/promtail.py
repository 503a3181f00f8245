"""Promtail, or the lab's own shipper: collects the logs of all services and sends them to Loki.

Both read the same file. Flags and settings: grafana.com/docs/loki/latest/send-data/promtail.
"""

import sys
from pathlib import Path
from typing import Any

from stack import yamltext
from stack.errors import BadInput
from stack.loopback import HOST
from stack.run import probes
from stack.run.choice import LOGS
from stack.run.render import resolve, stranger
from stack.run.service import OWN_MEMORY_BYTES, Layout, Service
from stack.run.validity import of_program, of_reader
from stack.yamltext import load

PORTS = {"http": 9080, "grpc": 9097}
"""Promtail listens on both; a port 0 in its file would be any that is free."""

_LOGS = "/var/log/residency/"
_DATA = "/var/lib/promtail/"
"""Folders of the container, as the file names them."""
_PUSH = "/loki/api/v1/push"

_AT_NS = 1_795_518_610_691_000_000  # 2026-11-24 11:10:10.691 UTC
_JSON = '{"timestamp": "2026-11-24T11:10:10.691Z", "level": "%s", "message": "GET /x 500"}'
_PG = "2026-11-24 11:10:10.691 GMT [7] %s %s:  what happened"
_TS = "2026-11-24T11:10:10.691Z"


def read_settings(file: Path) -> None:
    """Read the file as the lab's own program does. Raises BadInput naming file and key, also for
    a folder that is none of the container's and for what is not Loki's way in.
    """
    from stack.programs.logship import settings

    found = settings.read(file)
    if found.client.path != _PUSH:
        raise BadInput(
            f"`{file}`: `clients[0].url` has the path `{found.client.path}`.",
            cure=f"Loki takes lines at `{_PUSH}`.",
        )
    key, path = stranger(load(file), (_LOGS, _DATA))
    if path:
        raise BadInput(
            f"`{file}`: `{key}` is `{path}`, which is below neither `{_LOGS}` nor `{_DATA}`.",
            cure="Use one of these: an instance puts folders of its own in their place.",
        )


def try_lines(file: Path) -> None:
    """Raise BadInput, naming file and key, where the pipeline makes something else of a service's
    lines than they say.
    """
    from stack.programs.logship import trial
    from stack.programs.logship.trial import Sample

    # As the services write them, each in its own way.
    lines = (
        Sample(log="backend", text=_JSON % "INFO", level="info", time_ns=_AT_NS),
        Sample(log="backend", text=_JSON % "ERROR", level="error", time_ns=_AT_NS),
        Sample(log="backend", text="Traceback (most recent call last):",
               goes_on='  File "x.py", line 1, in <module>'),
        Sample(log="postgresql", text=_PG % ("00000", "LOG"), level="log", time_ns=_AT_NS),
        Sample(log="postgresql", text=_PG % ("42P01", "ERROR"), level="error", time_ns=_AT_NS,
               goes_on="\tFROM x"),
        Sample(log="postgresql", text=_PG % ("28P01", "FATAL"), level="fatal", time_ns=_AT_NS,
               goes_on=_PG % ("28P01", "DETAIL")),
        Sample(log="postgresql", text=_PG % ("XX000", "PANIC"), level="panic", time_ns=_AT_NS),
        Sample(log="supervisord", text="2026-11-24 11:10:10,691 INFO spawned: 'worker' with pid 7",
               level="info"),
        Sample(log="prometheus", text=f'ts={_TS} caller=main.go:5 level=warn msg="a level=error b"',
               level="warn", time_ns=_AT_NS),
        Sample(log="alertmanager", text=f'time={_TS} level=ERROR source=x.go:5 msg="cannot do it"',
               level="error", time_ns=_AT_NS),
        Sample(log="worker", text=f"level=info ts={_TS} msg=x", level="info", time_ns=_AT_NS),
        Sample(log="prometheus", text="panic: it cannot go on", goes_on="goroutine 1 [running]:"),
    )  # fmt: skip
    trial.check(file, lines, _LOGS)
    trial.check_way(file)


def config(layout: Layout) -> dict[str, str]:
    """promtail-config.yml with the addresses and folders of the instance.

    Its durations are real time at any speed: a line is as long on its way as it is.
    """
    source = layout.config_root / "promtail" / "promtail-config.yml"
    document = _placed(load(source), layout, source)
    # Each of the two keeps its positions in its own way.
    positions = Path(document["positions"]["filename"])
    kept = positions.with_stem(f"{positions.stem}-{LOGS.of(layout.packages)}")
    document["positions"]["filename"] = str(kept)
    server = document["server"]
    server["http_listen_port"] = layout.port(SERVICE.name, "http")
    # An instance that was made before this port was given has none for it.
    server["grpc_listen_port"] = layout.ports[SERVICE.name].get("grpc", 0)
    server["http_listen_address"] = server["grpc_listen_address"] = HOST
    return {"promtail-config.yml": yamltext.write(document)}


def check(layout: Layout, rendered: Path | None) -> None:
    """By Promtail itself where it runs, else by the lab's own shipper."""
    from stack.programs.logship import settings

    source = layout.config_root / "promtail" / "promtail-config.yml"
    for file in (source, rendered / source.name if rendered else source):
        if LOGS.of(layout.packages) == LOGS.real:
            promtail = layout.program("promtail", "promtail")
            of_program(file, [promtail, "-check-syntax", f"-config.file={file}"])
        else:
            with of_reader(source, file):
                settings.read(file)


def _placed(node: Any, layout: Layout, file: Path) -> Any:
    """The document with the instance's folders for the container's, and its addresses."""
    if isinstance(node, dict):
        return {key: _placed(value, layout, file) for key, value in node.items()}
    if isinstance(node, list):
        return [_placed(value, layout, file) for value in node]
    if not isinstance(node, str):
        return node
    if node.startswith(_LOGS):
        return str(layout.log("").parent / node.removeprefix(_LOGS))
    if node.startswith(_DATA):
        return str(layout.data(SERVICE.name) / node.removeprefix(_DATA))
    return resolve(node, layout, file)


def command(layout: Layout) -> list[str]:
    file = str(layout.config(SERVICE.name) / "promtail-config.yml")
    if LOGS.of(layout.packages) == LOGS.real:
        return [layout.program("promtail", "promtail"), f"-config.file={file}"]
    token = str(layout.secret("shipper_token"))
    return [sys.executable, "-m", "stack.programs.logship", "--config", file, "--token", token]


_HAS_LOOKED = probes.http("promtail", "/ready", port="http")
_HAS_READ = probes.http("promtail", "/metrics", port="http", contains="promtail_read_lines_total{")


def ready(layout: Layout) -> str | None:
    """Promtail writes a warning for each time that `/ready` says "not yet", so it is asked whether
    it has read a line.
    """
    return (_HAS_READ if LOGS.of(layout.packages) == LOGS.real else _HAS_LOOKED)(layout)


SERVICE = Service(
    name="promtail",
    about="collects the logs of all services",
    ports=PORTS,
    config=config,
    check=check,
    command=command,
    memory_limit_bytes=OWN_MEMORY_BYTES,
    ready=ready,
    health=("/ready",),
    after=("loki",),
)
