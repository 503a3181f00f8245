"""What blackbox_exporter is told to probe is there: the service, and where it says how it is."""

from collections.abc import Collection, Iterator, Mapping

from stack.check.addresses import split
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.scrapes import Job, Target, jobs
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, get, line, text

Paths = Mapping[str, Collection[str]]
"""Service → the paths at which it says whether it is well; none for one that no probe may ask."""


def check(configuration: Configuration, known: Paths) -> Iterator[Problem]:
    """Of hosts that are not `known`, nothing is said: `addresses` tells those that are nobody's."""
    file = configuration.prometheus
    for job in jobs(file) if file else ():
        for target in job.targets:
            if file and target.path == "/probe":
                yield from _problems(configuration, file, job, target, known)


def _problems(
    configuration: Configuration, file: ConfigFile, job: Job, target: Target, known: Paths
) -> Iterator[Problem]:
    asked = target.asks.get("target", "")
    if not asked:
        yield Problem(
            check="scrapes/probe", path=file.path, line=line(target.node),
            what=f"job `{job.name}` does not say what to probe.",
            cure="Let `relabel_configs` copy `__address__` to `__param_target`.",
        )  # fmt: skip
        return
    module = get(
        configuration.blackbox.root if configuration.blackbox else None,
        "modules", target.asks.get("module", ""),
    )  # fmt: skip
    if text(get(module, "prober")) != "http":
        return
    parts = split(asked if "://" in asked else f"http://{asked}")
    service = parts.hostname or ""
    if not service:
        yield Problem(
            check="scrapes/probe", path=file.path, line=line(target.node),
            what=f"the probe of job `{job.name}` asks `{asked}`, which is no address.",
            cure="Write `http://SERVICE:PORT/PATH`.",
        )  # fmt: skip
    if service not in known:
        return
    if parts.scheme != "http":
        what = f"speaks {parts.scheme} to `{service}`, which speaks http"
        cure = f"Ask `http://{parts.netloc}{parts.path}`."
    elif (parts.path or "/") not in known[service]:
        what = f"asks for `{parts.path or '/'}`; there `{service}` does not say how it is"
        cure = nearest(parts.path, known[service])
    else:
        return
    yield Problem(
        check="scrapes/probe", path=file.path, line=line(target.node),
        what=f"the probe of job `{job.name}` {what}.", cure=cure,
    )  # fmt: skip
