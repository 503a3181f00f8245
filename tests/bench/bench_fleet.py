"""Prints what a fleet of synthetic schedulers takes while a real Prometheus scrapes it.

    python -m tests.bench.bench_fleet [--targets N] [--every S] [--for S] [--churn PERCENT]

CPU and memory of the fleet's process and of Prometheus, and how long a scrape takes; the first and
the last memory show whether it stays within bounds. The goal is 1,000 targets every 5 s with less
than half a core.
"""

import argparse
import shutil
from pathlib import Path

from loadgen.fleet.process import Fleet
from loadgen.fleet.roster import Plan
from loadgen.fleet.shape import Shape
from scenarios.capacity.metrics.bench import filled, watch
from scenarios.capacity.metrics.monitor import Monitor
from tests import leftovers
from tests.scenarios.capacity.metrics import made

GOAL_CORES = 0.5
WINDOW_S = 20.0


def run(folder: Path, plan: Plan, every_s: float, for_s: float) -> None:
    shape = made.shape(folder / "shape")
    print(f"a scheduler has {Shape(shape.read_text()).series} series,"
          f" {shape.stat().st_size / 1e3:.0f} KB")  # fmt: skip
    targets = folder / "targets.json"
    with (
        Fleet(plan, shape, targets, folder / "fleet.log") as fleet,
        Monitor(made.layout(folder / "instance"), folder / "own", targets, interval_s=every_s)
        as monitor,
    ):  # fmt: skip
        filled(monitor, plan.targets)
        cores = []
        for _ in range(max(1, round(for_s / WINDOW_S))):
            (window,) = watch([monitor], fleet, WINDOW_S)
            cores.append(window.fleet_cores)
            resident = fleet.process.memory_info().rss
            print(
                f"fleet {window.fleet_cores:.3f} cores, {resident / 1e6:.0f} MB;"
                f" Prometheus {window.cores:.2f} cores, {window.memory_bytes / 1e6:.0f} MB,"
                f" {window.series:,.0f} series, {window.samples_per_s:,.0f} samples/s;"
                f" scrapes {1000 * window.scrape_s:.1f} ms, slowest"
                f" {1000 * window.slowest_scrape_s:.0f} ms, {window.missed:.0f} failed;"
                f" others {window.other_cores:.1f} cores"
            )
        mean = sum(cores) / len(cores)
        print(f"{plan.targets} targets every {every_s:g} s: {mean:.3f} cores,"
              f" goal {GOAL_CORES:g}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--every", type=float, default=5.0)
    parser.add_argument("--for", type=float, default=60.0, dest="lasts")
    parser.add_argument("--churn", type=float, default=5.0)
    said = parser.parse_args()
    plan = Plan(
        targets=said.targets, churn_instances=said.churn / 100, churn_labels=said.churn / 100
    )
    folder = leftovers.fresh("bench-fleet-")
    try:
        run(folder, plan, said.every, said.lasts)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
