"""What a proof of all alerts takes: `python -m tests.bench.bench_proof [--runs N]`, on an idle
machine.

Prints for each run the wall time, the longest chain (seconds from the first to the last that was
seen of one alert, which no packing can shorten), the median of fault → notification over its floor
and over the fastest possible, the machine's CPU seconds and its peak of memory; then, over all
runs, the alerts whose verdicts differ.
"""

import argparse
import contextlib
import io
import json
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from scenarios.tasks.verify_alerts import verify_alerts
from stack.errors import LabError
from stack.store.packageset import realise


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one run; times in seconds."""

    wall_s: float
    chain_s: float
    over_floor: float
    over_fastest: float
    cpu_s: float
    memory_bytes: int
    verdicts: dict[str, str]
    said: str

    def __str__(self) -> str:
        proven = sum(verdict == "proven" for verdict in self.verdicts.values())
        return (
            f"{proven} of {len(self.verdicts)} proven, wall {self.wall_s:.1f} s, longest chain"
            f" {self.chain_s:.1f} s ({self.wall_s / self.chain_s:.2f} x), median"
            f" {self.over_floor:.2f} x floor, {self.over_fastest:.2f} x fastest, CPU"
            f" {self.cpu_s:.0f} s, memory {self.memory_bytes / 1e9:.2f} GB"
        )


class Peak:
    """The most memory in use while a `with` block runs, beyond what was in use before."""

    def __enter__(self) -> "Peak":
        self._before = psutil.virtual_memory().used
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            self.bytes = max(self.bytes, psutil.virtual_memory().used - self._before)


def measure(speed: float, folder: Path, instances: int) -> Figures:
    said = io.StringIO()
    busy, began = _cpu_s(), time.monotonic()
    with Peak() as peak, contextlib.redirect_stdout(said), contextlib.suppress(LabError):
        verify_alerts(speed=speed, reports=folder, history=folder / "history", instances=instances)
    wall_s, cpu_s = time.monotonic() - began, _cpu_s() - busy
    cases = list(ET.parse(folder / "latest" / "junit.xml").getroot().iter("testcase"))
    alerts = json.loads((folder / "history").read_text().splitlines()[-1])["alerts"]
    # Routing cases have no floor.
    proven = [one for one in alerts.values() if one["outcome"] == "proven" and one["floor_s"]]
    return Figures(
        wall_s=wall_s,
        chain_s=max(float(case.get("time", 0)) for case in cases),
        over_floor=median(one["notified_s"] / one["floor_s"] for one in proven),
        over_fastest=median(one["notified_s"] / one["fastest_s"] for one in proven),
        cpu_s=cpu_s,
        memory_bytes=peak.bytes,
        verdicts={name: one["outcome"] for name, one in alerts.items()},
        said=said.getvalue(),
    )


def _cpu_s() -> float:
    """Seconds that all processes of the machine have used."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--instances", type=int, default=0, help="at once; 0 as a proof does")
    options = parser.parse_args()
    realise()
    verdicts: dict[str, set[str]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.runs):
            found = measure(options.speed, Path(folder), options.instances)
            print(f"run {number + 1}: {found}", flush=True)
            for alert, verdict in found.verdicts.items():
                verdicts[alert].add(verdict)
                if verdict != "proven":
                    reason = [row for row in found.said.splitlines() if row.startswith(f"{alert}:")]
                    print(f"  {verdict} {' '.join(reason) or alert}", flush=True)
    differing = sorted(alert for alert, found in verdicts.items() if len(found) > 1)
    print(f"differing verdicts in {options.runs} runs: {', '.join(differing) or 'none'}")


if __name__ == "__main__":
    main()
