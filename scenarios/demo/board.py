"""What the page with the buttons shows, and what its buttons do."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from scenarios.demo.incident import Incident, choose
from scenarios.demo.ledger import Entry
from scenarios.demo.stage import Stage
from scenarios.proof.estimate import exact
from stack.errors import BadInput

IDLE, BEGINS, GOES_ON, ENDS, REFUSED = "idle", "begins", "goes on", "ends", "refused"
"""States of an incident. `refused` is one that cannot begin now, or on this machine at all."""


class Board:
    """Of one stage; for many threads."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._told = {one.name: self._words(one) for one in stage.incidents.values()}
        self._blocked = {
            name: reason
            for name, one in stage.incidents.items()
            if (reason := one.scenario.fault.blocked(stage.instance))
        }
        self._under_way: dict[str, str] = {}
        self._changes = threading.Lock()
        # One begins at a time: whether it may depends on what goes on by then.
        self._begins = threading.Lock()

    def show(self) -> Mapping[str, Any]:
        """All that the page shows; times in Unix seconds, lengths in real ones."""
        going_on = {one.name: one for one in self._stage.ledger.entries()}
        instance = self._stage.instance
        return {
            "instance": instance.name,
            "speed": instance.speed,
            "now": time.time(),
            "inbox": instance.url("inbox"),
            "truth": str(self._stage.ledger.truth),
            "incidents": [
                {**told, **self._state(self._stage.incidents[name], going_on)}
                for name, told in self._told.items()
            ],
        }

    def begin(self, name: str) -> None:
        """Returns once the fault is in force. Raises LabError."""
        incident = choose(name, self._stage.incidents)
        with self._under(incident.name, BEGINS), self._begins:
            self._stage.clear()
            self._stage.begin(incident)

    def end(self, name: str) -> None:
        """Returns once all is right again. Raises LabError."""
        incident = choose(name, self._stage.incidents)
        with self._under(incident.name, ENDS):
            self._stage.clear()
            self._stage.end([incident.name])

    def settle(self) -> None:
        """Returns when what was asked to begin has begun, so that it can be ended."""
        with self._begins:
            pass

    @contextmanager
    def _under(self, name: str, what: str) -> Iterator[None]:
        with self._changes:
            if now := self._under_way.get(name):
                raise BadInput(f"{name} {now} already.", cure="Wait for it.")
            self._under_way[name] = what
        try:
            yield
        finally:
            del self._under_way[name]

    def _state(self, incident: Incident, going_on: Mapping[str, Entry]) -> dict[str, Any]:
        entry = going_on.get(incident.name)
        under_way = self._under_way.get(incident.name)
        if entry and (entry.injected or entry.failed):
            return {"state": under_way or GOES_ON, "began": entry.began, "until": entry.until,
                    "why": entry.failed}  # fmt: skip
        if under_way or entry:
            return {"state": under_way or BEGINS, "why": ""}
        why = self._blocked.get(incident.name, "")
        disturbed = [
            other for other in going_on
            if other in self._stage.incidents and incident.clashes(self._stage.incidents[other])
        ]  # fmt: skip
        if disturbed and not why:
            why = f"{disturbed[0]}, which is going on, would be disturbed"
        return {"state": REFUSED if why else IDLE, "why": why}

    def _words(self, incident: Incident) -> dict[str, Any]:
        scenario = incident.scenario
        return {
            "name": incident.name,
            "area": incident.found.file.parent.name,
            "severity": scenario.labels.get("severity", ""),
            "what": incident.what,
            "told": [str(want) for want in scenario.notifications],
            "soonest": exact(incident.first_told_s),
            "lasts": exact(incident.lasts_s),
            "may_fire": sorted(scenario.may_also_fire),
            "silenced": sorted(scenario.inhibited),
            "runbook": self._stage.runbook(incident),
            "panel": self._stage.dashboard(incident),
        }
