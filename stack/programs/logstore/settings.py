"""What the store uses of `loki-config.yml`, the file that Loki reads as well.

Names, defaults and meanings are Loki's ("Configuration parameters", release 3.7). A key of Loki's
that means nothing to the store is ignored; an unknown key, or a value that the store cannot follow,
is refused.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from stack import durations, yamltext
from stack.errors import BadInput
from stack.logql.golang import duration_ns


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`limits_config`: what is refused, and how much one query may cost."""

    retention_s: float
    """0: forever."""
    reject_old: bool
    oldest_s: float
    newest_s: float
    """How far in the future a timestamp may be."""
    behind_s: float
    """How much older than the newest entry of its stream an entry may be."""
    rate_bytes: float
    """Per second, of lines, all streams together."""
    burst_bytes: float
    stream_rate_bytes: float
    stream_burst_bytes: float
    line_bytes: int
    """0: any."""
    truncate_lines: bool
    label_names: int
    label_name_bytes: int
    label_value_bytes: int
    streams: int
    """0: any number."""
    entries: int
    """Most that one query may ask for; 0: any number."""
    series: int
    query_length_s: float
    """The longest time range; 0: any."""
    query_timeout_s: float


@dataclass(frozen=True, kw_only=True)
class RulerSettings:
    """`ruler`: where the rules are and who is notified."""

    rules: Path
    """Folder of rule files; those of the only tenant are in `fake/` (`TENANT`)."""
    alertmanager_url: str
    """Without a trailing slash; empty: nobody is notified."""
    external_url: str
    datasource_uid: str
    """Of Loki in the Grafana at `external_url`; empty: Grafana asks its default."""
    interval_s: float
    """Of groups that do not set their own."""
    resend_s: float
    grace_s: float
    """A `for` that was running before a restart lasts at least this much longer."""
    outage_s: float
    """After a longer outage, a `for` starts from scratch."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The whole file."""

    address: str
    port: int
    folder: Path
    idle_s: float
    tend_s: float
    limits: Limits
    ruler: RulerSettings
    text: str
    """As it was read, for `/config`."""


_URL = re.compile(r"https?://[\w.-]+(?::\d+)?(?:/[^\s,]*)?", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", re.I)
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def _seconds(value: object) -> float:
    """A duration of `limits_config`, in Prometheus' grammar: `7d`."""
    try:
        return durations.seconds(str(value))
    except BadInput as error:
        raise ValueError(error.what.rstrip(".")) from None


def _go_seconds(value: object) -> float:
    """A duration of any other section, in Go's: `1.5h`, and no days."""
    length_ns = duration_ns(str(value))
    if length_ns < 0:
        raise ValueError("expected a duration of at least 0s")
    return length_ns / 1e9


def _bytes(value: object) -> int:
    found = _SIZE.fullmatch(str(value).strip())
    if not found:
        raise ValueError("expected a size such as 256KB")
    return int(float(found[1]) * _SIZES[found[2].upper()])


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _megabytes(value: object) -> float:
    found = float(str(value)) * (1 << 20)
    if not 0 < found < math.inf:
        raise ValueError("expected a number above 0")
    return found


def _count(value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,18}", str(value)):
        raise ValueError("expected a whole number")
    return int(str(value))


def _port(value: object) -> int:
    found = _count(value)
    if found > 65535:
        raise ValueError("expected a port of at most 65535")
    return found


def _url(value: object) -> str:
    text = str(value).rstrip("/")
    if text and not _URL.fullmatch(text):
        raise ValueError("expected one http:// or https:// URL")
    return text


def _address(value: object) -> str:
    return str(value) or "0.0.0.0"


def _path(value: object) -> Path:
    return Path(str(value))


def _only(*allowed: object) -> Callable[[object], object]:
    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"the embedded store only supports {' or '.join(map(repr, allowed))}")
        return value

    return check


