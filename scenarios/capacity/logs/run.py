"""Measures a pair and writes what came of it, whatever ends it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from time import monotonic, time

from scenarios.capacity.answer import Baseline, Machine, read_baseline
from scenarios.capacity.logs import report, stored
from scenarios.capacity.logs.answer import KIND, Answer
from scenarios.capacity.logs.bench import Bench
from scenarios.capacity.logs.pair import OWN, Pair, alone
from scenarios.capacity.logs.questions import Question, questions
from scenarios.capacity.logs.stored import Stored, Volume
from scenarios.capacity.objective import Objective
from scenarios.capacity.search import Died, Found, Plan, Search
from scenarios.capacity.window import Step
from scenarios.proof.endings import as_interrupt, ended_by
from scenarios.proof.reports import KEPT, new_folder, prune, reports_dir
from stack import durations, jsontext, progress
from stack.errors import BadInput, CheckFailed
from stack.paths import CONFIG_ROOT
from stack.yamltext import load

FOLDER = "capacity-logs-"
"""How folders of these reports begin."""

VOLUMES = (50_000, 150_000, 450_000, 1_000_000)
"""Lines of the last hour, at which questions are asked."""
ASKING = 0.4
"""Share of the time after which no larger volume is begun."""

_SLO = re.compile(r"lag=(\d+(?:\.\d+)?)(ms|s)")

USUAL = Plan(start=500.0, highest=200_000.0, close=0.05)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks. Rates in lines a second."""

    slo: str = ""
    plan: Plan = USUAL
    volumes: tuple[int, ...] = VOLUMES
    need: float | None = None
    baseline: Path | None = None
    tolerance: float = 0.1


@dataclass
class _So:
    """What is known so far."""

    found: Found = field(default_factory=Found)
    stored: Stored = field(default_factory=Stored)
    instance: str = ""
    pair: str = ""
    text_bytes: float = 0.0
    unshipped: int = 0
    ended: str = ""
    interrupted: bool = False


def logs(wish: Wish, reports: Path | None = None, keep: int = KEPT) -> None:
    """Find how many lines a pair ships in time, and write the report.

    Raises BadInput for an objective or a baseline that cannot be used, HostCannot when the instance
    cannot come up, CheckFailed when there is no result or it falls short; and KeyboardInterrupt,
    once the report of what there is has been written.
    """
    objective = objective_of(wish.slo)
    machine = Machine.here()
    before = _baseline(wish.baseline, machine) if wish.baseline else None
    asked = questions(CONFIG_ROOT)
    with new_folder(reports or reports_dir(), FOLDER) as folder:
        print(f"objective: {objective.words}", flush=True)
        started, begun, so = time(), monotonic(), _So()
        try:
            with ended_by(as_interrupt()):
                _measure(wish, objective, asked, folder, so)
        except Died as death:
            so.ended = f"{death}"
        except KeyboardInterrupt:
            if not so.instance:
                raise
            so.ended, so.interrupted = "it was interrupted", True
        answer = Answer(
            found=so.found, stored=so.stored, objective=objective, plan=wish.plan, machine=machine,
            questions=asked, instance=so.instance, started=started, took_s=monotonic() - begun,
            kept_s=kept_s(CONFIG_ROOT), text_bytes=so.text_bytes, unshipped=so.unshipped,
            ended=so.ended, need=wish.need, baseline=before, tolerance=wish.tolerance, pair=so.pair,
        )  # fmt: skip
        file = report.write(answer, folder)
    prune(reports or reports_dir(), keep, FOLDER)
    report.tell(answer, file)
    if so.interrupted:
        raise KeyboardInterrupt
    if answer.shortcomings:
        raise CheckFailed(f"{'; '.join(answer.shortcomings)}.")


def _measure(
    wish: Wish, objective: Objective, asked: Sequence[Question], folder: Path,
    so: _So,
) -> None:  # fmt: skip
    """Questions first: the search leaves more lines than they are asked at."""
    print(f"starting instance `{OWN}` …", flush=True)
    with alone(folder) as (pair, sample):
        so.instance, so.pair = pair.about, f"{pair.name[:1].upper()}{pair.name[1:]}"
        begun = monotonic()

        def over() -> bool:
            return monotonic() - begun > ASKING * wish.plan.budget_s

        stored.measure(pair, sample, asked, wish.volumes, so.stored, over, _say_volume)
        with Bench(pair, sample, folder) as bench:
            left = replace(wish.plan, budget_s=wish.plan.budget_s - (monotonic() - begun))
            search = Search(bench, objective, left, monotonic, _say)
            so.found = search.found
            received = _received(pair)
            try:
                search.run()
            finally:
                _sum_up(so, bench)
            bench.drain()
            _sum_up(so, bench)
            so.unshipped = max(0, bench.written.lines - round(_received(pair) - received))


def _sum_up(so: _So, bench: Bench) -> None:
    so.text_bytes = bench.written.size_bytes / max(1, bench.written.lines)


def _received(pair: Pair) -> float:
    return pair.figures().get("loki_distributor_lines_received_total", 0.0)


def objective_of(slo: str) -> Objective:
    """95 of 100 lines within a second, unless `lag=2s` says otherwise. Raises BadInput."""
    lag_s, source = 1.0, "a line that comes later misses the rule that looks for it"
    if slo:
        said = _SLO.fullmatch(slo.strip())
        lag_s = float(said[1]) * (1e-3 if said[2] == "ms" else 1.0) if said else 0.0
        if not (lag_s > 0 and isfinite(lag_s)):
            raise BadInput(f"--slo: `{slo}` is not an objective of logs.",
                           cure="Write it as lag=2s.")  # fmt: skip
        source = "--slo"
    return Lag(quantile=0.95, latency_s=lag_s, errors=0.01, looks_s=300.0,
               horizon_s=300.0, source=source)  # fmt: skip


class Lag(Objective):
    """How long lines may take until they can be queried."""

    @property
    def words(self) -> str:
        return f"{100 * self.quantile:g} of 100 lines queryable within {self.latency_s:g} s"


def kept_s(root: Path) -> float:
    """How long the store keeps lines, by its configuration."""
    limits = load(root / "loki" / "loki-config.yml").get("limits_config", {})
    return durations.seconds(str(limits.get("retention_period", "0s")))


def _baseline(file: Path, machine: Machine) -> Baseline:
    """Raises BadInput also for a report of something else."""
    found = read_baseline(file, machine)
    if jsontext.read(file.read_text()).get("kind") != KIND:
        raise BadInput(f"--baseline: `{file}` is no report of logs.")
    return found


def _say(step: Step) -> None:
    if progress.chosen() is not progress.Way.QUIET:
        print(report.line(step), flush=True)


def _say_volume(volume: Volume) -> None:
    if progress.chosen() is not progress.Way.QUIET:
        print(report.volume_line(volume), flush=True)
