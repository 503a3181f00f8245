"""A week of metrics behind an instance that has only just begun, so that dashboards and rules that
look back find what they would find in life.

Nothing of it is invented but its course: the series are those that the instance has now, its
counters go at the pace that they have now, its gauges stand where they stand now; how that rises
and falls follows `week`. What is written is read by dashboards or rules; the rest has no past.
promtool makes blocks of it ("Backfilling", prometheus.io/docs/prometheus/latest/storage).
"""

import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.demo.week import Week
from stack import loopback
from stack.errors import HostCannot
from stack.paths import CONFIG_ROOT
from stack.run.instance import Instance

STEPS_S = ((2 * 3600.0, 15.0), (24 * 3600.0, 60.0), (7 * 86400.0, 300.0))
"""Up to that age, a sample so often; in the instance's own time. What is shown over a week needs
no fifteen seconds."""

SHORTEST_STEP_S = 0.2
BLOCK = "168h"
"""The longest block: promtool reads all of its input once for each."""

NOISE = 0.08
SWING = 0.35
"""How far a gauge follows the clinic; a counter follows it all the way."""

_COUNTS = re.compile(r"_(total|count|sum|bucket)$")
_TIMES = re.compile(r"time_seconds$|timestamp")
_STEADY = re.compile(r"_(info|limit|limit_bytes|size_bytes|max|settings_.*)$|^up$|^pg_settings_")
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

    @property
    def text(self) -> str:
        """As OpenMetrics writes it."""
        inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels)
        return f"{self.name}{{{inner}}}" if inner else self.name


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def has_past(instance: Instance) -> bool:
    """Whether something was measured before the instance was made: then it has a history."""
    found = _ask(instance, "/api/v1/query", query="prometheus_tsdb_lowest_timestamp_seconds")
    return any(
        0 < float(one["value"][1]) < instance.record.created - 60 / instance.speed
        for one in found["result"]
    )


def write(instance: Instance, week: Week, *, within_s: float, say: Callable[[str], None]) -> int:
    """Give the instance its past; how many samples that is. It is watched for `within_s` real
    seconds first, to see at what pace its counters go; Prometheus is restarted at the end.

    Raises HostCannot when promtool cannot write it.
    """
    series = _observed(instance, within_s)
    say(f"{len(series)} series of the last {len(week.days)} days …")
    data = instance.layout.data("prometheus")
    with tempfile.TemporaryDirectory(dir=data.parent, prefix=".history-") as folder:
        file, blocks = Path(folder) / "week.txt", Path(folder) / "blocks"
        with file.open("w") as out:
            past = moments(instance.record.created, week)
            count = sum(_write_one(out.write, one, week, past) for one in series)
            out.write("# EOF\n")
        _blocks(instance, file, blocks)
        owner = data.stat()
        for block in [path for path in blocks.iterdir() if path.is_dir()]:
            for path in [block, *block.rglob("*")]:
                shutil.chown(path, owner.st_uid, owner.st_gid)
            block.rename(data / block.name)
    instance.restart_service("prometheus")
    return count


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


def course(one: Series, week: Week, past: Sequence[Moment]) -> Iterator[float]:
    """The values of a series at these moments; the same for the same seed."""
    # All parts of a histogram go together: none may have more than what contains it.
    kind = _COUNTS.sub("", one.name)
    family = [f"{key}={value}" for key, value in one.labels if key not in ("le", "quantile")]
    drawn = random.Random(f"{week.seed} {kind} {family}")
    if one.rate is None:
        yield from _gauge(one, week.now, past, drawn)
        return
    total, before = 0.0, past[0].at if past else 0.0
    for then in past:
        pace = then.busy * (1 - NOISE + 2 * NOISE * drawn.random())
        total += one.rate * pace * (then.at - before)
        before = then.at
        yield total


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
        for then in past:
            followed = 1 + SWING * (min(then.busy, 2.0) - 1)
            value = one.value * followed * (1 + NOISE * (drawn.random() - 0.5) / 2)
            yield float(round(value)) if whole else value


def _observed(instance: Instance, within_s: float) -> list[Series]:
    """The series that somebody reads, and the pace of the counters among them."""
    first, begun = _snapshot(instance), time.monotonic()
    time.sleep(within_s)
    last, took_s = _snapshot(instance), time.monotonic() - begun
    types = _ask(instance, "/api/v1/metadata")
    read = _words_read()
    found = []
    for (name, labels), value in sorted(last.items()):
        if name not in read or value != value:  # not a number
            continue
        counts = _counts(name, types)
        rate = max(0.0, value - first.get((name, labels), 0.0)) / took_s if counts else None
        found.append(Series(name=name, labels=labels, value=value, rate=rate))
    return found


def _counts(name: str, types: Mapping[str, Any]) -> bool:
    known = types.get(name) or types.get(_COUNTS.sub("", name)) or [{"type": "gauge"}]
    return known[0]["type"] in _TYPES and "quantile" not in name


def _words_read() -> set[str]:
    """Whatever looks like a name in rules and dashboards: more than the metrics, which is no
    matter, since only what exists is written."""
    files = [*CONFIG_ROOT.glob("prometheus/rules/*"), *CONFIG_ROOT.glob("grafana/dashboards/*")]
    text = " ".join(path.read_text() for path in files)
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", text))


def _snapshot(instance: Instance) -> dict[tuple[str, Labels], float]:
    found = _ask(instance, "/api/v1/query", query='{__name__=~".+"}')
    series = {}
    for one in found["result"]:
        labels = dict(one["metric"])
        name = labels.pop("__name__")
        series[name, tuple(sorted(labels.items()))] = float(one["value"][1])
    return series


def _ask(instance: Instance, path: str, **query: str) -> Any:
    with loopback.client(timeout_s=30) as client:
        answer = client.get(instance.url("prometheus") + path, params=query)
        answer.raise_for_status()
        return answer.json()["data"]


def _write_one(
    write: Callable[[str], object], one: Series, week: Week, past: Sequence[Moment]
) -> int:
    text, values = one.text, course(one, week, past)
    pairs = zip(past, values, strict=True)
    write("".join(f"{text} {value:.13g} {then.text}\n" for then, value in pairs))
    return len(past)


def _blocks(instance: Instance, file: Path, folder: Path) -> None:
    promtool = instance.layout.program("prometheus", "promtool")
    ran = subprocess.run(
        [promtool, "tsdb", "create-blocks-from", f"--max-block-duration={BLOCK}",
         "openmetrics", "--quiet", str(file), str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise HostCannot(
            f"the history cannot be written: {said[-1] if said else 'promtool failed'}.",
            cure="Is there room on the disk? `doit demo --no-history` does without.",
        )
