"""`doit verify-report`: the evidence of a proof judged again, by whoever wants to check it."""

from collections.abc import Sequence

from scenarios.proof import opening, rejudge
from scenarios.proof.estimate import counted
from scenarios.proof.opening import Report
from scenarios.proof.rejudge import Again
from scenarios.proof.reports import reports_dir
from stack import paths, progress
from stack.errors import BadInput, CheckFailed


def verify_report(files: Sequence[str] = (), key: str = "") -> None:
    """Judge the report in that folder again, the latest one when none is named, and print each
    verdict that differs; with `key`, a file with a public key, check who signed its attestation.

    Raises CheckFailed when a verdict differs or something was changed after the proof, BadInput for
    what is no report.
    """
    if len(files) > 1:
        raise BadInput(f"{len(files)} reports are named, expected one.", cure="Name one at a time.")
    folder = opening.find(paths.given(files[0]) if files else reports_dir() / "latest")
    report = opening.read(folder)
    again = rejudge.judge_again(report)
    wrong = [*_told(again), *_changed(rejudge.changed(report))]
    wrong += _attested(report, key)
    _summary(report, again, wrong)
    if wrong:
        more = f" (and {len(wrong) - 1} more, above)" if len(wrong) > 1 else ""
        untouched = all(one.differs and not one.changed for one in again if one.wrong)
        only = untouched and len(wrong) == sum(one.wrong for one in again)
        raise CheckFailed(
            f"{paths.short(folder)}: {wrong[0]}{more}.", cure=OTHERWISE if only else CHANGED
        )


CHANGED = "Do not rely on it: take the report from where it was written, or prove again."
OTHERWISE = (
    "All digests fit: either this checkout judges otherwise than the one that wrote it, or whoever"
    " changed it made the digests anew, too. A signed attestation tells which."
)


def _told(again: Sequence[Again]) -> list[str]:
    """What is wrong with single alerts; said as well."""
    found = []
    for one in again:
        words = "; ".join(filter(None, [*one.changed, one.words]))
        if words:
            found.append(f"{one.entry.alert}: {words}")
            progress.result(
                found[-1], "verdict", alert=one.entry.alert, recorded=one.entry.verdict.outcome,
                again=one.verdict.outcome if one.verdict else None, differs=one.differs,
                changed=one.changed,
            )  # fmt: skip
    return found


def _changed(found: Sequence[str]) -> list[str]:
    for line in found:
        progress.result(line, "changed", what=line)
    return [*found]


def _attested(report: Report, key: str) -> list[str]:
    """What is wrong with the attestation beside it, and its signature."""
    if not key and not any(report.folder.glob("attestation*.json")):
        return []
    # Only then: its formats take a while to import.
    from scenarios.proof import attestation

    checked = attestation.check(report, paths.given(key) if key else None)
    for line in checked.said:
        progress.result(line, "attestation", what=line)
    return [*checked.wrong]


def _summary(report: Report, again: Sequence[Again], wrong: Sequence[str]) -> None:
    judged = [one for one in again if one.verdict]
    events = sum(one.events for one in judged)
    others = len(again) - len(judged)
    differ = sum(one.differs for one in judged)
    rest = f"; {others} more (routes, and what was not played) not judged again" if others else ""
    progress.result(
        f"{counted(len(judged), 'verdict')} judged again from {counted(events, 'event')}:"
        f" {_differing(differ)}{rest}",
        "over", judged=len(judged), events=events, differ=differ, others=others,
        wrong=len(wrong), report=str(report.folder),
    )  # fmt: skip


def _differing(count: int) -> str:
    if not count:
        return "all the same"
    return "1 differs" if count == 1 else f"{count} differ"
