"""Prints what the viewer costs: medians of a few rounds, against the goals that stand beside them.

    python -m tests.bench.bench_viewer [ROUNDS]

First paint is that of the Overview's first panel with data, in the headless browser: cold with an
empty cache, warm in the same context. The share of a core is what the services spend on the
Overview's queries while one page shows it and is refreshed every 15 s, above what they spend alone.
The week is what `doit demo` puts behind an instance, once it has seen which series that has.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from scenarios.dashboards.browser import Browser, Page, browser, program
from scenarios.demo import history, lines
from scenarios.demo.run import Demo
from scenarios.demo.week import week
from stack.paths import cache_dir
from stack.run.instance import Instance
from stack.run.lifecycle import bring_down, bring_up
from stack.store.packageset import PackageSet, realise

NAME = "bench-viewer"
WATCHED_S = 60.0
ASKED = ("grafana", "prometheus", "loki", "alertmanager")
"""Services that a dashboard's queries keep busy."""

_SHOWN = "document.querySelectorAll('section canvas, section [data-testid*=\"Bar gauge\"]').length"
_PAINTED = f"""
new Promise((done) => {{
  const look = () => {_SHOWN} > 0 ? done(performance.now()) : requestAnimationFrame(look);
  look();
}})
"""
"""Milliseconds from the navigation until the first panel has drawn its data."""


def told(what: str, values: Sequence[float], unit: str, goal: str) -> None:
    many = f"median of {len(values)}" if len(values) > 1 else "once"
    print(f"{what:38} {statistics.median(values):8.2f} {unit:4} ({many}; goal {goal})", flush=True)


def painted_s(page: Page, url: str) -> float:
    page.open(f"{url}/d/overview")
    page.until("location.pathname === '/d/overview'")
    return float(page.ask(_PAINTED)) / 1000


def pages(running: Browser, url: str, rounds: int) -> None:
    cold, warm, sizes = [], [], []
    for _ in range(rounds):
        with running.page() as page:
            page.size(1280)
            cold.append(painted_s(page, url))
            page.until("document.readyState === 'complete'")
            sizes.append(page.received_bytes / 1e6)
            page.open("about:blank")
            page.until("location.href === 'about:blank'")
            warm.append(painted_s(page, url))
    told("first paint of Overview, cold", cold, "s", "2.0 s")
    told("first paint of Overview, warm", warm, "s", "1.0 s")
    told("whole page load, compressed", sizes, "MB", "3.0 MB")


def build(rounds: int) -> None:
    took = []
    realise(["viewer"])
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "artifacts").symlink_to(cache_dir() / "artifacts")
            began = time.monotonic()
            realise(["viewer"], PackageSet(cache=Path(folder)))
            took.append(time.monotonic() - began)
            for at in Path(folder).rglob("*"):
                if at.is_dir() and not at.is_symlink():
                    at.chmod(0o755)
    told("build from cached tarballs", took, "s", "15 s")


def spent_s(instance: Instance) -> float:
    """CPU seconds of the services that answer queries, so far."""
    times = [psutil.Process(instance.pid(name)).cpu_times() for name in ASKED]
    return sum(one.user + one.system for one in times)


def share(instance: Instance) -> float:
    """Percent of a core over WATCHED_S."""
    before, began = spent_s(instance), time.monotonic()
    time.sleep(WATCHED_S)
    return 100 * (spent_s(instance) - before) / (time.monotonic() - began)


def past_s(instance: Instance) -> float:
    """Seconds that writing the metrics and lines of a week takes."""
    lived = week(1, time.time(), instance.speed)
    with Demo(instance=instance, seed=lived.seed, say=print).people(lived):
        since = history.planned(instance)
        series = history.observed(instance, since)
        began = time.monotonic()
        lines.write(instance, lived, since)
        history.write(instance, series, lived)
        return time.monotonic() - began


def main(rounds: int) -> None:
    realise()
    of = program()
    build(rounds)
    ups = []
    try:
        bring_down(NAME, wipe=True)
        bring_up(NAME, free_ports=True)
        for _ in range(rounds):
            bring_down(NAME)
            began = time.monotonic()
            instance = bring_up(NAME, free_ports=True)
            ups.append(time.monotonic() - began)
        told("up, warm, to ready", ups, "s", "3 s")
        url = instance.url("grafana")
        alone = share(instance)
        with browser(of) as running:
            pages(running, url, rounds)
            with running.page() as page:
                page.size(1280)
                page.open(f"{url}/d/overview?refresh=15s")
                page.until(f"{_SHOWN} > 0")
                told("Overview's queries, % of a core", [share(instance) - alone], "%", "3 %")
        resident = psutil.Process(instance.pid("grafana")).memory_info().rss / 1e6
        told("viewer, resident", [resident], "MB", "60 MB")
        told("history of a week", [past_s(instance)], "s", "20 s")
    finally:
        bring_down(NAME, wipe=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
