"""Runs scenarios against instances, keeps the evidence, judges it and reports.

`scenario` declares; `deadlines` and `absence` derive; `chain`, `overload` and `verdict` judge, all
purely. `watch` observes, `gate` and `play` act on one instance; `packing` and `estimate` say what
runs together and how long, `workers` do it on several instances, `run` is the whole. `graphs` and
`history` add figures, `report`, `page` and `chart` write.
"""

from collections.abc import Sequence
from pathlib import Path


def verify_alerts(
    only: Sequence[str] = (), speed: float = 60.0, keep: bool = False, history: str = ""
) -> int:
    """Prove alerts, all when `only` is empty. See `scenarios.proof.run.verify_alerts`."""
    from scenarios.proof import run

    file = Path(history) if history else None
    return run.verify_alerts(only, speed=speed, keep=keep, history=file)
