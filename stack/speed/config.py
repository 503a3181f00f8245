"""Prometheus and Alertmanager at a speed: their configuration files and Prometheus' flags."""

import copy
from fractions import Fraction
from typing import Any

from stack.durations import INTERVAL_FLOOR_S, checked, divided, milliseconds, text_of
from stack.errors import BadInput
from stack.speed import hours

Mapping = dict[str, Any]

_SCRAPE_DEFAULTS = {"scrape_interval": "1m", "evaluation_interval": "1m", "scrape_timeout": "10s"}
_ROUTE_DEFAULTS = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
_RESOLVE_TIMEOUT = "5m"

# Flag -> (its value at speed 1, floor in ms); Prometheus 2.53's defaults but for `_OWN`.
_FLAGS = {
    # Alertmanager forgets an alert four delays after Prometheus last sent it. With 1 s a busy
    # machine may be silent for 4 s before a firing alert is taken for resolved.
    "rules.alert.resend-delay": ("1m", 1000),
    # Ten scrapes at the shortest interval: no series vanishes because a busy machine scrapes late.
    "query.lookback-delta": ("5m", 2000),
    # The lab's own value. A restarted Prometheus counts a `for` from the start again if it is
    # shorter than this; with its default of 10m a page would be resolved and sent again.
    "rules.alert.for-grace-period": ("1m", 0),
    "rules.alert.for-outage-tolerance": ("1h", 0),
}
_OWN = ("rules.alert.for-grace-period",)


ALERTMANAGER_RETENTION = "120h"
"""For how long Alertmanager knows what it has sent: its default of `--data.retention`."""

_RETENTION_FLOOR_MS = 600_000
"""Silences that are over and messages that were sent are of use to who looks for them."""


def scrape_interval(document: Mapping) -> float:
    """The global scrape interval of a Prometheus configuration, in seconds. Raises BadInput."""
    return _global_s(document, "scrape_interval")


def slowest_scrape(document: Mapping) -> float:
    """The longest scrape interval of any job, in seconds: a rate over less than a few of them has
    nothing to go by. Raises BadInput."""
    own = [
        _milliseconds(job["scrape_interval"], f"scrape_configs: {job.get('job_name')}") / 1000
        for job in document.get("scrape_configs") or ()
        if "scrape_interval" in job
    ]
    return max([scrape_interval(document), *own])


def evaluation_interval(document: Mapping) -> float:
    """The global evaluation interval of a Prometheus configuration, in seconds. Raises BadInput."""
    return _global_s(document, "evaluation_interval")


def _global_s(document: Mapping, key: str) -> float:
    settings = {**_SCRAPE_DEFAULTS, **_section(document, "global", "prometheus")}
    return _milliseconds(settings[key], f"global: {key}") / 1000


def scale_prometheus(document: Mapping, speed: float) -> Mapping:
    """A new Prometheus configuration at `speed`, from a parsed one. Raises BadInput.

    Scrape and evaluation intervals are divided, with a floor of 200 ms. A timeout is real time,
    because an exporter takes real time to answer: the global one is cut to the interval, as
    Prometheus requires, and a job with a `scrape_timeout` of its own is scraped no faster than
    that. For the same reason the timeouts of alerting, remote write and service discovery are left
    as they are. Missing global values become Prometheus' defaults at speed.
    """
    exact = checked(speed)
    scaled = copy.deepcopy(document)
    if exact == 1:
        return scaled
    overall = {**_SCRAPE_DEFAULTS, **_section(scaled, "global", "prometheus")}
    scaled["global"] = overall
    patience, written = overall["scrape_timeout"], str(overall["scrape_interval"])
    _interval(overall, "evaluation_interval", exact, "global")
    _scrape(overall, exact, "global", overall)
    _plain(overall, "rule_query_offset", exact, "global")
    for job in _sections(scaled, "scrape_configs", "prometheus"):
        where = f"job `{job.get('job_name')}`"
        if "scrape_timeout" in job:
            _at_its_pace(job, exact, where, written)
            continue
        if "scrape_interval" in job:  # a job with its own pace need not be cut to the global one
            job["scrape_timeout"] = patience
        _scrape(job, exact, where, overall)
    return scaled


