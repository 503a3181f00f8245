"""`doit nightly`: all that is done every night."""

from scenarios.nightly import run
from scenarios.proof.reports import KEPT


def nightly(webhook: str = "", resume: bool = False, keep_reports: int = KEPT) -> None:
    """Raises as `scenarios.nightly.run.nightly`."""
    run.nightly(webhook=webhook, resume=resume, keep_reports=keep_reports)
