"""Plays a quiet day on an instance of its own, and says whether it was quiet.

What a speed does to a day: at the usual 960 an hour takes 3.75 s and the day 90 s. Scrapes and
evaluations cannot come faster than every 200 ms, so that

- a rule waits (`for`) at least four evaluations, 13 minutes (`stack.speed`): what is wrong
  for a shorter time is seen as a near miss only;
- windows below 13 minutes become 13 minutes (four scrapes): a minute's rate is that of a quarter
  of an hour;
- what counts in real time is as in life: seconds of an answer, requests a second, bytes a second,
  and a scrape that must be answered within 200 ms, which a busy machine misses now and then;
- rules that look back a day see this day alone: nothing can have dropped since yesterday, and what
  must happen daily is only missed at the end.

So a fast day shows what rules say to the tides of a day, not to short noise; `--speed 60` (24
minutes) keeps all windows and waits as they are written.
"""

import io
import json
import os
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from loadgen import day as days
from loadgen.day import Day
from loadgen.faults.base import update_control
from loadgen.traffic import Locust
from scenarios.proof.endings import as_interrupt, ended_by
from scenarios.proof.evidence import (
    Evidence,
    Full,
    Lost,
    Stopped,
    TrafficSeen,
    to_line,
)
from scenarios.proof.reports import KEPT, check_kept, held, prune, reports_dir, stamped
from scenarios.proof.slots import Slots, check_writable
from scenarios.proof.usable import check_usable
from scenarios.proof.watch import Watcher
from scenarios.quiet.count import DayCounts
from scenarios.quiet.sofar import so_far
from scenarios.quiet.verdict import DayBegan, DayEnded, DayVerdict, judge
from stack import progress
from stack.check.configuration import read
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import CONFIG_ROOT
from stack.run.instance import Instance
from stack.run.lifecycle import running

FASTEST = 1440.0
"""A day within a minute; faster, a clinic hour would see too few scrapes."""

BEGINS_AFTER_S = 5.0
"""Real seconds from the start of the traffic to midnight: its users log in."""

STEADY_WITHIN_S = 30.0
REQUESTS_AT_LEAST = 4
HOST_EVERY_S = 0.25

KIND = "quiet-day-"
"""How the names of its reports begin."""

CLINIC = Path(__file__).with_name("clinic.py")
VARIABLE = "QUIET_DAY"


def quiet_day(
    seed: int | None = None,
    *,
    speed: float,
    config_root: Path = CONFIG_ROOT,
    reports: Path | None = None,
    keep_reports: int = KEPT,
) -> int:
    """Live the day of `seed`, a random one when None; 0 when it was quiet.

    Writes one JSON file of evidence, and keeps those of the last `keep_reports` days. Raises
    CheckFailed with the reasons when it was not quiet, BadInput for a speed that no day can be
    lived at or configuration that no program would start with, HostCannot when no instance comes up
    or nothing can be written.
    """
    if not 1 <= speed <= FASTEST:
        raise BadInput(f"--speed is {speed:g}, expected 1 to {FASTEST:g}.")
    today = days.day(random.SystemRandom().randrange(10**6) if seed is None else seed)
    check_kept(keep_reports)
    with progress.shown() as report:
        report.say(
            f"quiet day, seed {today.seed}: a {today.weekday}, at most {today.staff} users,"
            f" {days.SECONDS / speed:.0f} s at speed {speed:g}",
            "planned", seed=today.seed, weekday=today.weekday, staff=today.staff, speed=speed,
        )  # fmt: skip
        check_usable(read(config_root))
        check_writable()
        play = _Play(day=today, speed=speed, report=report,
                     file=(reports or reports_dir()) / f"{stamped(KIND)}.json")  # fmt: skip
        verdict = _written(play, config_root, keep_reports)
    return _told(verdict, play)


def _written(play: "_Play", config_root: Path, keep_reports: int) -> DayVerdict:
    try:
        play.file.parent.mkdir(parents=True, exist_ok=True)
        play.log.touch()
        with held(play.log), ended_by(as_interrupt()), Slots() as slots:
            verdict = _lived(play, slots, config_root)
        prune(play.file.parent, keep_reports, KIND)
        return verdict
    except OSError as error:
        where = f" `{error.filename}`" if error.filename else ""
        raise HostCannot(
            f"the day cannot be lived:{where}: {error.strerror}.", cure="Make room, or allow it."
        ) from None


def _lived(play: "_Play", slots: Slots, config_root: Path) -> DayVerdict:
    try:
        with ExitStack() as ending:
            with play.report.doing("starting an instance"):
                instance = ending.enter_context(
                    running(slots.take(), speed=play.speed, config_root=config_root)
                )
            with play.report.watch(lambda width, height: [play.now]):
                play.live(instance)
    except KeyboardInterrupt:
        play.add(Stopped, why="interrupted")
        raise
    finally:
        verdict = play.write()
    return verdict


def _told(verdict: DayVerdict, play: "_Play") -> int:
    if full := [one.what for one in play.evidence.of("") if isinstance(one, Full)]:
        raise HostCannot(f"{full[0]}.", cure=f"Make room; evidence: {play.file}")
    if verdict.reasons:
        progress.result("", "over", quiet=False, reasons=verdict.reasons, evidence=play.file)
        shown = "\n  ".join(verdict.reasons[:10])
        raise CheckFailed(
            f"seed {play.day.seed}: not a quiet day:\n  {shown}",
            cure=f"`doit quiet-day --seed {play.day.seed}` repeats it; evidence: {play.file}",
        )
    near = f"; {', '.join(verdict.near_misses)}" if verdict.near_misses else ""
    progress.result(
        f"quiet: {verdict.requests} requests, no alert fired, nothing was sent, all rules were"
        f" evaluated{near}\nevidence {play.file}",
        "over", quiet=True, requests=verdict.requests, near_misses=verdict.near_misses,
        evidence=play.file,
    )  # fmt: skip
    return 0


