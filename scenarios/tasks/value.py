"""What an alert's rule measures now, beside what it wants, for as long as somebody looks."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from scenarios.proof.reach import Ask, Reading, Sample, nearest, now, samples
from stack import loopback
from stack.check.conditions import Condition, conditions
from stack.check.configuration import read
from stack.run.instance import Instance

LOOK_EVERY_S = 0.5

NO_ANSWER = "no answer"


def show(
    instance: Instance, alert: str, goes_on: Callable[[], bool], console: Console | None = None
) -> None:
    """Shows every condition of the alert's rule, with its value now and the nearest so far, until
    `goes_on` says no. What does not answer, because of the incident perhaps, is said."""
    rules = [one for one in read(instance.config_dir).alerts if one.name == alert]
    if not rules:
        return
    asked = conditions(rules[0].expression, rules[0].language)
    best = [Reading(condition=one) for one in asked]
    with (
        _asking(instance, on_logs=rules[0].on_logs) as ask,
        Live(console=console or Console(), auto_refresh=False) as live,
    ):
        while goes_on():
            current = _current(asked, ask)
            if current:
                pairs = zip(best, current, strict=True)
                best = [nearest(pair, empty=pair[1]) for pair in pairs]
            live.update(table(best, current), refresh=True)
            time.sleep(LOOK_EVERY_S)


def table(best: Sequence[Reading], current: Sequence[Reading]) -> Table:
    """A row for each condition; without `current` readings nobody answered."""
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    shown.add_column("measured", no_wrap=True, overflow="ellipsis", ratio=1)
    for name in ("now", "nearest", "wanted"):
        shown.add_column(name, no_wrap=name != "wanted", justify="left")
    for number, reading in enumerate(best):
        one = current[number] if current else None
        shown.add_row(
            f"{reading.condition.joined} {' '.join(reading.condition.measured.split())}".strip(),
            figure(one) if one else NO_ANSWER,
            figure(reading),
            reading.wanted,
            style="green" if one and one.met else "",
        )
    return shown


def figure(reading: Reading) -> str:
    return "none" if reading.value is None else f"{reading.value:.4g}"


def _current(asked: Sequence[Condition], ask: Ask) -> list[Reading]:
    """Empty when there is no answer, or none that can be read."""
    try:
        return now(asked, ask)
    except (httpx.HTTPError, KeyError, TypeError, ValueError):
        return []


@contextmanager
def _asking(instance: Instance, *, on_logs: bool) -> Iterator[Ask]:
    service, path = ("loki", "/loki/api/v1/query") if on_logs else ("prometheus", "/api/v1/query")
    with loopback.client() as client:

        def ask(query: str) -> list[Sample]:
            answer = client.get(instance.url(service) + path, params={"query": query})
            answer.raise_for_status()
            return samples(answer.json())

        yield ask
