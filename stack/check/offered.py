"""Which metrics each scrape job offers, and with which labels: a table taken from a running lab.

`offered.txt` is generated, never edited: `python -m stack.check.offered http://127.0.0.1:9090`
writes it from the Prometheus of an instance that has been up for a minute or two, while `doit load`
loads it. What an earlier table had stays in it: some series come only with their event (a failed
request, a deadlock).
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

TABLE = Path(__file__).with_name("offered.txt")

OF_EVERY_JOB = frozenset({
    "up", "scrape_duration_seconds", "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling", "scrape_series_added",
})  # fmt: skip
"""What Prometheus itself records of a scrape."""

OF_PROMETHEUS = frozenset({"ALERTS", "ALERTS_FOR_STATE"})
"""What Prometheus records of its rules, of no job."""

_PARTS = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("", "_count", "_sum")}

Offer = Mapping[str, frozenset[str] | None]
"""Metric → its labels without those of the target; None where none has been seen yet."""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """The whole table: job → what it offers."""

    jobs: Mapping[str, Offer]

    def metrics(self) -> set[str]:
        """Every name, of any job."""
        return {name for offer in self.jobs.values() for name in offer} | OF_EVERY_JOB


@cache
def table(path: Path = TABLE) -> Offered:
    """The checked-in table."""
    jobs: dict[str, dict[str, frozenset[str] | None]] = {}
    for row in path.read_text().splitlines():
        if row.startswith("["):
            offer = jobs.setdefault(row.strip("[]"), {})
        elif row and not row.startswith("#"):
            name, *labels = row.split()
            offer[name] = None if labels == ["?"] else frozenset(labels)
    return Offered(jobs=jobs)


def ask(prometheus: str) -> Offered:
    """What a running instance offers now; `prometheus` is its address."""
    import urllib.request  # a check only reads the table

    def answer(path: str) -> list[dict[str, str]]:
        with urllib.request.urlopen(f"{prometheus}/api/v1/{path}", timeout=30) as reply:
            found: list[dict[str, str]] = json.load(reply)["data"]
        return found

    with urllib.request.urlopen(f"{prometheus}/api/v1/targets?state=active", timeout=30) as reply:
        targets = json.load(reply)["data"]["activeTargets"]
    jobs: dict[str, dict[str, frozenset[str] | None]] = {}
    of_target: dict[str, set[str]] = {}
    for target in targets:
        of_target.setdefault(target["labels"]["job"], set()).update(target["labels"])
    for job, static in sorted(of_target.items()):
        offer: dict[str, frozenset[str] | None] = {}
        matching = quote(f'{{job="{job}"}}')
        for known in answer(f"targets/metadata?match_target={matching}"):
            for part in _PARTS.get(known["type"], ("",)):
                offer[known["metric"] + part] = None
        for series in answer(f"series?match[]={matching}"):
            name = series.pop("__name__")
            # What rules make of a job's series, alerts and records, carries its name as well.
            if name not in OF_EVERY_JOB | OF_PROMETHEUS and ":" not in name:
                labels = frozenset(one.removeprefix("exported_") for one in series)
                offer[name] = (offer.get(name) or frozenset()) | (labels - static)
        jobs[job] = offer
    return Offered(jobs=jobs)


def merged(older: Offered, newer: Offered) -> Offered:
    """Both, for the jobs of `newer`."""
    jobs: dict[str, Offer] = {}
    for job, offer in newer.jobs.items():
        before = older.jobs.get(job, {})
        names = {*before, *offer}
        jobs[job] = {name: _either(before.get(name), offer.get(name)) for name in names}
    return Offered(jobs=jobs)


def _either(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return other if one is None else one if other is None else one | other


def rows(offered: Offered) -> Iterable[str]:
    """The table as text."""
    yield "# `python -m stack.check.offered http://127.0.0.1:9090` writes this anew from a lab that"
    yield "# has been up for two minutes, and keeps what is here already. Do not edit it."
    for job, offer in sorted(offered.jobs.items()):
        yield f"[{job}]"
        for name, labels in sorted(offer.items()):
            yield " ".join([name, *(["?"] if labels is None else sorted(labels))])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where the lab's Prometheus is, such as http://127.0.0.1:9090.")
    before = table() if TABLE.exists() else Offered(jobs={})
    TABLE.write_text("\n".join(rows(merged(before, ask(sys.argv[1])))) + "\n")
