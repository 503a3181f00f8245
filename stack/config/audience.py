"""Who must be notified of what, and which alert suppresses which, as data.

alertmanager.yml says the same in routes and inhibit rules; `doit check` compares the two
(`stack.check.delivery`, `stack.check.inhibition`), and the proofs in `scenarios/routing/` expect of
a running Alertmanager what is written here. So to change who is notified, change both.
"""

from collections.abc import Mapping

CHANNELS: Mapping[str, tuple[str, ...]] = {
    "critical": ("pagerduty", "slack", "email"),
    "warning": ("slack", "email"),
    "info": ("slack",),
    # Watchdog alone: it always fires, and somebody is notified when it stops.
    "none": ("heartbeat",),
}
"""Severity → channels."""

FALLBACK = ("slack",)
"""Channels of an alert whose severity is missing or unknown: somebody sees it."""

TEAMS = ("platform", "database", "infrastructure", "scheduling", "compliance")
HOME = "platform"
"""The team that is notified when an alert's team is missing or unknown."""

SHARED: Mapping[str, str] = {"pagerduty": "on-call", "heartbeat": "watchdog"}
"""Channel → its only destination, for every team."""

_OWN: Mapping[str, str] = {"slack": "#alerts-{}", "email": "{}@residency.example"}
"""Channel → the destination of a team, with the team's name in place of `{}`."""

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

SUPPRESSES: Mapping[str, frozenset[str]] = {
    **{critical: frozenset({warning}) for critical, warning in TWINS.items()},
    "APIServiceDown": SYMPTOMS,
}
"""Alert → the alerts about the same thing that it suppresses while it fires; no others."""


def destination(channel: str, team: str | None) -> str:
    """Where a channel notifies a team, by the inbox's names."""
    home = team if team in TEAMS else HOME
    return SHARED.get(channel) or _OWN[channel].format(home)


def destinations(severity: str | None, team: str | None) -> dict[str, str]:
    """Channel → destination for an alert with these labels (None or "": the label is missing)."""
    channels = CHANNELS.get(severity or "", FALLBACK)
    return {channel: destination(channel, team) for channel in channels}
