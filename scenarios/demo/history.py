"""A week of metrics behind an instance that has only just begun, so that dashboards and rules that
look back find what they would find in life.

Nothing of it is invented but its course: the series are those that the instance has now, its
counters go at the pace that they have now, its gauges stand where they stand now; how that rises
and falls follows `week`. What is written is read by dashboards or rules; the rest has no past.
promtool makes blocks of it ("Backfilling", prometheus.io/docs/prometheus/latest/storage).
"""

import math
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from scenarios.demo.week import Week
from scenarios.proof.scenario import ALWAYS
from stack import loopback
from stack.errors import HostCannot
from stack.paths import CONFIG_ROOT
from stack.run.instance import Instance

STEPS_S = ((3600.0, 15.0), (6 * 3600.0, 30.0), (24 * 3600.0, 60.0), (7 * 86400.0, 150.0))
"""Up to that age, a sample so often; in the instance's own time. What is shown over a week needs
no fifteen seconds; a rate over five minutes needs two samples in each."""

SHORTEST_STEP_S = 0.2
LONGEST = "18h"
BLOCKS_S = (18 * 3600.0, 6 * 3600.0, 2 * 3600.0)
"""Lengths of blocks, as promtool makes them: their ends are multiples of it. Prometheus joins none
of the first."""

LOOK_EVERY_S = 0.25
SEEN_WITHIN_S = 180.0
"""For what takes two scrapes, each fifteen seconds at the most."""

NOISE = 0.08
SWING = 0.35
"""How far a gauge follows the clinic; a counter follows it all the way."""

_COUNTS = re.compile(r"_(total|count|sum|bucket)$")
_PARTS = re.compile(r"_(count|sum|bucket)$")
_TIMES = re.compile(r"time_seconds$|timestamp")
_STEADY = re.compile(r"_(info|limit|limit_bytes|size_bytes|max|settings_.*)$|^up$|^pg_settings_")
_PEOPLE = ("active_users",)
"""Gauges that follow the clinic all the way."""
_PLANNING = re.compile(r"^schedule_generation|^acgme_|/schedule/generate|/compliance/validate")
"""Counts what happens a few times a day, at the same hours."""
_TYPES = ("counter", "histogram", "summary")

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series as it is now."""

    name: str
    labels: Labels
    """Without its name."""
    value: float
    rate: float | None = None
    """Per real second, of a counter; None for a gauge."""
    first: float = 0.0
    """What it was when it was first seen."""

    @property
    def text(self) -> str:
        """As OpenMetrics writes it."""
        inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels)
        return f"{self.name}{{{inner}}}" if inner else self.name


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def has_past(instance: Instance) -> bool:
    """Whether something was measured before the instance was made: then it has a history."""
    # As it says itself: what it has scraped of itself may be older than a restart.
    with loopback.client(timeout_s=30) as client:
        told = client.get(f"{instance.url('prometheus')}/metrics").raise_for_status().text
    [lowest] = re.findall(r"^prometheus_tsdb_lowest_timestamp_seconds (\S+)$", told, re.MULTILINE)
    return 0 < float(lowest) < instance.record.created - 60 / instance.speed


def write(instance: Instance, series: Sequence[Series], week: Week) -> int:
    """Give the instance the past of these series; how many samples that is. Prometheus is restarted
    at the end. Raises HostCannot when promtool cannot write it."""
    past = moments(instance.record.created, week)
    data = instance.layout.data("prometheus")
    with (
        tempfile.TemporaryDirectory(dir=data.parent, prefix=".history-") as folder,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        # One piece for each block: promtool reads all of its input for every block of it. While it
        # works on one, the next is written.
        courses = [(one.text, course(one, week, past)) for one in series]
        made = []
        for number, piece in enumerate(pieces(past)):
            file, blocks = Path(folder) / f"{number}.txt", Path(folder) / f"{number}"
            with file.open("w") as out:
                for text, values in courses:
                    of_piece = zip(piece, values)  # noqa: B905  # the next goes on from here
                    rows = (f"{text} {value:.13g} {then.text}\n" for then, value in of_piece)
                    out.write("".join(rows))
                out.write("# EOF\n")
            made.append(pool.submit(_blocks, instance, file, blocks))
        owner = data.stat()
        for block in [block for one in made for block in one.result()]:
            for path in [block, *block.rglob("*")]:
                shutil.chown(path, owner.st_uid, owner.st_gid)
            block.rename(data / block.name)
    instance.restart_service("prometheus")
    return len(series) * len(past)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When samples were taken."""

    at: float
    """Unix seconds."""
    busy: float
    """How busy the clinic was, compared with now."""
    text: str
    """As OpenMetrics writes it."""