def _at_its_pace(job: Mapping, speed: Fraction, where: str, written: str) -> None:
    """Divide a job's interval, but not below the time that its answer may take."""
    timeout_ms = _milliseconds(job["scrape_timeout"], f"{where}: scrape_timeout")
    interval = job.setdefault("scrape_interval", written)
    interval_ms = _milliseconds(interval, f"{where}: scrape_interval")
    _interval(job, "scrape_interval", speed, where)
    slowest_ms = min(timeout_ms, interval_ms)
    if milliseconds(str(job["scrape_interval"])) < slowest_ms:
        job["scrape_interval"] = text_of(slowest_ms)


def _scrape(holder: Mapping, speed: Fraction, where: str, overall: Mapping) -> None:
    _interval(holder, "scrape_interval", speed, where)
    if "scrape_timeout" in holder:
        timeout_ms = _milliseconds(holder["scrape_timeout"], f"{where}: scrape_timeout")
        interval = holder.get("scrape_interval", overall["scrape_interval"])
        holder["scrape_timeout"] = text_of(min(timeout_ms, milliseconds(str(interval))))


def scale_alertmanager(document: Mapping, speed: float) -> Mapping:
    """A new Alertmanager configuration at `speed`, from a parsed one. Raises BadInput.

    `resolve_timeout` and each route's `group_wait`, `group_interval` and `repeat_interval` are
    divided; missing ones at the root become Alertmanager's defaults at speed. Receivers' own
    timeouts are real time and stay. Time intervals become what they are at `hours.MOMENT`: an
    instance whose minutes are seconds has no use for the wall clock's nights.
    """
    exact = checked(speed)
    scaled = copy.deepcopy(document)
    if exact == 1:
        return scaled
    scaled = hours.pin(scaled, hours.lived_in(scaled, speed))
    overall = {"resolve_timeout": _RESOLVE_TIMEOUT, **_section(scaled, "global", "alertmanager")}
    _plain(overall, "resolve_timeout", exact, "global")
    scaled["global"] = overall
    scaled["route"] = {**_ROUTE_DEFAULTS, **_section(scaled, "route", "alertmanager")}
    _route(scaled["route"], exact, "route")
    return scaled


def _route(route: Mapping, speed: Fraction, where: str) -> None:
    _plain(route, "group_wait", speed, where)
    _interval(route, "group_interval", speed, where)
    _interval(route, "repeat_interval", speed, where)
    for count, child in enumerate(_sections(route, "routes", where)):
        _route(child, speed, f"{where}.routes[{count}]")


def _interval(holder: Mapping, key: str, speed: Fraction, where: str) -> None:
    _plain(holder, key, speed, where, floor_ms=round(INTERVAL_FLOOR_S * 1000))


def _plain(holder: Mapping, key: str, speed: Fraction, where: str, *, floor_ms: int = 0) -> None:
    if key in holder:
        written_ms = _milliseconds(holder[key], f"{where}: {key}")
        holder[key] = text_of(divided(written_ms, speed, floor_ms=floor_ms))


def _section(document: object, key: str, where: str) -> Mapping:
    """The mapping under a key; empty if there is none."""
    found = (document.get(key) or {}) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise BadInput(f"{where}: `{key}` is not a mapping.")
    return found


def _sections(document: Mapping, key: str, where: str) -> list[Mapping]:
    found = document.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadInput(f"{where}: `{key}` is not a list of mappings.")
    return found


def _milliseconds(text: object, where: str) -> int:
    try:
        return milliseconds(str(text))
    except BadInput as error:
        raise BadInput(f"{where}: {error.what}", cure=error.cure) from error


def prometheus_flags(speed: float) -> list[str]:
    """Prometheus' flags that are durations, at `speed`; at speed 1 only those that differ from its
    defaults. Raises BadInput."""
    exact = checked(speed)
    return [
        f"--{flag}={text_of(divided(milliseconds(default), exact, floor_ms=floor_ms))}"
        for flag, (default, floor_ms) in _FLAGS.items()
        if exact != 1 or flag in _OWN
    ]


def alertmanager_flags(speed: float) -> list[str]:
    """Alertmanager's flags that are durations, at `speed`; none at speed 1. Raises BadInput.

    Its garbage collection is left as it is: it only decides when what is forgotten goes.
    """
    exact = checked(speed)
    kept = divided(milliseconds(ALERTMANAGER_RETENTION), exact, floor_ms=_RETENTION_FLOOR_MS)
    return [] if exact == 1 else [f"--data.retention={_go(kept)}"]


def _go(length_ms: int) -> str:
    """In Go's grammar, which this flag has: no days."""
    return f"{length_ms / 1000:f}".rstrip("0").rstrip(".") + "s"
