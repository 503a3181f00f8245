"""`doit new-alert`: all files of an alert of one's own, with blanks, and what to fill in."""

from pathlib import Path

from stack.check.configuration import load
from stack.draft import whole
from stack.draft.draft import SEVERITIES, Piece, areas, draft
from stack.errors import BadInput, HostCannot
from stack.paths import CONFIG_ROOT, REPO

TRY = {
    "rule": (
        "what it measures, for how long that must be bad (`for`), and what people read of it",
        "`doit up`, then try the expression at http://127.0.0.1:9090/classic/graph",
    ),
    "unit tests": (
        "the rule's series at the limit and beyond it, and the alert as it must be then",
        "`doit check` runs them and shows what came instead",
    ),
    "scenario": (
        "the people, and the fault that must make it fire: `doit list-users`, `doit list-faults`",
        "`doit incident {name}` begins it on what `doit up` started, `doit incident --end` ends it",
    ),
    "panel": (
        "what the panel draws, and the rule's limit in `thresholds`",
        "`doit up` again, then http://127.0.0.1:3001/d/{uid}",
    ),
    "runbook": (
        "what to ask first and how to mitigate, for somebody who is woken by it",
        "`doit check` runs its queries through their parsers",
    ),
}
"""Piece → what to fill in, and how to try it."""


def new_alert(
    names: list[str],
    *,
    area: str,
    severity: str,
    config_root: Path = CONFIG_ROOT,
    scenarios: Path = REPO / "scenarios",
) -> None:
    """Write the drafts, all or none, and say what to fill in.

    Raises BadInput as `draft`, HostCannot where nothing can be written.
    """
    configuration = load(config_root)
    if len(names) != 1:
        raise BadInput(
            f"`new-alert` needs the name of one alert, got {len(names)}.",
            cure="`doit new-alert DiskSlow --area infrastructure --severity warning`",
        )
    if not area or not severity:
        raise BadInput(
            f"`new-alert` needs --{'area' if not area else 'severity'}.",
            cure=f"--area is one of {', '.join(sorted(areas(configuration)))};"
            f" --severity of {', '.join(SEVERITIES)}.",
        )
    [name] = names
    pieces = draft(name, area, severity, configuration, scenarios)
    # The rule comes last: without it, nobody takes the others for an alert.
    try:
        whole.write({one.path: one.after for one in reversed(pieces) if not one.drafted})
    except OSError as error:
        folder = Path(error.filename2 or error.filename or config_root).parent
        raise HostCannot(
            f"cannot write to `{folder}`: {error.strerror}.",
            cure="Allow it, or make room; nothing was written.",
        ) from None
    _tell(name, pieces)


def _tell(name: str, pieces: list[Piece]) -> None:
    print(f"{name} is drafted. Fill in what is marked `FILL IN {name}`, in this order:\n")
    for number, piece in enumerate(pieces, 1):
        what, trying = TRY[piece.what]
        print(f"{number}. {piece.what:<10} {_where(piece)}\n   {what}")
        print(f"   try: {trying.format(name=name, uid=piece.path.stem)}")
    print(
        f"\nThen `doit check` until it names no blank, and `doit verify-alerts --only {name}`."
        "\nAt last `doit verify-alerts` and `doit quiet-day`: does it leave all others alone?"
    )


def _where(piece: Piece) -> str:
    path = piece.path
    return f"{path.relative_to(REPO) if path.is_relative_to(REPO) else path}:{piece.line}"
