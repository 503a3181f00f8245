"""`doit health`: whether all of a running instance does what it is there for, part by part.

`doit status` says what runs; this asks whether metrics arrive, rules are evaluated, messages leave
and lines are collected. It asks the instance's own services and changes nothing.
"""

import json
import shutil
import time
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from stack.durations import duration
from stack.errors import LabError
from stack.loopback import urlopen
from stack.progress import amount
from stack.run.instance import Instance
from stack.run.lifecycle import planned

_TIMEOUT_S = 10.0

_LATE_INTERVALS = 4
"""A group of rules that was not evaluated for so many of its intervals is late."""

_LOOK_BACK_S = 300
"""Failures of so many seconds, as the configuration writes them, count."""

_BEHIND_BYTES = 1 << 20
"""Of logs that are not collected yet; a store that is away leaves more within minutes."""

_ROOM = 0.05
"""Of a disk: less that is free is too little."""


_SOON_S = 14 * 86_400
"""CertificateExpiringSoon's."""

_BACKUP_AGE_S = 93_600
"""As BackupTooOld has it; of an instance that lives faster, in its own time."""


class Verdict(StrEnum):
    GOOD = "good"
    NOTE = "note"
    """Nothing is broken, but somebody should know."""
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found of one part."""

    part: str
    verdict: Verdict
    said: str


Found = Iterator[tuple[Verdict, str]]


def findings(instance: Instance) -> list[Finding]:
    """One or more of every part, in a fixed order; a part that cannot be asked is bad."""
    with ThreadPoolExecutor(len(_PARTS)) as pool:
        asked = {part: pool.submit(_asked, ask, instance) for part, ask in _PARTS.items()}
        return [
            Finding(part=part, verdict=verdict, said=said)
            for part, answer in asked.items()
            for verdict, said in answer.result()
        ]


def _asked(ask: Callable[[Instance], Found], instance: Instance) -> list[tuple[Verdict, str]]:
    try:
        return list(ask(instance))
    except urllib.error.HTTPError as error:
        with error:
            return [(Verdict.BAD, f"{error.url} answers {error.code}")]
    except (OSError, HTTPException) as error:
        return [(Verdict.BAD, f"it cannot be asked: {getattr(error, 'reason', error)}")]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return [(Verdict.BAD, f"it answers what nobody expects: {error!r}")]


def _services(instance: Instance) -> Found:
    there = instance.services
    with ThreadPoolExecutor(len(there)) as pool:
        waiting = {
            name: pool.submit(service.ready, instance.layout) for name, service in there.items()
        }
    bad = {name: why for name, answer in waiting.items() if (why := answer.result())}
    for name, why in bad.items():
        yield Verdict.BAD, f"`{name}` does not answer: {why}"
    if not bad:
        yield Verdict.GOOD, f"all {len(there)} answer"


def _targets(instance: Instance) -> Found:
    active = _api(instance, "prometheus", "/api/v1/targets", state="active")["activeTargets"]
    bad = [one for one in active if one["health"] != "up"]
    for one in bad:
        yield Verdict.BAD, f"`{one['labels']['job']}` is {one['health']}: {one['lastError']}"
    if not active:
        yield Verdict.BAD, "nothing is scraped"
    elif not bad:
        yield Verdict.GOOD, f"all {len(active)} are scraped"


def _rules(instance: Instance) -> Found:
    groups = _api(instance, "prometheus", "/api/v1/rules")["groups"]
    bad = [*_failing(groups), *_late(groups)]
    for said in bad:
        yield Verdict.BAD, said
    if not bad:
        count = sum(len(group["rules"]) for group in groups)
        yield Verdict.GOOD, f"all {count} in {len(groups)} groups are evaluated in time"


def _failing(groups: list[dict[str, Any]]) -> Iterator[str]:
    for group in groups:
        for rule in group["rules"]:
            if rule["health"] == "err":
                yield f"`{rule['name']}` fails: {rule['lastError']}"


def _late(groups: list[dict[str, Any]]) -> Iterator[str]:
    now = time.time()
    for group in groups:
        # Of one that was never evaluated, the year is 1.
        last = group["lastEvaluation"]
        late_s = now - _seconds(last) if not last.startswith("0001-") else float("inf")
        if late_s > _LATE_INTERVALS * group["interval"] + _TIMEOUT_S:
            yield f"group `{group['name']}` was not evaluated for {late_s:.0f} s"


def _configuration(instance: Instance) -> Found:
    bad = [
        program
        for program in ("prometheus", "alertmanager")
        if _value(instance, f"min({program}_config_last_reload_successful)") == 0
    ]
    for program in bad:
        yield Verdict.BAD, f"`{program}` refused the last one, and runs with the one before"
    try:
        other = planned(instance.record, instance.directory)[0].hash != instance.hash
    except LabError as error:
        yield Verdict.NOTE, f"the files as they are now cannot be used: {error.what}"
        return
    if other:
        yield Verdict.NOTE, "files were edited since; `doit reload` takes them over"
    elif not bad:
        yield Verdict.GOOD, "it runs with the files as they are"


def _notifications(instance: Instance) -> Found:
    window = f"{round(_LOOK_BACK_S / instance.speed * 1000)}ms"
    if _value(instance, f"sum(increase(prometheus_notifications_errors_total[{window}]))"):
        yield Verdict.BAD, "Alertmanager did not take some that Prometheus sent lately"
    failed = _values(
        instance,
        f"sum by (integration) (increase(alertmanager_notifications_failed_total[{window}])) > 0",
    )
    for labels, count in failed:
        yield Verdict.BAD, f"{labels['integration']}: about {max(count, 1):.0f} failed lately"
    if not failed:
        sent = _value(instance, "sum(alertmanager_notifications_total)") or 0
        yield Verdict.GOOD, f"none failed lately, {sent:.0f} were sent since Alertmanager started"


def _heartbeat(instance: Instance) -> Found:
    if _value(instance, 'count(ALERTS{alertname="Watchdog", alertstate="firing"})'):
        yield Verdict.GOOD, "Watchdog fires, as it always should"
    else:
        yield Verdict.BAD, "Watchdog does not fire: nobody would notice that no alert arrives"


def _alerts(instance: Instance) -> Found:
    firing = _values(
        instance,
        'count by (alertname, severity) (ALERTS{alertstate="firing", alertname!="Watchdog"})',
    )
    named = ", ".join(sorted(f"{labels['alertname']}" for labels, _ in firing))
    yield (Verdict.NOTE, f"{named} fire") if firing else (Verdict.GOOD, "none fires")


def _logs(instance: Instance) -> Found:
    behind = _value(instance, "sum(promtail_file_bytes_total) - sum(promtail_read_bytes_total)")
    if behind is None:
        yield Verdict.BAD, "what collects them says nothing of how far it is"
    elif behind > _BEHIND_BYTES:
        yield Verdict.BAD, f"{amount(behind)} are not collected yet"
    else:
        yield Verdict.GOOD, "all is collected"


def _disk(instance: Instance) -> Found:
    usage = shutil.disk_usage(instance.directory)
    free = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free"
    bad = usage.free < _ROOM * usage.total
    yield (Verdict.BAD if bad else Verdict.GOOD), f"{free} where {instance.directory} lies"


def _certificate(instance: Instance) -> Found:
    left_s = _value(instance, 'min(probe_ssl_earliest_cert_expiry{job="proxy"}) - time()')
    if left_s is None:
        yield Verdict.BAD, "the front shows none"
        return
    bad = left_s < _SOON_S
    said = f"the front's is valid for {left_s / 86_400:.0f} more days"
    yield (Verdict.BAD if bad else Verdict.GOOD), said


def _backup(instance: Instance) -> Found:
    taken = _value(instance, "min(backup_last_success_timestamp_seconds)")
    successful = _value(instance, "min(backup_last_run_successful)")
    if taken is None or successful is None:
        yield Verdict.BAD, "node-exporter says nothing of backups"
        return
    age_s = max(0.0, time.time() - taken) * instance.speed
    age = f"the newest is {duration(round(age_s))} old" if taken else "there is none"
    if not successful:
        yield Verdict.BAD, f"the last attempt failed, {age}"
    elif taken and age_s > _BACKUP_AGE_S:
        yield Verdict.BAD, age
    else:
        yield Verdict.GOOD, age if taken else "it was never backed up, so nobody expects it"


_PARTS: dict[str, Callable[[Instance], Found]] = {
    "services": _services,
    "configuration": _configuration,
    "targets": _targets,
    "rules": _rules,
    "notifications": _notifications,
    "heartbeat": _heartbeat,
    "alerts": _alerts,
    "logs": _logs,
    "disk": _disk,
    "certificate": _certificate,
    "backup": _backup,
}


def _get(instance: Instance, service: str, path: str, **query: str) -> Any:
    url = f"{instance.url(service)}{path}?{urlencode(query)}"
    with urlopen(url, timeout_s=_TIMEOUT_S) as answer:
        return json.load(answer)


def _api(instance: Instance, service: str, path: str, **query: str) -> Any:
    return _get(instance, service, path, **query)["data"]


def _values(instance: Instance, expression: str) -> list[tuple[Mapping[str, str], float]]:
    found = _api(instance, "prometheus", "/api/v1/query", query=expression)["result"]
    return [(one["metric"], float(one["value"][1])) for one in found]


def _value(instance: Instance, expression: str) -> float | None:
    return next((value for _, value in _values(instance, expression)), None)


def _seconds(stamp: str) -> float:
    """RFC 3339, of which Go writes nanoseconds."""
    from datetime import datetime

    whole, _, rest = stamp.partition(".")
    zone = rest.lstrip("0123456789") if rest else ""
    return datetime.fromisoformat(f"{whole}{zone}".replace("Z", "+00:00")).timestamp()
