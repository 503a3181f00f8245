"""What `doit new-alert` left for people to write is written."""

import re
from collections.abc import Iterator
from pathlib import Path

from stack.check.configuration import Configuration
from stack.check.coverage import NO_SCENARIOS
from stack.check.problem import Problem
from stack.run.unfinished import MARK, PLACEHOLDER

_FOLDERS = ("prometheus", "loki", "runbooks", "grafana")


def check(configuration: Configuration, scenarios: Path) -> Iterator[Problem]:
    """One problem for each mark; for each line with a placeholder where the marks are gone."""
    files = [path for folder in _FOLDERS for path in (configuration.root / folder).rglob("*")]
    files += [path for path in scenarios.glob("*/*.py") if path.parent.name not in NO_SCENARIOS]
    for path in sorted(files):
        if path.suffix in (".yml", ".json", ".md", ".py") and path.is_file():
            yield from _blanks(path, path.read_text(errors="replace"))


def _blanks(path: Path, content: str) -> Iterator[Problem]:
    lines = content.splitlines() if "FILL" in content else []
    marks = [(number, found) for number, said in enumerate(lines, 1)
             if (found := MARK.search(said))]  # fmt: skip
    for number, found in marks:
        yield Problem(
            check="alerts/blank",
            path=path,
            line=number,
            what=f"`{found['alert']}` has a blank: {found['what'].strip().rstrip('.,')}.",
            cure="Write it here, and remove the mark `FILL IN …`.",
        )
    if not marks:
        for number, said in enumerate(lines, 1):
            if PLACEHOLDER in said:
                yield Problem(
                    check="alerts/blank",
                    path=path,
                    line=number,
                    what=f"`{PLACEHOLDER}` is left of a draft.",
                    cure="Write what belongs there.",
                )


def named(problem: Problem) -> bool:
    """Whether something is said of a placeholder, which follows from the blank."""
    return PLACEHOLDER in problem.what or bool(MARK.search(problem.what))


def unfinished(configuration: Configuration, scenarios: Path) -> dict[str, str]:
    """Alert → why it cannot be proven yet: its blanks."""
    found: dict[str, list[Problem]] = {}
    for one in check(configuration, scenarios):
        alert = re.match(r"`(\w+)` has", one.what)
        found.setdefault(alert[1] if alert else one.path.stem, []).append(one)
    return {
        alert: f"it is not written yet: {len(blanks)} blank{'s' if len(blanks) > 1 else ''},"
        f" the first in {blanks[0].path.name}:{blanks[0].line}; `doit check` names each"
        for alert, blanks in found.items()
    }
