"""What a scenario file declares: traffic, fault, alert and the notifications that must follow."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from loadgen.faults.base import Fault

TEAM_MAIL = "@residency.example"


@dataclass(frozen=True, kw_only=True, order=True)
class Want:
    """One notification that must arrive: firing once, and resolved once."""

    channel: str
    """`slack`, `email`, `pagerduty` or `heartbeat`, as the inbox calls it."""
    destination: str

    def __str__(self) -> str:
        return f"{CHANNELS[self.channel]} {self.destination}"


HEARTBEAT = "heartbeat"
CHANNELS = {"slack": "Slack", "email": "email", "pagerduty": "PagerDuty", HEARTBEAT: "heartbeat"}

ALWAYS = "none"
"""The severity of an alert that fires while all is well, so that its absence is noticed. In
another scenario neither its being active nor what its heartbeat says counts."""


def always(labels: Mapping[str, str]) -> bool:
    """Whether an alert with these labels fires while all is well."""
    return labels.get("severity") == ALWAYS


def slack(channel: str) -> Want:
    """A message in a Slack channel, `#alerts-<team>`."""
    return Want(channel="slack", destination=channel)


def email(address: str) -> Want:
    """A mail to a team, `<team>@residency.example`."""
    return Want(channel="email", destination=address)


def pagerduty(service: str) -> Want:
    """A page, by the name of the PagerDuty service in the inbox."""
    return Want(channel="pagerduty", destination=service)


def heartbeat(name: str) -> Want:
    """What a heartbeat's receiver says: firing when the beat goes missing, resolved when it is
    back."""
    return Want(channel=HEARTBEAT, destination=name)


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The Locust users and the load shape that one scenario drives."""

    users: tuple[type, ...]
    shape: type
    failures_expected: str = ""
    """Why requests fail while the fault is in force; empty when none may."""

    @property
    def kind(self) -> tuple[tuple[type, ...], type]:
        """Scenarios of one kind can share their traffic."""
        return self.users, self.shape


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Traffic + fault + the alert and the notifications that must follow."""

    alert: str
    labels: Mapping[str, str]
    """All labels that the alert carries besides `alertname`, exactly."""
    traffic: Traffic
    fault: Fault
    notifications: tuple[Want, ...]
    """No more and no fewer."""
    may_also_fire: frozenset[str] = field(default_factory=frozenset)
    """Other alerts that the same cause may set off and notify of; they need not."""
    inhibited: frozenset[str] = field(default_factory=frozenset)
    """Other alerts that may fire as well, but must send no notification: this one covers
    them."""
    missed_after_s: float = 0.0
    """Only for an alert that always fires: the seconds, as written, without a heartbeat after which
    its receiver says so. The alert must fire before the fault, and again after it."""
    speedup: float = 1.0
    """How many times faster than the proof its instance lives, so that rules that look back over
    hours (12) or a day (90) need no minutes. A faithful proof, of speed 1, leaves it out. Other
    alerts whose `for` is a moment at that speed may fire meanwhile (`deadlines.fleeting`)."""

    def speed(self, of_proof: float) -> float:
        """The speed of an instance that can host it."""
        return of_proof * self.speedup if of_proof > 1 else of_proof

    @property
    def routed(self) -> dict[str, str]:
        """All labels by which Alertmanager routes the alert."""
        return {**self.labels, "alertname": self.alert}

    @property
    def touches(self) -> frozenset[str]:
        """What the fault disturbs; scenarios with nothing in common run at the same time."""
        return self.fault.touches

    @property
    def always(self) -> bool:
        """The claim is that its silence is noticed, not that it fires."""
        return always(self.labels)

    @property
    def follows(self) -> frozenset[str]:
        """Other alerts that may become active because of the fault."""
        return self.may_also_fire | self.inhibited

    def problems(self) -> list[str]:
        """Everything wrong with the declaration itself, as sentences; empty when sound."""
        found = []
        if not self.alert:
            found.append("`alert` is empty; name the alert as in its rule.")
        if "alertname" in self.labels:
            found.append("`labels` has `alertname`; it is `alert`, list only the others.")
        if "severity" not in self.labels:
            found.append("`labels` lacks `severity`, which decides the channels.")
        if not self.notifications:
            found.append("`notifications` is empty; an alert that reaches nobody proves nothing.")
        if not self.traffic.users:
            found.append("`traffic` has no users; without traffic, silence looks healthy.")
        if not self.touches:
            found.append("the fault touches nothing, so it cannot cause the alert.")
        if self.speedup < 1:
            found.append(f"`speedup` is {self.speedup:g}, expected 1 or more.")
        if self.alert in self.follows:
            found.append(f"`{self.alert}` itself is in `may_also_fire` or `inhibited`.")
        if self.always != (self.missed_after_s > 0):
            found.append(
                "`missed_after_s` belongs to alerts of severity `none`, and to all of them."
            )
        found += [
            f"`{want}` is listed {count} times; list each notification once."
            for want, count in Counter(self.notifications).items()
            if count > 1
        ]
        for want in self.notifications:
            found += _destination_problems(want)
        return found


def _destination_problems(want: Want) -> list[str]:
    if want.channel not in CHANNELS:
        return [f"channel `{want.channel}` is unknown; use slack(), email() or pagerduty()."]
    if want.channel == "slack" and not want.destination.startswith("#"):
        return [f"Slack channel `{want.destination}` must start with `#`."]
    if want.channel == "email" and not want.destination.endswith(TEAM_MAIL):
        return [f"email `{want.destination}` must end with `{TEAM_MAIL}`."]
    return []
