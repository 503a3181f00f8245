"""`doit incident`: faults on cue on a running instance, and all right again afterwards."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from rich.console import Console
from rich.table import Table

from scenarios.demo import schedule
from scenarios.demo.incident import Incident, check_apart, choose_some, known
from scenarios.demo.keeper import put_right
from scenarios.demo.ledger import Entry, Ledger
from scenarios.demo.marks import SERVICE as DASHBOARDS
from scenarios.proof.endings import as_interrupt, ended_by
from scenarios.proof.estimate import words
from stack import durations
from stack.check.configuration import read
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import CONFIG_ROOT, REPO
from stack.run.instance import Instance, names

BEGINS_WITHIN_S = 60.0
ENDS_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1


def incident(
    names: list[str], *, end: bool, lasts: str, by_schedule: bool, seed: int | None, instance: str
) -> None:
    """List the incidents; or begin the one named, end some or all, or live a day with random ones.

    Raises BadInput for an unknown one or one that would disturb another, HostCannot when the
    instance is down or the fault cannot be injected, CheckFailed when one cannot be undone.
    """
    if not names and not end and not by_schedule:
        _list(instance)
        return
    stage = _Stage(instance)
    if end:
        stage.end(choose_some(names, stage.incidents))
    elif by_schedule:
        _live(stage, random.SystemRandom().randrange(10**6) if seed is None else seed)
    else:
        chosen = choose_some(names, stage.incidents)
        if len(chosen) > 1:
            raise BadInput(
                f"{', '.join(chosen)}: name one incident.", cure="Begin others after it."
            )
        stage.begin(stage.incidents[chosen[0]], _seconds(lasts, stage.instance.speed))


def _seconds(lasts: str, speed: float) -> float | None:
    """Real seconds of an incident; None when nobody says."""
    seconds = durations.seconds(lasts) / speed if lasts else None
    if seconds is not None and seconds <= 0:
        raise BadInput(f"--for is {lasts}, expected a longer time, such as 5m.")
    return seconds


class _Stage:
    """A running instance, and the incidents that it can have."""

    def __init__(self, name: str) -> None:
        self.instance = Instance.open(name)
        if not self.instance.is_running():
            raise HostCannot(
                f"instance `{name}` is down: nothing can happen to it.",
                cure=f"`doit up{_option(name)}` starts it.",
            )
        self.incidents: Mapping[str, Incident] = known(
            read(self.instance.layout.config_root), self.instance.speed
        )
        self.ledger = Ledger(directory=self.instance.directory)
        self._clear()

    def _clear(self) -> None:
        """Undo what a killed keeper left behind."""
        for entry in self.ledger.left_behind():
            found = self.incidents.get(entry.name)
            why = put_right(self.instance, found, self.ledger) if found else "unknown by now"
            if why:
                raise CheckFailed(
                    f"{entry.name}, whose keeper was killed, cannot be undone: {why}.",
                    cure=f"`doit restart{_option(self.instance.name)} SERVICE` for what is wrong,"
                    " or `doit down` and `doit up`.",
                )
            print(f"{entry.name}: its keeper was killed; undone")

    def begin(self, incident: Incident, seconds: float | None) -> Entry:
        """Begin it, and say what must be seen; returns once the fault is in force."""
        going_on = [self.incidents[one.name] for one in self.ledger.entries()]
        check_apart(incident, going_on, _option(self.instance.name))
        if reason := incident.scenario.fault.blocked(self.instance):
            raise HostCannot(f"{incident.name} cannot happen on this machine: {reason}.")
        entry = self._kept(incident, incident.lasts_s if seconds is None else seconds)
        self._tell(incident, entry)
        return entry

    def _kept(self, incident: Incident, seconds: float) -> Entry:
        log = self.ledger.file(incident.name).with_suffix(".log")
        log.parent.mkdir(exist_ok=True)
        words = ["--instance", self.instance.name, "--incident", incident.name]
        with log.open("w") as said:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "scenarios.demo.keeper", *words, "--seconds", f"{seconds}"],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=REPO,
                start_new_session=True,
            )  # fmt: skip
        give_up = time.monotonic() + BEGINS_WITHIN_S
        try:
            while time.monotonic() < give_up:
                entry = self.ledger.read(incident.name)
                if entry and entry.injected:
                    return entry
                if entry and entry.failed:
                    self.ledger.file(incident.name).unlink(missing_ok=True)
                    raise HostCannot(f"{incident.name} could not be begun: {entry.failed}.")
                if keeper.poll() is not None and not (entry and entry.injected):
                    break
                time.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            keeper.terminate()
            keeper.wait(ENDS_WITHIN_S)
            raise
        keeper.terminate()
        raise HostCannot(f"{incident.name} did not begin.", cure=f"{log} may say why.")

    def end(self, wanted: list[str]) -> None:
        """End those that are wanted, all when none is named; returns when all is right again."""
        going_on = {one.name: one for one in self.ledger.entries()}
        if missing := [name for name in wanted if name not in going_on]:
            raise BadInput(f"{missing[0]} is not going on.", cure="`doit incident` shows what is.")
        if not going_on:
            print(f"no incident is going on on `{self.instance.name}`")
        for name in wanted or going_on:
            self._end(going_on[name])

    def _end(self, entry: Entry) -> None:
        _terminate(entry.keeper)
        give_up = time.monotonic() + ENDS_WITHIN_S
        while now := self.ledger.read(entry.name):
            if time.monotonic() > give_up or now.failed:
                why = now.failed or f"it is still not over after {ENDS_WITHIN_S:.0f} s"
                raise CheckFailed(
                    f"{entry.name} cannot be undone: {why}.",
                    cure="`doit status` shows what does not run, `doit restart` starts it.",
                )
            time.sleep(LOOK_EVERY_S)
        print(f"{entry.name} is over; all is right again")

    def wait(self, name: str) -> None:
        """Returns when the incident is over."""
        while self.ledger.read(name):
            if any(one.name == name for one in self.ledger.left_behind()):
                self._clear()
            time.sleep(LOOK_EVERY_S)

    def _tell(self, incident: Incident, entry: Entry) -> None:
        scenario = incident.scenario
        until = time.strftime("%H:%M:%S", time.localtime(entry.until))
        print(f"{incident.name} goes on until {until}: {incident.what}")
        rows = {
            "must be told": ", ".join(str(want) for want in scenario.notifications),
            "at the soonest": f"in {words(incident.first_told_s)}",
            "may fire as well": ", ".join(sorted(scenario.may_also_fire)),
            "is silenced by it": ", ".join(sorted(scenario.inhibited)),
            "dashboard": self._dashboard(incident),
            "messages": self.instance.url("inbox"),
            "runbook": incident.runbook_url,
        }
        for what, said in rows.items():
            if said:
                print(f"  {what:<18} {said}")
        print(f"`doit incident --end{_option(self.instance.name)}` ends it sooner")

    def _dashboard(self, incident: Incident) -> str:
        if not incident.dashboard_uid or DASHBOARDS not in self.instance.ports:
            return ""
        panel = f"?viewPanel={incident.panel}" if incident.panel else ""
        return f"{self.instance.url(DASHBOARDS)}/d/{incident.dashboard_uid}{panel}"


def _terminate(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def _option(instance: str) -> str:
    return "" if instance == "default" else f" --instance {instance}"


def _list(name: str) -> None:
    running = name in names() and Instance.open(name).is_running()
    if running:
        stage = _Stage(name)
        incidents, going_on = stage.incidents, stage.ledger.entries()
    else:
        incidents, going_on = known(read(CONFIG_ROOT)), []
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("incident", "severity", "what happens", "told after"):
        table.add_column(column, overflow="fold", no_wrap=column == "incident")
    for one in incidents.values():
        severity = one.scenario.labels.get("severity", "")
        table.add_row(one.name, severity, one.what, words(one.first_told_s))
    Console().print(table)
    for entry in going_on:
        until = time.strftime("%H:%M:%S", time.localtime(entry.until))
        print(f"{entry.name} is going on, until {until}")
    print(
        "`doit incident NAME` begins one, `--for 5m` says for how long, `--end` puts all right."
        + ("" if running else f" Instance `{name}` is down: `doit up{_option(name)}` first.")
    )


def _live(stage: _Stage, seed: int) -> None:
    """One incident after the other, until the day is over or somebody ends it."""
    print(f"a day of incidents, seed {seed}; Ctrl-C ends it", flush=True)
    try:
        with ended_by(as_interrupt()):
            _day(stage, seed)
    finally:
        if stage.ledger.entries():
            stage.end([])
    print(f"the day is over; what happened is in {stage.ledger.truth}")


def _day(stage: _Stage, seed: int) -> None:
    for quiet_s, one in schedule.day(stage.incidents, seed, stage.instance.speed):
        print(f"quiet for {words(quiet_s)}", flush=True)
        time.sleep(quiet_s)
        stage.begin(one, None)
        stage.wait(one.name)
