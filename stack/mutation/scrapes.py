"""Mutants of prometheus.yml: what is scraped, how often, and what is made of it."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from stack.check.configuration import Configuration
from stack.check.yamlfile import entries, get, line
from stack.mutation import values
from stack.mutation.mutant import GONE, Keys, Mutant, changed, lines, written
from stack.mutation.values import Found

FILE = Path("prometheus/prometheus.yml")


def mutants(configuration: Configuration) -> Iterator[Mutant]:
    """Of each job, then of what counts for all."""
    file = configuration.prometheus
    if not file or not file.root:
        return
    document = file.plain

    def made(found: Found, subject: str, node: yaml.Node, number: int) -> Mutant:
        keys, value, _, what = found
        return Mutant(path=FILE, line=number, of=lines(node), kind="scrape", subject=subject,
                      what=what, content=written(changed(document, keys, value)))  # fmt: skip

    for at, node in enumerate(entries(file.root, "scrape_configs")):
        job, keys = document["scrape_configs"][at], ("scrape_configs", at)
        subject = f"job `{job.get('job_name', '')}`"
        yield made((keys, GONE, "", "left out"), subject, node, line(node))
        for found in values.changes(job, keys):
            yield made(found, subject, node, line(_at(node, found[0][2:])))
    for key, value in document.items():
        if key != "scrape_configs":
            whole: Keys = (key,)
            begin = get(file.root, key) or file.root
            yield made((whole, GONE, "", "left out"), f"`{key}`", begin, line(begin))
            for found in values.changes(value, whole):
                yield made(found, f"`{key}`", begin, line(_at(begin, found[0][1:])))


def _at(node: yaml.Node, keys: Keys) -> yaml.Node:
    """As far down as there is a node."""
    for key in keys:
        below = entries(node)[key : key + 1] if isinstance(key, int) else [get(node, key)]
        if not below or below[0] is None:
            break
        node = below[0]
    return node