@dataclass(kw_only=True)
class _Play:
    """The moving parts of one day."""

    day: Day
    speed: float
    file: Path
    report: progress.Progress = field(default_factory=progress.Quiet)
    instance_name: str = ""
    midnight: float = 0.0
    _told_hour: int = -1
    evidence: Evidence = field(
        default_factory=lambda: Evidence(instance="", file=io.StringIO(), lock=threading.Lock())
    )

    @property
    def log(self) -> Path:
        return self.file.with_suffix(".locust.log")

    @property
    def hour(self) -> float:
        """Of the day, negative before it begins."""
        return (time.time() - self.midnight) * self.speed / 3600

    @property
    def now(self) -> str:
        """The day so far, in a line."""
        return so_far(self.evidence.of(""), self.hour, self.speed) if self.midnight else ""

    def live(self, instance: Instance) -> None:
        """Returns at the end of the day, or as soon as it cannot continue; see the evidence."""
        self.instance_name = instance.name
        self.midnight = time.time() + BEGINS_AFTER_S
        self._host(instance)
        with (
            Watcher(instance, self.evidence, frozenset(), logs=True) as watcher,
            self._traffic(instance) as (locust),
        ):
            if not self._steady(watcher, locust):
                return
            counts = DayCounts(watcher)
            self.add(DayBegan)
            # By a clock that nobody sets: one that is set is noted, and ends the day's use.
            end = time.monotonic() + self.midnight + days.SECONDS / self.speed - time.time()
            while time.monotonic() < end:
                self._host(instance)
                self._tell_hour()
                if why := self._over(locust):
                    self.add(Stopped, why=why)
                    return
                time.sleep(min(HOST_EVERY_S, max(0.0, end - time.monotonic())))
            for event in counts.events():
                self.evidence.add(event)
            self.add(DayEnded)

    def _tell_hour(self) -> None:
        """Each hour once, to whom has no live picture."""
        if not self.report.live and int(self.hour) > self._told_hour:
            self._told_hour = int(self.hour)
            self.report.say(self.now, "hour", hour=self._told_hour, said=self.now)

    def _host(self, instance: Instance) -> None:
        hour = min(max(self.hour, 0.0), days.HOURS - 0.01)
        update_control(instance.control_file("simulated-host"), put=self.day.host(hour))

    @contextmanager
    def _traffic(self, instance: Instance) -> Iterator[Locust]:
        os.environ[VARIABLE] = f"{self.day.seed} {self.speed} {self.midnight}"
        locust = Locust(CLINIC, instance, self.log)
        try:
            locust.subscribe(self._heard)
            yield locust
        finally:
            locust.end()
            del os.environ[VARIABLE]
            if not self.log.stat().st_size:  # it had nothing to say
                self.log.unlink()

    def _heard(self, figures: Mapping[str, Any]) -> None:
        self.add(TrafficSeen, **{**figures, "errors": tuple(figures["errors"])})

    def _steady(self, watcher: Watcher, locust: Locust) -> bool:
        """Wait for midnight and for everything to be well; the evidence says why it never was."""
        give_up = time.monotonic() + self.midnight - time.time() + STEADY_WITHIN_S
        while why := self._unsteady(watcher, locust):
            if time.monotonic() > give_up or self._over(locust):
                self.add(Stopped, why=f"not steady before the day began: {why}")
                return False
            time.sleep(0.1)
        return True

    def _over(self, locust: Locust) -> str:
        """Why the day cannot go on; empty while it can."""
        if locust.exit_code is not None:
            return f"locust ended with exit code {locust.exit_code}"
        lost = [one.what for one in self.evidence.of("") if isinstance(one, Lost | Full)]
        return lost[0] if lost else locust.trouble

    def _unsteady(self, watcher: Watcher, locust: Locust) -> str:
        if why := self._over(locust):
            return why
        seen = [one for one in self.evidence.of("") if isinstance(one, TrafficSeen)]
        if not seen or seen[-1].requests < REQUESTS_AT_LEAST:
            return "no traffic yet"
        try:
            targets = watcher.get("prometheus", "/api/v1/targets", state="active")["data"]
        except httpx.HTTPError as error:
            return f"Prometheus does not answer: {error}"
        down = [t["labels"]["job"] for t in targets["activeTargets"] if t["health"] != "up"]
        if down:
            return f"target `{down[0]}` is not up"
        if active := watcher.active():
            return f"`{active[0]}` is active"
        return "waiting for midnight" if time.time() < self.midnight else ""

    def add(self, kind: Any, **fields: Any) -> None:
        self.evidence.add(kind(**{"at": time.time(), "instance": self.instance_name, **fields}))

    def write(self) -> DayVerdict:
        """Judge the evidence so far, and write both."""
        events = self.evidence.of("")
        verdict = judge(events, self.day, self.speed, self.midnight)
        document = {
            "seed": self.day.seed,
            "speed": self.speed,
            "quiet": not verdict.reasons,
            **asdict(verdict),
            "day": asdict(self.day),
            "midnight": self.midnight,
            "events": [json.loads(to_line(event)) for event in events],
        }
        self.file.write_text(json.dumps(document, indent=1))
        return verdict
