"""Which members there are: one a slot, replaced by new ones after a while, each in its own time.

A replaced instance answers for a while longer, as in a rolling deployment, so that a Prometheus
that has not heard of it yet does not miss it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from loadgen.fleet.member import Member
from loadgen.fleet.shape import Shape

LINGER_S = 15.0

_HOUR_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How large a fleet is, and how it lives."""

    targets: int
    rate: float = 2.0
    """Events a second of each member."""
    churn_instances: float = 0.0
    """Share of the members that are replaced in an hour."""
    churn_labels: float = 0.0
    """Share of each member's label values that are replaced in an hour."""
    seed: int = 1


@dataclass(kw_only=True)
class _Slot:
    """A place in the fleet."""

    number: int
    instances_from: float
    """Share of the time between two replacements that has passed at the start."""
    labels_from: float
    times: int = 0
    member: Member


class Roster:
    """The members of a fleet, and of those that have just left it."""

    def __init__(self, plan: Plan, shape: Shape, now: float) -> None:
        self._plan, self._shape, self._began = plan, shape, now
        random = Random(plan.seed)
        self._slots = [
            _Slot(number=number, instances_from=random.random(), labels_from=random.random(),
                  member=self._born(number, 0, now))
            for number in range(1, plan.targets + 1)
        ]  # fmt: skip
        self._by_name = {slot.member.name: slot for slot in self._slots}
        self._leaving: dict[str, tuple[float, Member]] = {}

    @property
    def names(self) -> list[str]:
        """Of the members that there are."""
        return [slot.member.name for slot in self._slots]

    def advance(self, now: float) -> bool:
        """Replace those whose time is over; whether there were any."""
        for name in [name for name, (until, _) in self._leaving.items() if until < now]:
            del self._leaving[name]
        changed = False
        for slot in self._slots if self._plan.churn_instances else ():
            times = self._passed(self._plan.churn_instances, slot.instances_from, now)
            if times > slot.times:
                slot.times, changed = times, True
                old, slot.member = slot.member, self._born(slot.number, times, now)
                del self._by_name[old.name]
                self._by_name[slot.member.name] = slot
                self._leaving[old.name] = now + LINGER_S, old
        return changed

    def text(self, name: str, now: float) -> str | None:
        """What that member answers; None where there is none."""
        if slot := self._by_name.get(name):
            share = self._plan.churn_labels * len(self._shape.groups)
            return slot.member.text(now, self._passed(share, slot.labels_from, now))
        if name in self._leaving:
            member = self._leaving[name][1]
            return member.text(now, member.generation)
        return None

    def tell(self, file: Path, address: str) -> None:
        """Write where each member is, as `file_sd_configs` reads it; never half of it."""
        groups = [
            {"targets": [address], "labels": {"__metrics_path__": f"/{name}/metrics",
                                              "instance": name}}
            for name in self.names
        ]  # fmt: skip
        partial = file.with_suffix(".part")
        partial.write_text(json.dumps(groups))
        partial.replace(file)

    def told(self) -> Mapping[str, int]:
        """How many members and series there are."""
        count = len(self._slots)
        return {"targets": count, "series": count * self._shape.series}

    def _passed(self, each_hour: float, begun: float, now: float) -> int:
        """How often something has happened since the start that happens so often in an hour."""
        return int((now - self._began) * each_hour / _HOUR_S + begun) if each_hour else 0

    def _born(self, number: int, times: int, now: float) -> Member:
        name = f"scheduler-{number:04}" + (f"-{times}" if times else "")
        seed = (self._plan.seed * 1_000_003 + number) * 1_000_003 + times
        return Member(name, self._shape, rate=self._plan.rate, started=now, seed=seed)
