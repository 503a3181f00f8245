"""Who must be notified of what, how soon and how often, and which alert suppresses which, as data.

The rest of this folder says the same in rules, intervals, routes and inhibit rules; `doit check`
compares the two (`stack.check.delivery`, `stack.check.promises`, `stack.check.inhibition`), and the
proofs expect of a running stack what is written here. So to change who is notified, or when, change
both.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

CHANNELS: Mapping[str, tuple[str, ...]] = {
    "critical": ("pagerduty", "slack", "email"),
    "warning": ("slack", "email"),
    "info": ("slack",),
    # Watchdog alone: it always fires, and somebody is notified when it stops.
    "none": ("heartbeat",),
}
"""Severity → channels."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """How soon and how often somebody is notified; durations at speed 1, as rules write them."""

    lasts: str
    """For how long a condition may have to hold before its alert fires: the longest `for`."""
    told: str
    """From then to the message: a scrape, two evaluations (the first may just have missed the
    scrape) and `group_wait`."""
    over: str
    """From the end of the condition to the message that it is over: a scrape, two evaluations,
    `keep_firing_for` and `group_interval`."""
    reminded: str
    """While it fires, the message is repeated at least this often."""
    spared: str
    """And at most this often: more would teach people to look away."""


PROMISES: Mapping[str, Promise] = {
    # Immediately: as soon as it is certain, and two minutes to be told.
    "critical": Promise(lasts="6m", told="2m", over="12m", reminded="4h", spared="1h"),
    # Within half an hour.
    "warning": Promise(lasts="30m", told="5m", over="15m", reminded="4h", spared="1h"),
    # As well as it goes.
    "info": Promise(lasts="1h", told="15m", over="30m", reminded="1d", spared="1h"),
    # A heartbeat, which its receiver must hear every minute.
    "none": Promise(lasts="0s", told="1m", over="5m", reminded="1m", spared="30s"),
}
"""Severity → promise."""

FALLBACK = ("slack",)
"""Channels of an alert whose severity is missing or unknown: somebody sees it."""

TEAMS = ("platform", "database", "infrastructure", "scheduling", "compliance")
HOME = "platform"
"""The team that is notified when an alert's team is missing or unknown."""

WHERE: Mapping[str, tuple[str, ...]] = {
    "pagerduty": ("on-call",),
    "heartbeat": ("watchdog",),
    "slack": ("#alerts-{}",),
    "email": ("{}@residency.example",),
}
"""Channel → its destinations, by the inbox's names, with the team's name in place of `{}`."""

ALSO: Mapping[tuple[str, str], tuple[str, ...]] = {}
"""(Channel, team) → further destinations of that team alone."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """When nobody is notified, by names of `time_intervals` in alertmanager.yml."""

    mute: frozenset[str] = frozenset()
    """In any of them nobody is (`mute_time_intervals`)."""
    active: frozenset[str] = frozenset()
    """Outside of all of them nobody is (`active_time_intervals`)."""

    def rest(self, now_in: Collection[str]) -> bool:
        """Whether nobody is notified at a moment that lies in these intervals."""
        return not self.mute.isdisjoint(now_in) or (
            bool(self.active) and self.active.isdisjoint(now_in)
        )


HOURS: Mapping[tuple[str, str], Hours] = {}
"""(Severity, channel) → when it rests; all others are notified at any time. What begins meanwhile
and is still so afterwards is told then."""

GROUPED_BY = ("alertname", "team")
"""Alerts that are the same in these labels are one message."""

SYMPTOMS = frozenset(
    {
        "HealthCheckFailing",
        "HighErrorRate",
        "CriticalErrorRate",
        "HighLatencyP95",
        "VeryHighLatency",
        "LongScheduleGeneration",
        "NoSchedulesGenerated",
        "ActiveUsersDropped",
    }
)
"""What users notice of a dead API; only the API itself is notified then."""

TWINS: Mapping[str, str] = {
    "CriticalErrorRate": "HighErrorRate",
    "VeryHighLatency": "HighLatencyP95",
    "CriticalCPUUsage": "HighCPUUsage",
    "CriticalMemoryUsage": "HighMemoryUsage",
    "DiskSpaceCritical": "DiskSpaceWarning",
    "PostgreSQLCriticalConnections": "PostgreSQLHighConnections",
}
"""Critical alert → the warning about the same thing, which it suppresses."""

_FAILED_REQUESTS = {"HighErrorRate": {"job": "backend"}, "CriticalErrorRate": {"job": "backend"}}

BREAKS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "PostgreSQLDown": {
        **_FAILED_REQUESTS,
        "HealthCheckFailing": {"instance": "backend"},
        "ApplicationErrorBurst": {"service": "residency-scheduler-backend"},
        "DatabaseFatalErrors": {"service": "postgresql"},
        "ContainerDown": {"name": "postgresql"},
    },
    "HealthCheckFailing": _FAILED_REQUESTS,
    "APIServiceDown": {
        "ApplicationErrorBurst": {"service": "residency-scheduler-backend"},
        "ContainerDown": {"name": "backend"},
    },
}
"""What depends on what: cause → the alerts that it sets off elsewhere, and which of them, by their
labels. Whoever is woken by the cause is not woken by these as well; with another cause they are
told as ever."""

SUPPRESSES: Mapping[str, frozenset[str]] = {
    **{critical: frozenset({warning}) for critical, warning in TWINS.items()},
    **{cause: frozenset(effects) for cause, effects in BREAKS.items()},
    "APIServiceDown": SYMPTOMS | BREAKS["APIServiceDown"].keys(),
}
"""Alert → the alerts that it suppresses while it fires, about the same thing or one that depends on
it; no others."""


def suppressed(cause: str, effect: str, labels: Mapping[str, str]) -> bool:
    """Whether `effect` with these labels is one of those that the cause suppresses. About the same
    thing or not is not asked."""
    which = BREAKS.get(cause, {}).get(effect, {})
    meant = all(labels.get(name) == value for name, value in which.items())
    return effect in SUPPRESSES.get(cause, ()) and meant


def rests(severity: str | None, channel: str, now_in: Collection[str]) -> bool:
    """Whether nobody is notified by that channel at a moment that lies in these intervals."""
    return HOURS.get((severity or "", channel), Hours()).rest(now_in)


def destinations(severity: str | None, team: str | None) -> list[tuple[str, str]]:
    """Channel and destination of each that must be notified of an alert with these labels.

    None or "": the label is missing.
    """
    home = team if team in TEAMS else HOME
    return [
        (channel, where.format(home))
        for channel in CHANNELS.get(severity or "", FALLBACK)
        for where in (*WHERE[channel], *ALSO.get((channel, home), ()))
    ]
