"""`doit quiet-day`: a simulated day on which nobody may be notified of anything."""

from scenarios.proof.reports import KEPT
from scenarios.quiet import run


def quiet_day(seed: int | None = None, speed: float = 960.0, keep_reports: int = KEPT) -> int:
    """Live one day and judge it; 0 when it was quiet. Raises as `scenarios.quiet.run.quiet_day`."""
    return run.quiet_day(seed, speed=speed, keep_reports=keep_reports)
