"""`doit mutate`: which breakages of rules, routes and templates would nobody notice?"""

from collections.abc import Sequence

from scenarios.mutants import run
from stack.tasks.check import host_setup


def mutate(
    only: Sequence[str],
    changed: bool,
    at_least: float,
    sample: int,
    seed: int,
    prove: bool,
    keep_reports: int,
) -> None:
    """Try them. Raises as `scenarios.mutants.run.mutate`."""
    run.mutate(
        host_setup,
        only,
        since_branch=changed,
        at_least=at_least,
        sample=sample,
        seed=seed,
        prove=prove,
        keep_reports=keep_reports,
    )
