"""promtail-config.yml, as far as the lab's shipper implements it; anything else is refused.

Reference: grafana.com/docs/loki/latest/send-data/promtail/configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stack.loopback import HOST
from stack.programs.logship.sections import Section
from stack.programs.logship.stages import Pipeline, pipeline
from stack.yamltext import load

_UNBOUNDED_BYTES = 1 << 20
"""The longest line if `max_line_size` is 0 or missing: something must end one that never does."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """Where lines are sent, and how."""

    host: str
    port: int
    path: str
    batch_wait_s: float
    """The shortest time from one batch to the next; in Promtail, from a batch's first line."""
    batch_bytes: int
    timeout_s: float
    min_backoff_s: float
    max_backoff_s: float


@dataclass(frozen=True, kw_only=True)
class Target:
    """Files that are treated the same."""

    job: str
    path: str
    """Shell pattern of the files."""
    exclude: str
    """Shell pattern of files to exclude; empty for none."""
    labels: Mapping[str, str]
    pipeline: Pipeline


@dataclass(frozen=True, kw_only=True)
class Settings:
    host: str
    port: int
    positions: Path
    client: Client
    max_line_bytes: int
    sync_s: float
    """How often folders are scanned, even if nothing seems to have changed."""
    targets: tuple[Target, ...]


def read(file: Path) -> Settings:
    """Raises BadInput for what is missing, wrong or unknown, naming file and key."""
    whole = Section(load(file), "", str(file))
    server, positions = whole.section("server"), whole.section("positions")
    limits, sync = whole.section("limits_config", optional=True), whole.section("target_config")
    clients = whole.sections("clients")
    if len(clients) != 1:
        raise whole.bad(f"has {len(clients)} entries; the lab's shipper sends to one", "clients")
    longest = limits.size("max_line_size", 0)
    if longest and not limits.flag("max_line_size_truncate", False):
        raise limits.bad("must be true: the lab's shipper drops no line", "max_line_size_truncate")
    server.raw("grpc_listen_address"), server.raw("grpc_listen_port"), server.raw("log_level")
    settings = Settings(
        host=server.text("http_listen_address", HOST),
        port=server.port("http_listen_port", 80),
        positions=Path(positions.text("filename")),
        client=_client(clients[0]),
        max_line_bytes=longest or _UNBOUNDED_BYTES,
        sync_s=sync.seconds("sync_period", "10s", zero=False),
        targets=tuple(t for each in whole.sections("scrape_configs") for t in _targets(each)),
    )
    for section in (server, positions, limits, sync, whole):
        section.done()
    if not settings.targets:
        raise whole.bad("names no files", "scrape_configs")
    return settings


def _client(section: Section) -> Client:
    url = section.text("url")
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError as error:
        raise section.bad(f"is `{url}`: {error}", "url") from None
    if parts.scheme != "http" or not parts.hostname:
        raise section.bad(f"is `{url}`; the lab's shipper only speaks plain http", "url")
    backoff = section.section("backoff_config")
    if backoff.number("max_retries", 10) != 0:
        raise backoff.bad("must be 0 (no limit): the lab's shipper never gives up", "max_retries")
    client = Client(
        host=parts.hostname,
        port=port,
        path=parts.path,
        batch_wait_s=section.seconds("batchwait", "1s"),
        batch_bytes=section.size("batchsize", 1 << 20),
        timeout_s=section.seconds("timeout", "10s", zero=False),
        min_backoff_s=backoff.seconds("min_period", "500ms"),
        max_backoff_s=backoff.seconds("max_period", "5m"),
    )
    backoff.done()
    section.done()
    return client


def _targets(scrape: Section) -> list[Target]:
    job = scrape.text("job_name")
    stages = pipeline(scrape.sections("pipeline_stages"))
    targets = []
    for static in scrape.sections("static_configs"):
        static.raw("targets")  # Promtail requires it, and ignores it
        labels = static.texts("labels")
        path = labels.pop("__path__", "")
        if not path:
            raise static.bad("has no `__path__`", "labels")
        exclude = labels.pop("__path_exclude__", "")
        for name in labels:
            if name.startswith("__"):
                raise static.bad("is not known to the lab's shipper", f"labels.{name}")
        targets.append(Target(job=job, path=path, exclude=exclude, labels=labels, pipeline=stages))
        static.done()
    scrape.done()
    return targets
