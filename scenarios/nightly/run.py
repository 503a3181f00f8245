"""`doit nightly`: all stages, what came of them, and who hears of it."""

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from scenarios.nightly import ledger, note, running, summary
from scenarios.nightly.ledger import Ledger, Outcome, Verdict
from scenarios.nightly.stages import STAGES, Stage
from scenarios.proof.reports import KEPT, check_kept, make_latest, new_folder, prune, reports_dir
from stack.errors import CheckFailed, HostCannot
from stack.paths import short
from stack.progress import Quiet, result, shown

KIND = "nightly-"
"""How folders of these reports begin."""

LATEST = "nightly"
"""Link, beside them, to the last one."""


def nightly(
    *,
    webhook: str = "",
    resume: bool = False,
    keep_reports: int = KEPT,
    stages: Sequence[Stage] = STAGES,
    program: Sequence[str] = running.TASKS,
    reports: Path | None = None,
    grace_s: float = running.GRACE_S,
) -> None:
    """Run the stages in order; one that fails keeps none from its turn but those that need it.

    With `resume`, what passed in the last night of the same sources is not run again. Raises
    CheckFailed when a stage failed or took too long, HostCannot when this machine could not do one,
    KeyboardInterrupt when it was interrupted; the summary is there in any case.
    """
    check_kept(keep_reports)
    if webhook:
        note.check(webhook)
    # Whoever starts it in the background of a script has it ignore what ends a stage in order.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    reports = reports or reports_dir()
    of = ledger.sources()
    before = ledger.passed_before(reports, KIND, of) if resume and of else {}
    if resume and not before:
        result("nothing passed before with the sources as they are: all stages are run")
    with new_folder(reports, KIND) as folder:
        kept = Ledger(of=of, folder=folder)
        try:
            with shown("done") as report:
                for stage in stages:
                    missed = before.get(stage.name) or _missed(stage, kept, stages)
                    kept.add(missed or _run(stage, folder, reports, report, program, grace_s))
        finally:
            summary.write(kept)
            make_latest(folder, LATEST)
            prune(reports, keep_reports, KIND)
        _end(kept, webhook)


def _run(
    stage: Stage, folder: Path, reports: Path, report: Quiet, program: Sequence[str],
    grace_s: float,
) -> Outcome:  # fmt: skip
    with report.doing(stage.name):
        found = running.run(stage, folder / stage.name, reports, program=program, grace_s=grace_s)
    report.say(
        f"{found.stage} {found.verdict} after {found.seconds:.0f} s", "stage", stage=found.stage,
        verdict=found.verdict, seconds=found.seconds, report=found.report,
    )  # fmt: skip
    return found


def _missed(stage: Stage, kept: Ledger, stages: Sequence[Stage]) -> Outcome | None:
    """The outcome of a stage that has no turn; None where it has."""
    vital = {one.name for one in stages if one.vital}
    for one in summary.bad(kept.outcomes):
        if one.verdict is Verdict.INTERRUPTED:
            said = "the night was interrupted"
        elif one.stage in vital:
            said = f"it needs `{one.stage}`"
        else:
            continue
        return Outcome(stage=stage.name, verdict=Verdict.NOT_RUN, said=said)
    return None


def _end(kept: Ledger, webhook: str) -> None:
    for line in summary.lines(kept):
        result(line)
    result(
        f"reports {short(kept.folder)}", "nightly", of=kept.of, folder=str(kept.folder),
        verdicts=_verdicts(kept),
    )  # fmt: skip
    bad = summary.bad(kept.outcomes)
    interrupted = any(one.verdict is Verdict.INTERRUPTED for one in bad)
    if bad and webhook and not interrupted and (why := note.send(webhook, kept)):
        result(f"the note did not get through: {why}", "unsent", why=why)
    if interrupted:
        raise KeyboardInterrupt
    if bad:
        blocked = all(one.verdict is Verdict.BLOCKED for one in bad)
        kind = HostCannot if blocked else CheckFailed
        raise kind(
            f"not good: {', '.join(one.stage for one in bad)}.",
            cure="`doit nightly --resume` runs again what did not pass.",
        )


def _verdicts(kept: Ledger) -> Mapping[str, str]:
    return {one.stage: one.verdict for one in kept.outcomes}