def moments(created: float, week: Week) -> list[Moment]:
    """The oldest first; the last lies before `created`, Unix seconds."""
    now = max(week.activity(week.now), 0.05)
    found, age_s = [], 0.0
    for until_s, step_s in STEPS_S:
        while age_s < until_s / week.speed:
            age_s += max(step_s / week.speed, SHORTEST_STEP_S)
            at = created - age_s
            found.append(Moment(at=at, busy=week.activity(at) / now, text=f"{at:.3f}"))
    return found[::-1]


def pieces(past: Sequence[Moment]) -> list[list[Moment]]:
    """The moments of one block after the other."""
    span_s = past[-1].at - past[0].at
    length_s = next((one for one in BLOCKS_S if span_s >= 4 * one), BLOCKS_S[-1])
    return [list(piece) for _, piece in groupby(past, lambda then: then.at // length_s)]


def course(one: Series, week: Week, past: Sequence[Moment]) -> Iterator[float]:
    """The values of a series at these moments; the same for the same seed."""
    # All parts of a histogram go together: none may have more than what contains it.
    kind = _COUNTS.sub("", one.name)
    family = [f"{key}={value}" for key, value in one.labels if key not in ("le", "quantile")]
    seed = f"{week.seed} {kind} {family}"
    drawn = random.Random(seed)
    if one.rate is None:
        yield from _gauge(one, week.now, past, drawn)
        return
    if _PLANNING.search(one.text):
        # As much for each schedule that was made as for the one of today.
        yield from (one.value * week.planned(then.at) for then in past)
        return
    # One that is older than the instance goes on where the past ends; one that cannot have counted
    # so much began anew on the way, as when a machine starts. One that began with the instance
    # begins at nothing there; so do the parts of a histogram, which must fit together.
    total = reset = 0.0
    if one.first and not _PARTS.search(one.name):
        counted = sum(_increases(one.rate, past, random.Random(seed)))
        total, reset = max(0.0, one.first - counted), max(0.0, counted - one.first)
    for increase in _increases(one.rate, past, drawn):
        total += increase
        if reset and total >= reset:
            total, reset = total - reset, 0.0
        yield total


def _increases(rate: float, past: Sequence[Moment], drawn: random.Random) -> Iterator[float]:
    before = past[0].at if past else 0.0
    for then in past:
        pace = then.busy * (1 - NOISE + 2 * NOISE * drawn.random())
        yield rate * pace * (then.at - before)
        before = then.at


def _gauge(
    one: Series, now: float, past: Sequence[Moment], drawn: random.Random
) -> Iterator[float]:
    if _TIMES.search(one.name):
        # How long ago is what counts; when something began does not move.
        moves = "start" not in one.name and "boot" not in one.name
        yield from (one.value - (now - then.at) * moves for then in past)
    elif _STEADY.search(one.name) or one.value in (0.0, 1.0):
        yield from (one.value for _ in past)
    else:
        whole = one.value.is_integer()
        swing = 1.0 if one.name in _PEOPLE else SWING
        for then in past:
            followed = 1 + swing * (min(then.busy, 2.0) - 1)
            value = one.value * followed * (1 + NOISE * (drawn.random() - 0.5) / 2)
            yield float(round(value)) if whole else value


def planned(instance: Instance) -> float:
    """When Prometheus has seen the first schedule of today, Unix seconds: what comes of making it
    is not taken for the pace of a day. People must be at work. Raises HostCannot when none comes.
    """
    query = 'sum(schedule_generation_total{outcome="success"}) > 0'
    give_up = time.monotonic() + SEEN_WITHIN_S
    while not _ask(instance, "/api/v1/query", query=query)["result"]:
        if time.monotonic() > give_up:
            raise HostCannot(
                f"nobody has made a schedule for {SEEN_WITHIN_S:.0f} s, so the past of "
                f"`{instance.name}` is not known.",
                cure="`doit status` and `doit logs backend` may say why; `--no-history` does "
                "without.",
            )
        time.sleep(LOOK_EVERY_S)
    return time.time()


def observed(instance: Instance, since: float) -> list[Series]:
    """The series that somebody reads, and the pace of the counters among them, as soon as every
    target was scraped twice since then, Unix seconds. Raises HostCannot when that does not happen.
    """
    give_up = time.monotonic() + SEEN_WITHIN_S
    while True:
        window = _since(since)
        scrapes = _ask(instance, "/api/v1/query", query=f"min(count_over_time(up[{window}]))")
        if scrapes["result"] and float(scrapes["result"][0]["value"][1]) >= 2:
            break
        if time.monotonic() > give_up:
            raise HostCannot(
                f"a target of `{instance.name}` was not scraped twice in {SEEN_WITHIN_S:.0f} s.",
                cure="`doit status` may say why; `--no-history` does without.",
            )
        time.sleep(LOOK_EVERY_S)
    return list(_seen(instance, since))


def _since(then: float) -> str:
    """A range that goes back to that Unix time."""
    return f"{math.ceil((time.time() - then) * 1000) + 1}ms"


def _seen(instance: Instance, since: float) -> Iterator[Series]:
    types = _ask(instance, "/api/v1/metadata")
    read = _words_read()
    window = _since(instance.record.created)
    found = _ask(instance, "/api/v1/query", query=f'{{__name__=~".+"}}[{window}]')
    for one in sorted(found["result"], key=lambda one: sorted(one["metric"].items())):
        labels = dict(one["metric"])
        name = labels.pop("__name__")
        lately = [each for each in one["values"] if float(each[0]) >= since]
        if not lately:
            continue
        (begun, early), (ended, last) = lately[0], lately[-1]
        value, first = float(last), float(one["values"][0][1])
        # An alert of today was none a week ago, but for the one that always fires.
        alert = name.startswith("ALERTS") and labels.get("severity") != ALWAYS
        if name not in read or alert or value != value:  # not a number
            continue
        rate = None
        if _counts(name, types):
            rate = max(0.0, value - float(early)) / (ended - begun) if ended > begun else 0.0
        yield Series(
            name=name, labels=tuple(sorted(labels.items())), value=value, rate=rate, first=first
        )


def _counts(name: str, types: Mapping[str, Any]) -> bool:
    known = types.get(name) or types.get(_COUNTS.sub("", name)) or [{"type": "gauge"}]
    return known[0]["type"] in _TYPES and "quantile" not in name


def _words_read() -> set[str]:
    """Whatever looks like a name in rules and dashboards: more than the metrics, which is no
    matter, since only what exists is written."""
    files = [*CONFIG_ROOT.glob("prometheus/rules/*"), *CONFIG_ROOT.glob("grafana/dashboards/*")]
    text = " ".join(path.read_text() for path in files)
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", text))


def _ask(instance: Instance, path: str, **query: str) -> Any:
    with loopback.client(timeout_s=30) as client:
        answer = client.get(instance.url("prometheus") + path, params=query)
        answer.raise_for_status()
        return answer.json()["data"]


def _blocks(instance: Instance, file: Path, folder: Path) -> list[Path]:
    """Make blocks of a file, which is then gone; their folders."""
    promtool = instance.layout.program("prometheus", "promtool")
    ran = subprocess.run(
        [promtool, "tsdb", "create-blocks-from", f"--max-block-duration={LONGEST}",
         "openmetrics", "--quiet", str(file), str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise HostCannot(
            f"the history cannot be written: {said[-1] if said else 'promtool failed'}.",
            cure="Is there room on the disk? `doit demo --no-history` does without.",
        )
    file.unlink()
    return [path for path in folder.iterdir() if path.is_dir()]
