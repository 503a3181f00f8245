"""The scrape jobs of prometheus.yml: where each really goes, and what is left of what it offers."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import yaml

from stack import durations
from stack.check.addresses import split
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.relabel import Labels, Outcome, relabelled
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, entries, get, line, pairs, text
from stack.errors import BadInput

_PROBER = "blackbox-exporter"

ALERTMANAGER = "alertmanager:9093"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One address of a job, after `relabel_configs`; or one that a file will name."""

    node: yaml.Node
    labels: Mapping[str, str | None]
    """Those that its series carry."""
    file: str
    """That names it while it is there; empty where it is written."""
    address: str
    path: str
    asks: Mapping[str, str]
    """Parameters of the request: what a prober is told to probe, say."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One entry of `scrape_configs`."""

    name: str
    node: yaml.Node
    targets: tuple[Target, ...]
    dropped: tuple[tuple[str, int | None], ...]
    """Addresses that `relabel_configs` drop, and the line that does."""
    discovers: bool
    """Whether it finds targets in other ways than lists, written or in files: nothing is known of
    them."""

    @property
    def line(self) -> int:
        return line(get(self.node, "job_name") or self.node)

    @property
    def labels(self) -> frozenset[str]:
        """Names of its targets' labels."""
        return frozenset(name for target in self.targets for name in target.labels)

    def kept(self, metric: str, labels: Labels) -> Outcome:
        """What `metric_relabel_configs` leave of a series."""
        given: dict[str, str | None] = {"__name__": metric}
        for target in self.targets[:1]:
            given |= target.labels
        return relabelled(given | dict(labels), entries(self.node, "metric_relabel_configs"))


def jobs(file: ConfigFile) -> list[Job]:
    """Every job of prometheus.yml."""
    return [_job(node) for node in entries(file.root, "scrape_configs")]


def _job(node: yaml.Node) -> Job:
    name = text(get(node, "job_name"))
    targets: list[Target] = []
    dropped: list[tuple[str, int | None]] = []
    listed = [*entries(node, "static_configs"), *entries(node, "file_sd_configs")]
    for static in listed:
        labels = {key: text(value) for key, value in pairs(get(static, "labels"))}
        for one in [*entries(static, "targets"), *(files := entries(static, "files"))]:
            given: dict[str, str | None] = {
                "job": name,
                "__address__": None if files else text(one),
                "__scheme__": text(get(node, "scheme")) or "http",
                "__metrics_path__": text(get(node, "metrics_path")) or "/metrics",
                **{f"__param_{key}": text(next(iter(entries(node, "params", key)), None))
                   for key, _ in pairs(get(node, "params"))},
                **labels,
            }  # fmt: skip
            outcome = relabelled(given, entries(node, "relabel_configs"))
            if outcome.labels is None:
                dropped.append((text(one), outcome.by))
                continue
            found = dict(outcome.labels)
            address = found.get("__address__") or ""
            found.setdefault("instance", address)
            targets.append(
                Target(
                    node=one,
                    file=text(one) if files else "",
                    labels={key: value for key, value in found.items()
                            if not key.startswith("__")},
                    address=f"{found.get('__scheme__')}://{address}",
                    path=found.get("__metrics_path__") or "",
                    asks={key.removeprefix("__param_"): value or "" for key, value in found.items()
                          if key.startswith("__param_")},
                )
            )  # fmt: skip
    discovers = any(
        key.endswith("_sd_configs") and key != "file_sd_configs" for key, _ in pairs(node)
    )
    return Job(name=name, node=node, targets=tuple(targets), dropped=tuple(dropped),
               discovers=discovers)  # fmt: skip


def check(configuration: Configuration, services: Mapping[str, str]) -> Iterator[Problem]:
    """Every service that offers metrics is scraped, under its own name, where it offers them.

    `services`: job → path of its metrics. What reads them is compared by `contract`.
    """
    file = configuration.prometheus
    if not file:
        return
    found = jobs(file)
    known = {job.name for job in found}
    for job in found:
        yield from _dropped(file, job)
        yield from _mislabelled(file, job)
        if job.name in services:
            yield from _elsewhere(file, job, services[job.name])
        else:
            missing = sorted(set(services) - known)
            yield Problem(
                check="scrapes/job", path=file.path, line=job.line,
                what=f"job `{job.name}` is none that the lab knows, so what it offers is not known "
                "either.",
                cure=nearest(job.name, missing) if missing else
                "Generate stack/check/offered.txt again (its head says how).",
            )  # fmt: skip
    # One that is there under another name has been told above.
    renamed = [job for job in found if job.name not in services]
    for name in sorted(set(services) - known) if not renamed else ():
        yield Problem(
            check="scrapes/job", path=file.path, line=_line(file, "scrape_configs"),
            what=f"no job scrapes `{name}`; alerts that read it stay silent for ever.",
            cure=f"Add a job `{name}` to `scrape_configs`.",
        )  # fmt: skip
    yield from _alertmanagers(file)


def _mislabelled(file: ConfigFile, job: Job) -> Iterator[Problem]:
    """Rules, routes and scenarios read `instance` and `job` of every target."""
    for static in entries(job.node, "static_configs"):
        for name, value in pairs(get(static, "labels")):
            if meant := get_close_matches(name, {"instance", "job"} - {name}, n=1, cutoff=0.75):
                yield Problem(
                    check="scrapes/label", path=file.path, line=line(value),
                    what=f"the targets of job `{job.name}` have a label `{name}`, which nobody "
                    "reads.",
                    cure=f"Did you mean `{meant[0]}`?",
                )  # fmt: skip


