"""A fleet as a process: started, and ended whatever happens."""

import resource
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import psutil

from loadgen.fleet.roster import Plan
from stack.errors import BadInput, HostCannot
from stack.paths import REPO

MOST = 1000
"""Targets of a fleet."""

_SPARE = 64
"""Files that a process has open beside the connections of its targets."""

_READY_WITHIN_S = 60.0
_STOP_S = 5.0


class Fleet:
    """Serves as long as the `with` block lasts."""

    def __init__(self, plan: Plan, shape: Path, targets: Path, log: Path) -> None:
        """`shape` has what a real scheduler answers; `targets` is written for Prometheus.

        Raises BadInput for a number of targets that cannot be, HostCannot for one that this
        machine does not allow or a process that does not start.
        """
        check(plan)
        self._targets, self._log = targets, log
        with log.open("w") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "loadgen.fleet", "--shape", str(shape),
                 "--tell", str(targets), "--targets", f"{plan.targets}", "--rate", f"{plan.rate!r}",
                 "--churn-instances", f"{plan.churn_instances!r}",
                 "--churn-labels", f"{plan.churn_labels!r}", "--seed", f"{plan.seed}"],
                cwd=REPO, stdin=subprocess.DEVNULL, stdout=said, stderr=said, process_group=0,
            )  # fmt: skip

    def __enter__(self) -> "Fleet":
        try:
            self._wait()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.end()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def process(self) -> psutil.Process:
        """Raises psutil.NoSuchProcess."""
        return psutil.Process(self._process.pid)

    def end(self) -> None:
        """Returns when it is gone."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._targets.unlink(missing_ok=True)

    def _wait(self) -> None:
        give_up = time.monotonic() + _READY_WITHIN_S
        while not self._targets.exists():
            if not self.alive or time.monotonic() > give_up:
                words = self._log.read_text(errors="replace").strip().splitlines()
                why = words[-1] if words else f"nothing within {_READY_WITHIN_S:g} s"
                raise HostCannot(f"the fleet of synthetic schedulers did not start: {why}")
            time.sleep(0.02)


def check(plan: Plan) -> None:
    """Raise BadInput or HostCannot for a fleet that cannot be."""
    if not 1 <= plan.targets <= MOST:
        raise BadInput(
            f"a fleet of {plan.targets} schedulers is not to be had: it has 1 to {MOST}.",
            cure="Choose a smaller size, or fewer steps.",
        )
    needed = plan.targets + _SPARE
    allowed = _allowed(needed)
    if needed > allowed:
        raise HostCannot(
            f"{plan.targets} targets need {needed} open files, and a process may have {allowed}.",
            cure=f"`ulimit -n {needed}` before, as far as the administrator allows it.",
        )


def _allowed(needed: int) -> int:
    """How many files a process may have open, raised as far as it is needed and allowed: children
    inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return needed if soft == resource.RLIM_INFINITY else soft
