"""Which verdicts follow from inputs that have not changed, and why the others are proven again."""

import os
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scenarios.proof import catalogue, inputs
from scenarios.proof.inputs import Inputs, Remembered
from scenarios.proof.result import Proof, Result
from scenarios.proof.verdict import Outcome
from scenarios.proof.verdicts import Record, Verdicts, key_of
from scenarios.proof.workers import Routing
from stack.check.configuration import read
from stack.errors import LabError
from stack.paths import REPO

NAMED = 2
"""So many changed inputs are named; the number of the others is said."""

_GIT_TIMEOUT_S = 20

_STARTED = 19
"""`starttime` among what follows the name in /proc/PID/stat (proc(5))."""

_PARTS = ("rule ", "recording rule ", "receiver ", "template ", "fault ", "traffic ")
_EDITED = frozenset({
    "rule", "route", "scenario", "inhibit rules", "runbook", "audience table", "inhibit_rules",
    "receivers",
})  # fmt: skip
"""Inputs that people write: these are edited, others change."""

All = Mapping[str, Mapping[str, str]]
"""Alert or routing case → its inputs."""


@dataclass(frozen=True, kw_only=True)
class Unchanged:
    """What need not be proven again, and why the rest must be."""

    before: Mapping[str, Record]
    why: Mapping[str, str]
    """Alert → why it is proven again."""

    @property
    def reasons(self) -> Sequence[str]:
        """`rule edited: HighErrorRate, CriticalErrorRate`, a line for each reason."""
        names: dict[str, list[str]] = {}
        for name, why in self.why.items():
            names.setdefault(why, []).append(name)
        return [f"{why}: {', '.join(found)}" for why, found in names.items()]


class Reuse:
    """The inputs of one proof's alerts, as they were when it began, and the verdicts that are kept.

    Where the inputs cannot be found, nothing is reused and nothing is kept.
    """

    def __init__(self, look: Callable[[], "Looked"], verdicts: Verdicts | None = None) -> None:
        """`look` finds the inputs as they are now."""
        self._look = look
        self._verdicts = verdicts or Verdicts()
        self._first = look()

    def unchanged(self, names: Iterable[str]) -> Unchanged:
        """Of alerts and routing cases."""
        before: dict[str, Record] = {}
        why: dict[str, str] = {}
        for name in names:
            known = self._first.of.get(name)
            record = None if known is None else self._verdicts.proven(name, known)
            if record:
                before[name] = record
            elif known is None:
                why[name] = "what it depends on is not known"
            else:
                why[name] = reason(known, self._verdicts.of(name))
        return Unchanged(before=before, why=why)

    def keep(self, proof: Proof) -> str:
        """Record what was proven; why some of it could not be, empty when all was.

        Only where the inputs are now what they were, and no file was touched since this process
        began: otherwise nobody knows with what it was proven.
        """
        proven = [one for one in proof.results if one.outcome is Outcome.PROVEN]
        if not proven:
            return ""
        now = self._look()
        if now.newest_s >= _began():
            return "not recorded: files were edited meanwhile, so nobody knows what was proven."
        if dict(proof.packages) != now.packages:
            return "not recorded: the instances were made of other packages than those of the lock."
        commit = commit_of(REPO)
        for one in proven:
            known = now.of.get(one.alert)
            if known is None or _rest(known) != _rest(self._first.of.get(one.alert)):
                continue
            try:
                self._verdicts.keep(_record(one, known, proof, commit))
            except OSError as error:
                return f"not recorded: `{error.filename}`: {error.strerror}; it is proven again."
        return ""

    @property
    def packages(self) -> Mapping[str, str]:
        """Those of a new instance."""
        return self._first.packages


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a look at all inputs found."""

    of: All
    packages: Mapping[str, str]
    newest_s: float
    """When the last of the files was changed, Unix seconds."""


def look(
    names: Collection[str], config_root: Path, speed: float, routing: Routing | None
) -> Looked:
    """The inputs of these alerts and routing cases, as they are now."""
    nothing = Looked(of={}, packages={}, newest_s=float("inf"))
    try:
        packages = inputs.packages()
        remembered = Remembered()
        found, _ = catalogue.survey()
        known = Inputs(read(config_root), found, speed=speed, packages=packages,
                       imports=remembered.imports)  # fmt: skip
        every = {one.scenario.alert: known.of(one) for one in found
                 if one.scenario.alert in names}  # fmt: skip
        # A module plays them; where it is something else, nobody knows what it needs.
        played_by = getattr(routing, "__file__", "")
        if routing and played_by:
            cases = [one for one in routing.names() if one in names]
            every |= dict.fromkeys(cases, known.of_routing(Path(played_by)) if cases else {})
        remembered.keep()
        return Looked(of=every, packages=packages, newest_s=known.newest_s)
    except (LabError, OSError, ValueError, TypeError, LookupError, AttributeError):
        return nothing  # configuration of another shape: whoever plays it says what is wrong


def _rest(known: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Inputs without the packages: some are built only when an instance needs them, and what
    instances were made of is known otherwise."""
    if known is None:
        return None
    return {name: value for name, value in known.items() if not name.startswith(inputs.PACKAGE)}


def reason(now: Mapping[str, str], records: Sequence[Record]) -> str:
    """Why it is proven again: how its inputs differ from those of the nearest record."""
    if not records:
        return "never proven"
    nearest = min(records, key=lambda one: len(set(one.inputs.items()) ^ set(now.items())))
    then = nearest.inputs
    differ = [name for name in (*now, *(one for one in then if one not in now))
              if now.get(name) != then.get(name)]  # fmt: skip
    if "route" in differ:
        differ = [one for one in differ if one != "routes of what may fire beside it"]
    words = [_told(name, then, now) for name in differ]
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


def _told(name: str, then: Mapping[str, str], now: Mapping[str, str]) -> str:
    if name not in now:
        return f"{name} gone"
    if name not in then:
        return f"{name} new"
    by_hand = name in _EDITED or name.startswith(_PARTS) or name.endswith((".yml", ".conf"))
    return f"{name} {'edited' if by_hand else 'changed'}"


def commit_of(repo: Path) -> str:
    """The first twelve digits, and `+` when something is not committed; empty without git."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", repo, *words], capture_output=True, text=True,
                                  timeout=_GIT_TIMEOUT_S, check=False)  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    head = git("rev-parse", "--short=12", "HEAD")
    return f"{head}{'+' if git('status', '--porcelain') != '' else ''}" if head else ""


def _record(one: Result, known: Mapping[str, str], proof: Proof, commit: str) -> Record:
    times = [event.at for event in one.events]
    return Record(
        alert=one.alert, key=key_of(one.alert, known), inputs=dict(known), commit=commit,
        proven=datetime.now(UTC).isoformat(timespec="seconds"), report=str(proof.folder),
        took_s=round(max(times) - min(times), 2) if times else 0.0,
    )  # fmt: skip


def _began() -> float:
    """When this process did, which has read its code since; Unix seconds, to a hundredth. psutil
    would say it to the second."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_STARTED])
    ago_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - ago_s
