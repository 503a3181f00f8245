"""`doit verify-dashboards`: every panel has data and possible values, and moves with faults."""

from collections.abc import Sequence

from scenarios.dashboards import run
from scenarios.proof.reports import KEPT


def verify_dashboards(
    only: Sequence[str] = (),
    speed: float = 60.0,
    healthy: bool = False,
    keep_reports: int = KEPT,
) -> int:
    """Ask the panels called `only`, all when it is empty; 0 when all are good.

    Raises as `scenarios.dashboards.run.verify_dashboards`.
    """
    return run.verify_dashboards(only, speed=speed, healthy_only=healthy, keep_reports=keep_reports)
