"""`doit harden`: what holds of a running stack's security, what does not, and the evidence."""

from stack import progress
from stack.errors import CheckFailed
from stack.progress import result
from stack.run.naming import option
from stack.tasks.instance import running


def harden(instance: str) -> None:
    """Print each point with its verdict. Raises CheckFailed naming those that do not hold,
    BadInput for an instance that does not run."""
    from stack.deploy.hardening.points import POINTS, look
    from stack.deploy.hardening.verdict import Verdict

    stack = running(instance)
    with progress.shown("done") as report:
        report.say("asking")
        found = look(stack)
    width = max(len(point) for point in POINTS)
    for one in found:
        result(f"{one.point:<{width}}  {one.verdict:<{len(Verdict.UNSEEN)}}  {one.evidence}",
               "harden", point=one.point, verdict=one.verdict, evidence=one.evidence)  # fmt: skip
    bad = list(dict.fromkeys(one.point for one in found if one.verdict is Verdict.FAILS))
    if bad:
        cure = (
            "" if stack.layout.profile.is_production
            else f"`doit up --profile production{option(instance)}` is for a server;"
            " this instance is for development."
        )  # fmt: skip
        raise CheckFailed(f"{len(bad)} of {len(POINTS)} points do not hold: {', '.join(bad)}.",
                          cure=cure or "What is seen of each stands above.")  # fmt: skip
