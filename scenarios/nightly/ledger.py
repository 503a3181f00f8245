"""What came of each stage, as kept in `ledger.json` of a night's folder: so that one that was
interrupted, or killed, can go on."""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from stack import jsontext
from stack.paths import REPO

FILE = "ledger.json"


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"
    """This machine cannot do it (exit code 3)."""
    TOO_LONG = "too long"
    INTERRUPTED = "interrupted"
    NOT_RUN = "not run"
    """Nothing came of one that it needs, or the night ended before its turn."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one stage."""

    stage: str
    verdict: Verdict
    seconds: float = 0.0
    said: str = ""
    """Why, in one line; empty when it passed."""
    report: str = ""
    """The file to look at."""
    before: bool = False
    """It passed in an earlier run, and was not run again."""


@dataclass(kw_only=True)
class Ledger:
    """One night's."""

    of: str
    """The commit, and what was changed since."""
    folder: Path
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Keep it, also on the disk."""
        self.outcomes.append(outcome)
        written = {"of": self.of, "outcomes": [asdict(one) for one in self.outcomes]}
        partial = self.folder / f"{FILE}.part"
        partial.write_text(json.dumps(written, indent=1))
        partial.replace(self.folder / FILE)


def passed_before(reports: Path, kind: str, of: str) -> Mapping[str, Outcome]:
    """Stage → what came of it in the last night, if that was of the same sources and it passed."""
    for folder in sorted(reports.glob(f"{kind}*"), reverse=True):
        try:
            found = jsontext.read((folder / FILE).read_text())
            outcomes = [
                Outcome(**{**one, "verdict": Verdict(one["verdict"])}) for one in found["outcomes"]
            ]
            same = found["of"] == of
        except FileNotFoundError:
            continue  # not one stage was over
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        good = [one for one in outcomes if one.verdict is Verdict.PASSED]
        return {one.stage: replace(one, before=True) for one in good} if same else {}
    return {}


def sources(repo: Path = REPO) -> str:
    """The commit, and a digest of what was changed since if anything was; empty where git does not
    know."""
    commit = _git(repo, "rev-parse", "HEAD").decode().strip()
    changed = _git(repo, "diff", "HEAD", "--binary")
    for name in sorted(_git(repo, "ls-files", "--others", "--exclude-standard", "-z").split(b"\0")):
        file = repo / name.decode(errors="surrogateescape")
        if name and file.is_file():
            changed += name + hashlib.sha256(file.read_bytes()).digest()
    return f"{commit}+{hashlib.sha256(changed).hexdigest()[:8]}" if commit and changed else commit


def _git(repo: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=repo, capture_output=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout
