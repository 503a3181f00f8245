"""What blackbox_exporter is told to probe is there: the service, and where it says how it is."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import yaml

from stack.check.addresses import split
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.scrapes import Job, Target, jobs
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, get, line, text, truth


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Where a service says whether it is well."""

    scheme: str = "http"
    paths: Collection[str]
    """None for one that no probe may ask."""


Known = Mapping[str, Answers]
"""By service."""


def check(configuration: Configuration, known: Known) -> Iterator[Problem]:
    """Of hosts that are not `known`, nothing is said: `addresses` tells those that are nobody's."""
    file = configuration.prometheus
    for job in jobs(file) if file else ():
        for target in job.targets:
            if file and target.path == "/probe":
                yield from _problems(configuration, file, job, target, known)


def _problems(
    configuration: Configuration, file: ConfigFile, job: Job, target: Target, known: Known
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
    answers = known[service]
    if parts.scheme != answers.scheme:
        what = f"speaks {parts.scheme} to `{service}`, which speaks {answers.scheme}"
        cure = f"Ask `{answers.scheme}://{parts.netloc}{parts.path}`."
    elif (parts.path or "/") not in answers.paths:
        what = f"asks for `{parts.path or '/'}`; there `{service}` does not say how it is"
        cure = nearest(parts.path, answers.paths)
    elif refused := _refused(get(module, "http"), answers.scheme):
        what, cure = f"takes no answer of `{service}`: {refused[0]}", refused[1]
    else:
        return
    yield Problem(
        check="scrapes/probe", path=file.path, line=line(target.node),
        what=f"the probe of job `{job.name}` {what}.", cure=cure,
    )  # fmt: skip


def _refused(http: yaml.Node | None, scheme: str) -> tuple[str, str] | None:
    """What makes the module fail whatever a service of the scheme answers, and its cure."""
    key = "fail_if_not_ssl" if scheme == "http" else "fail_if_ssl"
    if truth(get(http, key)):
        return f"its module has `{key}`", "Remove it, or give the job another module."
    trusts = get(http, "tls_config", "ca_file") or truth(
        get(http, "tls_config", "insecure_skip_verify")
    )
    if scheme == "https" and not trusts:
        return (
            "nobody knows the authority that signs the lab's certificates",
            "Give the module `tls_config: {insecure_skip_verify: true}`.",
        )
    return None
