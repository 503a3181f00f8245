"""The evidence of one scenario, sorted by what the links of its chain ask of it."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from scenarios.proof.deadlines import Deadline, Deadlines
from scenarios.proof.evidence import (
    AlertState,
    Earlier,
    Event,
    FaultStep,
    Gate,
    Graph,
    Half,
    Held,
    Notification,
    Said,
    Stepped,
)
from scenarios.proof.messages import Expected
from scenarios.proof.scenario import HEARTBEAT, Scenario


class LinkState(StrEnum):
    DONE = "done"
    WAITING = "waiting"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One link of the chain, as far as the evidence goes."""

    name: str
    state: LinkState
    said: str = ""
    """When broken, the sentence that says so; when waiting, what for."""
    at: float | None = None
    """Unix seconds at which it was there."""
    due: float | None = None
    """Unix seconds by which it had to be there."""
    certain: bool = False
    """Broken by what was seen, such as a wrong label: no busy machine explains that."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """The evidence of one scenario, sorted by what the links ask of it."""

    events: tuple[Event, ...]
    scenario: Scenario
    deadlines: Deadlines
    now: float | None
    explained: frozenset[str]
    """Alerts that are no surprise here: those of companions, and what they may set off."""
    wanted: Expected | None = None
    """What the rule writes into messages; None where they are not read."""
    advice: str = ""
    """What gives the fault more time or strength, and where that is written."""

    def step(self, name: str) -> FaultStep | None:
        found = [one for one in self.events if isinstance(one, FaultStep) and one.step == name]
        return found[0] if found else None

    @cached_property
    def zero(self) -> float:
        """The fault's beginning; the end of time before it is injected."""
        begun = self.step("injecting")
        return begun.at if begun else float("inf")

    @cached_property
    def end(self) -> float:
        """The moment from which the fault was being undone."""
        undoing = self.step("undoing")
        return undoing.at if undoing else float("inf")

    @cached_property
    def since(self) -> tuple[Event, ...]:
        """What was seen once the gate was passed; before it, an earlier fault may still drain."""
        return tuple(one for one in self.events if one.at >= self.gated)

    @cached_property
    def gated(self) -> float:
        """When the gate was passed; the end of time before that."""
        passed = [one.at for one in self.events if isinstance(one, Gate) and one.passed]
        return passed[0] if passed else float("inf")

    @cached_property
    def stepped(self) -> Stepped | None:
        """The clock was set after the gate: by the order of arrival, since by its time, what came
        after may lie before."""
        begun = [n for n, one in enumerate(self.events) if isinstance(one, Gate) and one.passed]
        after = self.events[begun[0] :] if begun else ()
        return next((one for one in after if isinstance(one, Stepped)), None)

    @cached_property
    def states(self) -> list[AlertState]:
        """All that Prometheus said of this alert, in order."""
        return [one for one in self.states_ever if one.at >= self.gated]

    @cached_property
    def states_ever(self) -> list[AlertState]:
        """Those from before the gate, too."""
        return [
            one
            for one in self.events
            if isinstance(one, AlertState) and one.alert == self.scenario.alert
        ]

    @cached_property
    def right(self) -> list[AlertState]:
        """Those with exactly the labels that it must carry."""
        return [one for one in self.states if dict(one.labels) == dict(self.scenario.labels)]

    @cached_property
    def holds(self) -> list[Held]:
        """What Alertmanager did with exactly this alert, in order."""
        mine = self.scenario.alert, dict(self.scenario.labels)
        return [
            one
            for one in self.since
            if isinstance(one, Held) and (one.alert, dict(one.labels)) == mine
        ]

    @cached_property
    def siblings(self) -> bool:
        """Whether other alerts of the rule were active, of which its messages may speak as well."""
        return any(
            one.alert == self.scenario.alert and dict(one.labels) != dict(self.scenario.labels)
            for one in self.events
            if isinstance(one, AlertState | Held | Earlier)
        )

    @cached_property
    def messages(self) -> list[Notification]:
        return [one for one in self.since if isinstance(one, Notification)]

    @cached_property
    def graph(self) -> Graph | None:
        """What the rule measured, once the scenario is over."""
        return next((one for one in reversed(self.events) if isinstance(one, Graph)), None)

    @cached_property
    def halves(self) -> list[Half]:
        """What the rule's further conditions came to, where it has several and never came."""
        return [one for one in self.events if isinstance(one, Half)]

    def said(self, *about: str) -> list[Said]:
        """What engines say of this alert, or of all, since the gate; the last words of each. All
        of it when the gate was never passed."""
        gated = self.gated if self.gated != float("inf") else 0.0
        last = {
            (one.source, one.about, one.of): one
            for one in self.events
            if isinstance(one, Said) and one.about in about and one.at >= gated
            and (one.about != "rule" or one.of == self.scenario.alert)
        }  # fmt: skip
        return [one for one in last.values() if one.text]

    def about(self, kind: str) -> list[Notification]:
        """Messages of one kind that name this alert, since the gate, and were taken."""
        return [one for one in self._about(kind) if not one.turned_away]

    def turned_away(self, kind: str) -> list[Notification]:
        """The same, but refused by an inbox that was set to do so; their sender tries again."""
        return [one for one in self._about(kind) if one.turned_away]

    def _about(self, kind: str) -> list[Notification]:
        alert, wants = self.scenario.alert, self.scenario.notifications
        return [
            one
            for one in self.messages
            if one.kind == kind
            and (one.address in wants if one.channel == HEARTBEAT else alert in one.alerts)
        ]

    def due(self, deadline: Deadline) -> float:
        """When a link that counts from the fault has to be there."""
        done = self.step("injected")
        return (done.at if done else self.zero) + deadline.seconds

    def due_after_undo(self, deadline: Deadline) -> float:
        done = self.step("undone")
        return (done.at if done else self.end) + deadline.seconds
