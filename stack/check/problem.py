"""What a check finds: data, rendered elsewhere."""

from dataclasses import dataclass
from pathlib import Path

from stack.errors import CheckFailed


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong in one file."""

    check: str
    """Id of the check, `area/what`."""
    path: Path
    line: int | None = None
    """Line in `path`, counted from 1; None where the whole file is meant."""
    what: str
    """The rule, receiver or service in backticks, what was found and what was expected."""
    cure: str

    def shown(self, root: Path) -> Path:
        """Its path as people see it, who stand in `root`."""
        return self.path.relative_to(root) if self.path.is_relative_to(root) else self.path

    def text(self, root: Path) -> str:
        """Two lines for a person, the id last; `root` is left out of the path."""
        path = self.shown(root)
        where = f"{path}:{self.line}" if self.line else str(path)
        return f"{where}: {self.what}\n  {self.cure} [{self.check}]"


class ProblemsFound(CheckFailed):
    """Every problem of one run, causes first."""

    def __init__(self, problems: list[Problem], root: Path) -> None:
        self.problems = problems
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        super().__init__("\n".join([*(problem.text(root) for problem in problems), count]))
