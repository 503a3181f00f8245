"""What became of all mutants."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.mutation.judge import By, Verdict

KILLERS = (By.TESTS, By.CHECK, By.PROOF)


@dataclass(frozen=True, kw_only=True)
class Score:
    """Of a file, an alert or all of them."""

    name: str
    killed: int
    survived: int

    @property
    def percent(self) -> float:
        """100 where there is none."""
        every = self.killed + self.survived
        return 100 * self.killed / every if every else 100.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One `doit mutate`."""

    verdicts: Sequence[Verdict]
    wanted: int
    """How many were to be tried."""
    ended: str
    """Why it came to an end early; "" when it did not."""
    since: str
    """The commit since which something had to have changed; "" for all."""
    seed: int
    started: float
    """Unix seconds."""
    took_s: float
    root: Path
    """Where the configuration lies, as people see it."""
    at_least: float
    """Percent that have to be killed."""

    @property
    def survivors(self) -> list[Verdict]:
        return [one for one in self.verdicts if one.by is By.NOBODY]

    @property
    def same(self) -> list[Verdict]:
        """Those that mean the same: nobody could notice."""
        return [one for one in self.verdicts if one.by is By.NONE_COULD]

    @property
    def whole(self) -> Score:
        return _score("all", self.verdicts)

    @property
    def by_file(self) -> list[Score]:
        return _scores(self.verdicts, lambda one: str(one.mutant.path))

    @property
    def by_subject(self) -> list[Score]:
        """The weakest first, and only those of which one survived."""
        found = _scores(self.verdicts, lambda one: one.mutant.subject)
        return sorted((one for one in found if one.survived), key=lambda one: one.percent)

    @property
    def killers(self) -> Counter[By]:
        return Counter(one.by for one in self.verdicts if one.by in KILLERS)

    @property
    def sentence(self) -> str:
        """The answer."""
        if not self.verdicts:
            nothing = f"nothing has changed since {self.since}" if self.since else "there is none"
            return f"No mutant was tried: {nothing}."
        by = " and ".join(f"{count} by {who}" for who, count in self.killers.most_common())
        score = self.whole
        same = f"; {len(self.same)} mean the same and do not count" if self.same else ""
        rest = f" {self.ended.capitalize()} after {len(self.verdicts)} of {self.wanted}." \
            if self.ended else ""  # fmt: skip
        return (f"{score.percent:.1f} % of {score.killed + score.survived} mutants were killed"
                f"{f', {by}' if by else ''}; {score.survived} survived{same}.{rest}")  # fmt: skip

    @property
    def too_few(self) -> str:
        """What to say when fewer than wanted were killed; "" when it is enough."""
        score = self.whole
        if score.percent >= self.at_least:
            return ""
        return (f"{score.percent:.1f} % of the mutants were killed, expected at least"
                f" {self.at_least:g} %.")  # fmt: skip


def _scores(verdicts: Sequence[Verdict], name: Callable[[Verdict], str]) -> list[Score]:
    groups: dict[str, list[Verdict]] = {}
    for one in verdicts:
        groups.setdefault(name(one), []).append(one)
    return [_score(group, found) for group, found in groups.items()]


def _score(name: str, verdicts: Sequence[Verdict]) -> Score:
    survived = sum(one.by is By.NOBODY for one in verdicts)
    killed = sum(one.by in KILLERS for one in verdicts)
    return Score(name=name, killed=killed, survived=survived)
