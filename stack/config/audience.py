"""Who must hear of what, and which alert speaks for which: what the configuration is held against.

The one place where it stands as data. alertmanager.yml says the same in routes and inhibit rules;
`doit check` compares the two (`stack.check.delivery`, `stack.check.inhibition`), and the proofs of
`scenarios/routing/` want of a running Alertmanager what stands here.
"""

from collections.abc import Mapping

CHANNELS: Mapping[str, tuple[str, ...]] = {
    "critical": ("pagerduty", "slack", "email"),
    "warning": ("slack", "email"),
    "info": ("slack",),
    # Watchdog alone: it fires always, and its silence is what somebody hears of.
    "none": ("heartbeat",),
}
"""Severity → channels."""

FALLBACK = ("slack",)
"""Channels of a severity that is missing or unknown: somebody sees it."""

TEAMS = ("platform", "database", "infrastructure", "scheduling", "compliance")
HOME = "platform"
"""The team that hears of what has no team, or one that nobody knows."""

SHARED: Mapping[str, str] = {"pagerduty": "on-call", "heartbeat": "watchdog"}
"""Channel → its only destination, whatever the team."""

_OWN: Mapping[str, str] = {"slack": "#alerts-{}", "email": "{}@residency.example"}
"""Channel → the destination of a team."""

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
"""What a dead API does to its users; they are told of the API alone."""

TWINS: Mapping[str, str] = {
    "CriticalErrorRate": "HighErrorRate",
    "VeryHighLatency": "HighLatencyP95",
    "CriticalCPUUsage": "HighCPUUsage",
    "CriticalMemoryUsage": "HighMemoryUsage",
    "DiskSpaceCritical": "DiskSpaceWarning",
    "PostgreSQLCriticalConnections": "PostgreSQLHighConnections",
}
"""Critical alert → the warning that it speaks for."""

SUPPRESSES: Mapping[str, frozenset[str]] = {
    **{critical: frozenset({warning}) for critical, warning in TWINS.items()},
    "APIServiceDown": SYMPTOMS,
}
"""Alert → those that it keeps quiet while it fires, about the same thing. Nothing else is."""


def destination(channel: str, team: str | None) -> str:
    """Where a channel tells a team, as the inbox calls it."""
    home = team if team in TEAMS else HOME
    return SHARED.get(channel) or _OWN[channel].format(home)


def destinations(severity: str | None, team: str | None) -> dict[str, str]:
    """Channel → destination of an alert with these labels (None or "": without that label)."""
    channels = CHANNELS.get(severity or "", FALLBACK)
    return {channel: destination(channel, team) for channel in channels}