_KEYS: dict[str, tuple[Callable[[object], Any], object]] = {
    "server.http_listen_address": (_address, ""),
    "server.http_listen_port": (_port, 3100),
    "common.path_prefix": (_path, "/loki"),
    "ingester.chunk_idle_period": (_go_seconds, "30m"),
    "ingester.max_chunk_age": (_go_seconds, "2h"),
    "compactor.compaction_interval": (_go_seconds, "10m"),
    "compactor.retention_enabled": (_flag, False),
    "limits_config.retention_period": (_seconds, "0s"),
    "limits_config.reject_old_samples": (_flag, True),
    "limits_config.reject_old_samples_max_age": (_seconds, "1w"),
    "limits_config.creation_grace_period": (_seconds, "10m"),
    "limits_config.ingestion_rate_mb": (_megabytes, 4),
    "limits_config.ingestion_burst_size_mb": (_megabytes, 6),
    "limits_config.per_stream_rate_limit": (_bytes, "3MB"),
    "limits_config.per_stream_rate_limit_burst": (_bytes, "15MB"),
    "limits_config.max_line_size": (_bytes, "256KB"),
    "limits_config.max_line_size_truncate": (_flag, False),
    "limits_config.max_label_names_per_series": (_count, 15),
    "limits_config.max_label_name_length": (_count, 1024),
    "limits_config.max_label_value_length": (_count, 2048),
    "limits_config.max_global_streams_per_user": (_count, 5000),
    "limits_config.max_entries_limit_per_query": (_count, 5000),
    "limits_config.max_query_series": (_count, 500),
    "limits_config.max_query_length": (_seconds, "721h"),
    "limits_config.query_timeout": (_seconds, "1m"),
    "ruler.storage.local.directory": (_path, ""),
    "ruler.alertmanager_url": (_url, ""),
    "ruler.external_url": (_url, ""),
    "ruler.datasource_uid": (str, ""),
    "ruler.evaluation_interval": (_go_seconds, "1m"),
    "ruler.resend_delay": (_go_seconds, "1m"),
    "ruler.for_grace_period": (_go_seconds, "10m"),
    "ruler.for_outage_tolerance": (_go_seconds, "1h"),
}
"""Key -> how its value is read, and Loki's default."""

_FIXED: dict[str, Callable[[object], object]] = {
    "auth_enabled": _only(False),
    "ingester.wal.enabled": _only(True),
    "limits_config.allow_structured_metadata": _only(False),
    "limits_config.discover_service_name": _only([]),
    "limits_config.discover_log_levels": _only(False),
    "limits_config.volume_enabled": _only(True),
    "ruler.storage.type": _only("local"),
    "ruler.enable_api": _only(True),
    "ruler.enable_alertmanager_v2": _only(True),
    "ruler.enable_sharding": _only(False),
    "target": _only("all"),
}
"""Keys that the store supports only with these values."""

_NEEDED = {
    "auth_enabled": True,
    "limits_config.allow_structured_metadata": True,
    "limits_config.discover_service_name": ["service"],
}
"""Loki's defaults that the store cannot follow: the file must override them."""

_IGNORED = (
    "analytics", "bloom_build", "bloom_gateway", "chunk_store_config", "common", "compactor",
    "distributor", "frontend", "frontend_worker", "index_gateway", "ingester_client",
    "limits_config.max_query_parallelism", "limits_config.split_queries_by_interval",
    "limits_config.tsdb_max_query_parallelism", "limits_config.max_streams_per_user",
    "limits_config.max_query_lookback", "limits_config.cardinality_limit",
    "limits_config.max_concurrent_tail_requests", "memberlist", "pattern_ingester", "querier",
    "query_range", "query_scheduler", "ruler.ring", "ruler.rule_path", "ruler.wal",
    "runtime_config", "schema_config", "server", "storage_config", "table_manager", "tracing",
    "ingester.chunk_", "ingester.flush_", "ingester.lifecycler", "ingester.wal",
)  # fmt: skip
"""Prefixes of keys that mean nothing to a store on one disk."""


_FREE = frozenset({
    "alibabacloud", "aws", "azure", "block_ingestion_policy_until", "bos", "claims", "clients",
    "cos", "default_policy_stream_mappings", "endpoint_params", "external_labels", "fields", "gcs",
    "policy_enforced_labels", "policy_stream_mapping", "proxy_connect_header", "remote_write",
    "ruler_remote_write_config", "swift", "tags",
})  # fmt: skip
"""Keys below which Loki takes any name."""