def _dropped(file: ConfigFile, job: Job) -> Iterator[Problem]:
    for address, by in job.dropped:
        yield Problem(
            check="scrapes/relabel", path=file.path, line=by or job.line,
            what=f"`relabel_configs` of job `{job.name}` drop its target `{address}`.",
            cure="Fix the rule; dropped targets are not scraped and `up` does not say so.",
        )  # fmt: skip
    if not job.targets and not job.dropped and not job.discovers:
        yield Problem(
            check="scrapes/target", path=file.path, line=job.line,
            what=f"job `{job.name}` has no target.", cure="Name one below `static_configs`.",
        )  # fmt: skip
    for target in job.targets:
        if target.labels.get("job") not in (job.name, None):
            yield Problem(
                check="scrapes/relabel", path=file.path, line=job.line,
                what=f"the series of job `{job.name}` come out as job `{target.labels['job']}`.",
                cure="Leave `job` alone: rules and scenarios name it.",
            )  # fmt: skip


def _probes(job: Job, target: Target, asked: str | None) -> bool:
    """Whether somebody is asked who probes the service that the job is named after."""
    return asked == _PROBER and split(target.asks.get("target", "")).hostname == job.name


def _elsewhere(file: ConfigFile, job: Job, path: str) -> Iterator[Problem]:
    for target in job.targets:
        parts = split(target.address)
        wrong = ""
        if target.file and target.file != f"control/{job.name}.json":
            wrong = f"reads its targets from `{target.file}`, which nobody writes"
        elif target.file:
            continue
        elif parts.hostname != job.name and not _probes(job, target, parts.hostname):
            wrong = f"asks `{parts.hostname}`"
        elif parts.scheme != "http":
            wrong = f"speaks {parts.scheme}, which `{job.name}` does not"
        elif target.path != path:
            wrong = f"asks for `{target.path}`; `{job.name}` answers at `{path}`"
        if wrong:
            at = get(job.node, "metrics_path") if "asks for" in wrong else None
            yield Problem(
                check="scrapes/target", path=file.path, line=line(at or target.node),
                what=f"job `{job.name}` {wrong}.",
                cure="A job has the name of the service that it scrapes.",
            )  # fmt: skip


def _alertmanagers(file: ConfigFile) -> Iterator[Problem]:
    """Where Prometheus sends alerts is where the lab's Alertmanager listens."""
    listed = entries(file.root, "alerting", "alertmanagers")
    if not listed:
        yield _unheard(file, None, "no Alertmanager is configured below `alerting`")
    for one in listed:
        if (node := get(one, "timeout")) and _seconds(node) < 1:
            yield _unheard(file, node, f"the Alertmanager has {text(node)} to answer")
        if (node := get(one, "proxy_url")) and text(node):
            yield _unheard(file, node, f"alerts are sent by way of `{text(node)}`")
        for key, good in (("scheme", ("", "http")), ("path_prefix", ("", "/")),
                          ("api_version", ("", "v2"))):  # fmt: skip
            node = get(one, key)
            if text(node) not in good:
                yield _unheard(file, node, f"`{key}` of the Alertmanager is `{text(node)}`, "
                               f"expected `{good[1]}`")  # fmt: skip
        targets = [target for static in entries(one, "static_configs")
                   for target in entries(static, "targets")]  # fmt: skip
        if not targets and not any(key.endswith("_sd_configs") for key, _ in pairs(one)):
            yield _unheard(file, one, "the Alertmanager has no target")
        for target in targets:
            given: dict[str, str | None] = {
                "__address__": text(target),
                "__scheme__": "http",
                "__alerts_path__": "/api/v2/alerts",
            }
            outcome = relabelled(given, entries(one, "relabel_configs"))
            at = outcome.labels or {}
            if outcome.labels is None:
                yield Problem(
                    check="scrapes/alertmanager", path=file.path, line=outcome.by,
                    what="`relabel_configs` drop the Alertmanager; no alert reaches it.",
                    cure="Remove the rule.",
                )  # fmt: skip
            elif any(at.get(key, "") not in (value, None) for key, value in
                     (given | {"__address__": ALERTMANAGER}).items()):  # fmt: skip
                yield _unheard(file, target, f"alerts are sent to `{at.get('__scheme__')}://"
                               f"{at.get('__address__')}{at.get('__alerts_path__')}`")  # fmt: skip


def _seconds(node: yaml.Node) -> float:
    try:
        return durations.seconds(text(node))
    except BadInput:  # promtool tells
        return math.inf


def _unheard(file: ConfigFile, node: yaml.Node | None, what: str) -> Problem:
    return Problem(
        check="scrapes/alertmanager",
        path=file.path,
        line=line(node) if node else _line(file, "alerting"),
        what=f"{what}; no alert reaches it.",
        cure=f"Alertmanager listens at http://{ALERTMANAGER}/api/v2/alerts.",
    )


def _line(file: ConfigFile, key: str) -> int | None:
    node = get(file.root, key)
    return line(node) if node else None
