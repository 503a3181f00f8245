"""Tries one mutant after the other, and says which of them survived."""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from scenarios.mutants import report
from scenarios.mutants.prove import proven
from scenarios.mutants.result import Run
from scenarios.proof.endings import as_interrupt, ended_by
from scenarios.proof.reports import check_kept, new_folder, prune, reports_dir
from stack import progress
from stack.check.configuration import load
from stack.check.problem import ProblemsFound
from stack.check.run import Setup, find_problems
from stack.errors import BadInput, CheckFailed
from stack.mutation.changed import changed
from stack.mutation.everything import chosen, mutants
from stack.mutation.judge import By, Verdict, judged
from stack.progress import Progress

KIND = "mutants-"
AT_LEAST = 90.0
_EVERY_S = 10.0
"""Between two lines on how far it has come, where there is no live picture."""


def mutate(
    make: Callable[[], Setup], only: Sequence[str] = (), *, since_branch: bool = False,
    at_least: float = AT_LEAST, sample: int = 0, seed: int = 1, prove: bool = False,
    keep_reports: int, reports: Path | None = None,
) -> Run:  # fmt: skip
    """Try what is `chosen` of all mutants, and write a report. `make` says what is checked, and
    with what; other processes call it as well. With `prove`, survivors are proven.

    Raises ProblemsFound where the configuration itself has problems, CheckFailed if fewer than
    `at_least` percent are killed, BadInput for what cannot be chosen.
    """
    check_kept(keep_reports)
    if not 0 <= at_least <= 100:
        raise BadInput(f"--at-least is {at_least:g}, expected 0 to 100: percent.")
    began, started = time.monotonic(), time.time()
    setup = make()
    root = setup.config_root
    with progress.shown() as say, ended_by(as_interrupt()):
        configuration = load(root)
        since = changed(root) if since_branch else None
        wanted = chosen(mutants(configuration), only, since, sample, seed)
        with say.doing("checking the configuration as it is"):
            problems = find_problems(replace(setup, report=say), configuration)
        if problems:
            raise ProblemsFound(problems, setup.shown_from)
        workers = max(1, os.cpu_count() or 1)
        verdicts, ended = [], ""
        counts: Counter[By] = Counter()
        with closing(judged(make, wanted, workers)) as coming, _told(say, len(wanted)) as tell:
            try:
                for one in coming:
                    verdicts.append(one)
                    counts[one.by] += 1
                    tell(counts)
                if prove:
                    survivors = [one for one in verdicts if one.by is By.NOBODY]
                    say.say(f"{len(survivors)} survivors to be proven", "proving")
                    for one in proven(survivors, root, say.say):
                        at = next(n for n, old in enumerate(verdicts) if old.mutant is one.mutant)
                        verdicts[at] = one
            except KeyboardInterrupt:
                ended = "it was interrupted"
    run = Run(
        verdicts=sorted(verdicts, key=_place), wanted=len(wanted), ended=ended, seed=seed,
        since=since.since if since else "", started=started, took_s=time.monotonic() - began,
        root=root.relative_to(setup.shown_from), at_least=at_least,
    )  # fmt: skip
    home = reports or reports_dir()
    with new_folder(home, KIND) as folder:
        page = report.write(run, folder)
    prune(home, keep_reports, KIND)
    report.tell(run, page)
    if ended:
        raise KeyboardInterrupt
    if run.too_few:
        raise CheckFailed(run.too_few)
    return run


def _place(verdict: Verdict) -> tuple[str, int, str]:
    one = verdict.mutant
    return str(one.path), one.line, one.what


class _told:
    """Says how far it has come."""

    def __init__(self, say: Progress, size: int) -> None:
        self._say, self._size = say, size
        self._began = self._said = time.monotonic()
        self._line = ""

    def __enter__(self) -> "_told":
        self._watch = self._say.watch(lambda columns, rows: [self._line] if self._line else [])
        self._watch.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._watch.__exit__(None, None, None)

    def __call__(self, counts: Counter[By]) -> None:
        done, now = counts.total(), time.monotonic()
        left = (now - self._began) / done * (self._size - done)
        self._line = (
            f"{done} of {self._size} mutants, {counts[By.NOBODY]} survived, about {left:.0f} s left"
        )
        if now - self._said > _EVERY_S and not self._say.live:
            self._said = now
            self._say.say(self._line, "mutants", done=done, of=self._size,
                          survived=counts[By.NOBODY])  # fmt: skip
