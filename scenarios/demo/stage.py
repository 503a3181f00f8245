"""A running instance, and the incidents that it can have: begun, ended, undone where nobody did.

What `doit incident` and the page with the buttons both do; neither injects anything itself.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress

from loadgen.faults.base import FaultFailed, lies_in
from scenarios.demo.incident import Incident, check_apart, known
from scenarios.demo.keeper import put_right
from scenarios.demo.ledger import Entry, Ledger
from scenarios.demo.marks import SERVICE as DASHBOARDS
from stack.check.configuration import read
from stack.errors import BadInput, CheckFailed, HostCannot
from stack.paths import REPO
from stack.run.instance import Instance
from stack.run.naming import option
from stack.run.runbooks import served

_keepers: list["subprocess.Popen[bytes]"] = []
"""Each keeper that this process began and has not seen end: it may outlive us."""

BEGINS_WITHIN_S = 240.0
"""One that gives up is noticed at once; on a busy machine starting Python alone takes a minute."""
ENDS_WITHIN_S = 120.0
LOOK_EVERY_S = 0.1

Say = Callable[[str], None]


class Stage:
    """Of the instance `name`. Raises BadInput when there is none, HostCannot when it is down, and
    CheckFailed when what a killed keeper left behind cannot be undone."""

    def __init__(self, name: str, say: Say = print) -> None:
        self.instance = Instance.open(name)
        self.option = option(name)
        if not self.instance.is_running():
            raise HostCannot(
                f"instance `{name}` is down: nothing can happen to it.",
                cure=f"`{self.instance.up}` starts it, and undoes what an incident left in its"
                " data.",
            )
        self.incidents: Mapping[str, Incident] = known(
            read(self.instance.layout.config_root), self.instance.speed
        )
        self.ledger = Ledger(directory=self.instance.directory)
        self._say = say
        self.clear()

    def clear(self) -> None:
        """Undo what killed keepers left behind. Raises CheckFailed when that is not possible."""
        for entry in self.ledger.left_behind():
            found = self.incidents.get(entry.name)
            with self.ledger.kept(entry.name) as ours:
                if not ours:
                    continue  # somebody undoes it already
                why = put_right(self.instance, found, self.ledger) if found else "unknown by now"
            if why:
                raise CheckFailed(
                    f"{entry.name}, whose keeper was killed, cannot be undone: {why}.",
                    cure=f"`doit restart{self.option} SERVICE` for what is wrong,"
                    f" or `doit down{self.option}` and `{self.instance.up}`.",
                )
            self._say(f"{entry.name}: its keeper was killed; undone")

    def check(self, incident: Incident) -> None:
        """Whether it can begin now. Raises BadInput when it goes on already or would disturb
        another one, HostCannot when it cannot happen on this machine."""
        going_on = [self.incidents[one.name] for one in self.ledger.entries()]
        check_apart(incident, going_on, self.option)
        if reason := incident.scenario.fault.blocked(self.instance):
            raise HostCannot(f"{incident.name} cannot happen on this machine: {reason}.")

    def begin(self, incident: Incident, seconds: float | None = None) -> Entry:
        """Begin it, for its own length unless `seconds` (real ones) are given; returns once the
        fault is in force. Raises as `check`, and HostCannot when it cannot be injected."""
        self.check(incident)
        seconds = incident.lasts_s if seconds is None else seconds
        log = self.ledger.file(incident.name).with_suffix(".log")
        log.parent.mkdir(exist_ok=True)
        words = ["--instance", self.instance.name, "--incident", incident.name]
        _keepers[:] = [other for other in _keepers if other.poll() is None]
        with log.open("w") as said:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "scenarios.demo.keeper", *words, "--seconds", f"{seconds}"],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=REPO,
                start_new_session=True,
            )  # fmt: skip
        _keepers.append(keeper)
        try:
            if entry := self._begun(incident, keeper):
                return entry
        except KeyboardInterrupt:
            keeper.terminate()
            keeper.wait(ENDS_WITHIN_S)
            raise
        keeper.terminate()
        raise HostCannot(f"{incident.name} did not begin.", cure=f"{log} may say why.")

    def _begun(self, incident: Incident, keeper: "subprocess.Popen[bytes]") -> Entry | None:
        """The entry, once the fault is in force; None when the keeper gave up, or too late."""
        give_up = time.monotonic() + BEGINS_WITHIN_S
        while time.monotonic() < give_up:
            gone = keeper.poll() is not None
            entry = self.ledger.read(incident.name)
            if entry and entry.keeper != keeper.pid:
                if gone:  # somebody else was quicker
                    check_apart(incident, [incident], self.option)
            elif entry and entry.failed:
                self.ledger.file(incident.name).unlink(missing_ok=True)
                raise HostCannot(f"{incident.name} could not be begun: {entry.failed}.")
            elif entry and entry.injected:
                return entry
            if gone:
                return None
            time.sleep(LOOK_EVERY_S)
        return None

    def end(self, wanted: Sequence[str] = ()) -> list[str]:
        """End those that are wanted, all when none is named; returns which, when all is right
        again. Raises BadInput for one that does not go on, CheckFailed when one cannot be undone.
        """
        going_on = {one.name: one for one in self.ledger.entries()}
        if missing := [name for name in wanted if name not in going_on]:
            raise BadInput(
                f"{missing[0]} is not going on.",
                cure=f"`doit incident{self.option}` shows what is.",
            )
        ended = list(wanted or going_on)
        for name in ended:  # all at once: each takes a moment
            with suppress(ProcessLookupError):
                os.kill(going_on[name].keeper, signal.SIGTERM)
        for name in ended:
            self._ended(name)
        return ended

    def _ended(self, name: str) -> None:
        give_up = time.monotonic() + ENDS_WITHIN_S
        while now := self.ledger.read(name):
            if time.monotonic() > give_up or now.failed:
                why = now.failed or f"it is still not over after {ENDS_WITHIN_S:.0f} s"
                raise CheckFailed(
                    f"{name} cannot be undone: {why}.",
                    cure=f"`doit status{self.option}` shows what does not run,"
                    f" `doit restart{self.option}` starts it.",
                )
            self.clear()
            time.sleep(LOOK_EVERY_S)

    def wait(self, name: str) -> None:
        """Returns when the incident is over."""
        while self.ledger.read(name):
            self.clear()
            time.sleep(LOOK_EVERY_S)

    def runbook(self, incident: Incident) -> str:
        """The page of its runbook, in the instance; "" when it has none."""
        return served(incident.runbook_url, self.instance.layout)

    def dashboard(self, incident: Incident) -> str:
        """Address of the panel that shows it; "" where there is none."""
        if not incident.dashboard_uid or DASHBOARDS not in self.instance.ports:
            return ""
        panel = f"?viewPanel={incident.panel}" if incident.panel else ""
        return f"{self.instance.url(DASHBOARDS)}/d/{incident.dashboard_uid}{panel}"


def undo_in_data(name: str, ready: Collection[str]) -> None:
    """Of an instance that is coming up: undo what was left behind in the data of services that are
    ready. The entries stay, for `clear` to close or to say what is still wrong."""
    instance = Instance.open(name)
    incidents = known(read(instance.layout.config_root), instance.speed)
    for entry in Ledger(directory=instance.directory).left_behind():
        fault = incidents[entry.name].scenario.fault if entry.name in incidents else None
        if fault and (needed := lies_in(fault)) and needed <= set(ready):
            with suppress(FaultFailed):
                fault.undo(instance)
