"""What every scrape of a job would exceed, so that nothing of it arrives: limits, time, a proxy.

Prometheus takes each of these; then `up` is 0, and only TargetDown says so.
"""

import re
from collections.abc import Iterator

import yaml

from stack import durations
from stack.check.configuration import Configuration
from stack.check.offered import Offered
from stack.check.problem import Problem
from stack.check.scrapes import Job, jobs
from stack.check.yamlfile import ConfigFile, get, line, pairs, text
from stack.errors import BadInput

_QUICKEST_S = 0.1
"""Nobody promises to answer within less."""
_OF_A_JOB_S = {"postgres-exporter": 1.1}
"""It sleeps for a second before it says that its database is away (postgres_exporter 0.17)."""

_ROUTED = ("alertname", "severity", "team")
"""Labels that decide who is notified: rules give them, not targets."""

_SIZE = re.compile(r"([0-9]{1,15})(B|KB|MB|GB|KiB|MiB|GiB)?")
_BYTES = {
    "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "KiB": 1 << 10, "MiB": 1 << 20,
    "GiB": 1 << 30,
}  # fmt: skip


def check(configuration: Configuration, offered: Offered) -> Iterator[Problem]:
    """`offered` says what each job answers at least."""
    file = configuration.prometheus
    if file and (node := get(file.root, "scrape_config_files")):
        yield Problem(
            check="scrapes/job", path=file.path, line=line(node),
            what="`scrape_config_files`: no instance is given these files, and the jobs in them.",
            cure="Write the jobs below `scrape_configs`.",
        )  # fmt: skip
    alike: dict[tuple[int, str], list[str]] = {}
    for job in jobs(file) if file else ():
        if file and job.name in offered.jobs:
            for node, what, cure in _found(file, job, offered):
                alike.setdefault((line(node), cure), []).append(f"job `{job.name}` {what}")
        for node, name in _routed(job):
            if file:
                yield Problem(
                    check="scrapes/label", path=file.path, line=line(node),
                    what=f"the targets of job `{job.name}` have a label `{name}`, which routes "
                    "read: it would be that of every alert that keeps its target's labels.",
                    cure="Let the rules give it.",
                )  # fmt: skip
    for (number, cure), told in alike.items():
        # A limit of all jobs is told of the first; what is raised for it is seen by the next check.
        more = f" (and {len(told) - 1} more jobs)" if len(told) > 1 else ""
        if file:
            yield Problem(check="scrapes/limit", path=file.path, line=number,
                          what=f"{told[0]}{more}.", cure=cure)  # fmt: skip


def _found(file: ConfigFile, job: Job, offered: Offered) -> Iterator[tuple[yaml.Node, str, str]]:
    offer = offered.jobs[job.name]
    # A name is at least one sample of at least as many bytes.
    least = {
        "sample_limit": (len(offer), "samples"),
        "body_size_limit": (sum(map(len, offer)), "bytes"),
        "label_limit": (1 + len(job.labels) + max(len(one or ()) for one in offer.values()),
                        "labels"),
        "label_name_length_limit": (len("__name__"), "bytes of a label's name"),
        "label_value_length_limit": (max(map(len, offer)), "bytes of a label's value"),
        "target_limit": (len(job.targets), "targets"),
    }  # fmt: skip
    for key, (needed, of) in least.items():
        node = get(job.node, key) or get(file.root, "global", key)
        if node and 0 < (limit := _number(node)) < needed:
            yield (
                node,
                f"may have {limit:,} {of} (`{key}`), but has {needed:,} and more: all of it would "
                "be refused",
                "Raise the limit to a few times of what is there.",
            )
    timeout = get(job.node, "scrape_timeout") or get(file.root, "global", "scrape_timeout")
    needed_s = _OF_A_JOB_S.get(job.name, _QUICKEST_S)
    if timeout and 0 < _seconds(timeout) < needed_s:
        yield (
            timeout,
            f"has {text(timeout)} to answer; it needs up to {needed_s:g}s",
            "Raise its `scrape_timeout`.",
        )
    for key, value in pairs(job.node):
        if key in ("proxy_url", "proxy_from_environment") and text(value) not in ("", "false"):
            yield value, f"is asked by way of a proxy (`{key}`)", "Remove it: all listen here."
    if any(target.path == "/metrics" for target in job.targets) and (
        node := get(job.node, "params")
    ):
        yield (
            node,
            "is asked with `params`, by which a service may leave out what rules read",
            "Remove them.",
        )


def _routed(job: Job) -> Iterator[tuple[yaml.Node, str]]:
    seen = set()
    for target in job.targets:
        for name in _ROUTED:
            if name in target.labels and name not in seen:
                seen.add(name)
                yield target.node, name


def _number(node: yaml.Node) -> int:
    """A count, or a size in bytes; 0, as for Prometheus, is none. What is no number promtool
    tells."""
    found = _SIZE.fullmatch(text(node))
    return int(found[1]) * _BYTES[found[2] or "B"] if found else 0


def _seconds(node: yaml.Node) -> float:
    try:
        return durations.seconds(text(node))
    except BadInput:
        return 0