@cache
def _names() -> frozenset[str]:
    """Every name of a key of Loki's, of whatever section."""
    rows = Path(__file__).with_name("loki_keys.txt").read_text().splitlines()
    return frozenset(name for row in rows if not row.startswith("#") for name in row.split())


def _refuse_strangers(node: object, path: Path, at: str = "") -> None:
    """Raise BadInput for a key that is none of Loki's, also where the store ignores what it says:
    Loki itself would not start with it."""
    if isinstance(node, list):
        for place, entry in enumerate(node):
            _refuse_strangers(entry, path, f"{at}[{place}]")
    elif isinstance(node, dict):
        for key, value in node.items():
            name = f"{at}.{key}" if at else str(key)
            if str(key) not in _names():
                near = get_close_matches(str(key), _names(), n=1)
                cure = f"Did you mean `{near[0]}`?" if near else "Remove it."
                raise BadInput(f"`{path}`: `{name}` is no key of Loki's configuration.", cure=cure)
            if key not in _FREE:
                _refuse_strangers(value, path, name)


def load(path: Path) -> Settings:
    """The settings of a file. Raises BadInput that names file and key."""
    document = yamltext.load(path)
    text = yamltext.read_text(path)
    values = _values(dict(_leaves(document)), path)
    _refuse_strangers(document, path)
    return _settings(values, text)


def _leaves(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value


def _values(leaves: dict[str, object], path: Path) -> dict[str, Any]:
    """Every key of `_KEYS` with its value."""
    values = {key: read(default) for key, (read, default) in _KEYS.items()}
    for key, value in {**_NEEDED, **leaves}.items():
        try:
            if key in _KEYS:
                values[key] = _KEYS[key][0](value)
            elif key in _FIXED:
                _FIXED[key](value)
            elif not key.startswith(_IGNORED):
                near = get_close_matches(key, [*_KEYS, *_FIXED], n=1)
                cure = f"Did you mean `{near[0]}`?" if near else "Remove it, or run Loki itself."
                raise BadInput(f"`{path}`: `{key}` is not known to the embedded store.", cure=cure)
        except (ValueError, TypeError, OverflowError) as error:
            raise BadInput(
                f"`{path}`: `{key}` is `{str(value)[:40]}`: {error}.",
                cure="Change the value, or run Loki itself: STACK_LOGS=loki.",
            ) from None
    return values


def _settings(of: dict[str, Any], text: str) -> Settings:
    def limit(key: str) -> Any:
        return of[f"limits_config.{key}"]

    return Settings(
        address=of["server.http_listen_address"],
        port=of["server.http_listen_port"],
        folder=of["common.path_prefix"],
        idle_s=of["ingester.chunk_idle_period"],
        tend_s=of["compactor.compaction_interval"],
        limits=Limits(
            retention_s=limit("retention_period") if of["compactor.retention_enabled"] else 0,
            reject_old=limit("reject_old_samples"),
            oldest_s=limit("reject_old_samples_max_age"),
            newest_s=limit("creation_grace_period"),
            behind_s=of["ingester.max_chunk_age"] / 2,
            rate_bytes=limit("ingestion_rate_mb"),
            burst_bytes=limit("ingestion_burst_size_mb"),
            stream_rate_bytes=limit("per_stream_rate_limit"),
            stream_burst_bytes=limit("per_stream_rate_limit_burst"),
            line_bytes=limit("max_line_size"),
            truncate_lines=limit("max_line_size_truncate"),
            label_names=limit("max_label_names_per_series"),
            label_name_bytes=limit("max_label_name_length"),
            label_value_bytes=limit("max_label_value_length"),
            streams=limit("max_global_streams_per_user"),
            entries=limit("max_entries_limit_per_query"),
            series=limit("max_query_series"),
            query_length_s=limit("max_query_length"),
            query_timeout_s=limit("query_timeout"),
        ),
        ruler=RulerSettings(
            rules=of["ruler.storage.local.directory"],
            alertmanager_url=of["ruler.alertmanager_url"],
            external_url=of["ruler.external_url"],
            datasource_uid=of["ruler.datasource_uid"],
            interval_s=of["ruler.evaluation_interval"],
            resend_s=of["ruler.resend_delay"],
            grace_s=of["ruler.for_grace_period"],
            outage_s=of["ruler.for_outage_tolerance"],
        ),
        text=text,
    )
