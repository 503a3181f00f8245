"""A night in ten seconds: for a terminal, and in Markdown for a page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scenarios.nightly.ledger import Ledger, Outcome, Verdict
from stack.paths import short

TEXT, MARKDOWN = "summary.txt", "summary.md"


def headline(ledger: Ledger) -> str:
    """Of what, how many of each verdict, and how long."""
    counts = Counter(one.verdict for one in ledger.outcomes)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    commit, _, changed = ledger.of.partition("+")
    of = f"commit {commit[:10]}" if commit else "sources without a commit"
    seconds = sum(one.seconds for one in ledger.outcomes if not one.before)
    return f"{of}{', changed since' if changed else ''}: {said or 'nothing'} in {length(seconds)}"


def lines(ledger: Ledger) -> list[str]:
    """Headline, then a line for each stage, and below those that did not pass why and where."""
    width = max((len(one.stage) for one in ledger.outcomes), default=0)
    found = [headline(ledger)]
    for one in ledger.outcomes:
        found.append(f"  {one.stage:<{width}}  {_verdict(one):<13} {length(one.seconds):>8}")
        if not good(one):
            where = str(short(Path(one.report))) if one.report else ""
            found += [f"    {said}" for said in (one.said, where) if said]
    return found


def markdown(ledger: Ledger) -> str:
    """The same as a table; a report is named by its place in the night's folder."""
    rows = [
        f"| {one.stage} | {'' if good(one) else '**'}{_verdict(one)}{'' if good(one) else '**'}"
        f" | {length(one.seconds)} | {_cell(one.said)} | {_cell(_inside(one, ledger.folder))} |"
        for one in ledger.outcomes
    ]
    head = ["| stage | verdict | time | why | report |", "|---|---|---:|---|---|"]
    return "\n".join([f"### Nightly, {headline(ledger)}", "", *head, *rows, ""])


def write(ledger: Ledger) -> None:
    """Both, into the night's folder."""
    (ledger.folder / TEXT).write_text("\n".join([*lines(ledger), ""]))
    (ledger.folder / MARKDOWN).write_text(markdown(ledger))


def good(outcome: Outcome) -> bool:
    return outcome.verdict is Verdict.PASSED


def bad(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those of which somebody should hear; those that follow from them are not."""
    return [one for one in outcomes if one.verdict not in (Verdict.PASSED, Verdict.NOT_RUN)]


def _verdict(outcome: Outcome) -> str:
    return "passed before" if outcome.before else outcome.verdict


def length(seconds: float) -> str:
    """In words."""
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def _inside(outcome: Outcome, folder: Path) -> str:
    """Where it is in the night's folder, or beside that."""
    for home in (folder, folder.parent):
        if outcome.report and Path(outcome.report).is_relative_to(home):
            return str(Path(outcome.report).relative_to(home))
    return outcome.report


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`").replace("<", "&lt;")
