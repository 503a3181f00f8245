"""Opens a report to be judged again: whatever is none, is cut short or is of another version is
refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.proof import kept as keeping
from scenarios.proof.kept import EVIDENCE, FORMAT, MARK_DIGITS, NAME, VERSION, Kept
from stack import jsontext
from stack.errors import BadInput

WRITE_ANEW = "Write another one with `doit verify-alerts`."


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report as it lies there."""

    folder: Path
    kept: Kept
    document: Mapping[str, Any]
    """`proof.json` as it was read: digests are over that."""
    files: Mapping[str, bytes]

    @property
    def lines(self) -> list[str]:
        """Those of the evidence."""
        return keeping.lines_of(self.files.get(EVIDENCE, b""))


def find(file: Path) -> Path:
    """The folder of a report, named by itself or by any of its files. Raises BadInput."""
    folder = file if file.is_dir() else file.parent
    if not file.exists():
        raise BadInput(
            f"`{file}`: there is no such report.",
            cure=f"Name the folder of one, or a file in it. {WRITE_ANEW}",
        )
    if not (folder / NAME).is_file():
        raise BadInput(
            f"`{file}` is not a report that can be judged again: `{NAME}` is not beside it.",
            cure=f"Name the folder of one, or a file in it. {WRITE_ANEW}",
        )
    return folder.resolve()


def read(folder: Path) -> Report:
    """A report. Raises BadInput for what is none, is cut short, or is of another version."""
    where = folder / NAME
    try:
        document = jsontext.read(where.read_bytes())
        files = {
            name: (folder / name).read_bytes()
            for name in keeping.FILES
            if (folder / name).is_file()
        }
    except OSError as error:
        raise BadInput(f"`{error.filename}` cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise BadInput(
            f"`{where}` is cut short, or not JSON: {error}.",
            cure=f"Copy the report again, whole. {WRITE_ANEW}",
        ) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadInput(
            f"`{where}` is not the `{NAME}` of a report: its `format` is not `{FORMAT}`.",
            cure="Name the folder of a report of `doit verify-alerts`.",
        )
    if document.get("version") != VERSION:
        raise BadInput(
            f"`{where}` is of version {document.get('version')!r}, and this checkout judges"
            f" version {VERSION}.",
            cure="Judge it with the checkout that wrote it.",
        )
    try:
        made = jsontext.made(Kept, document)
    except ValueError as error:
        raise BadInput(
            f"`{where}` lacks something, or has what no report has: {error}.",
            cure=f"Copy the report again, whole. {WRITE_ANEW}",
        ) from None
    report = Report(folder=folder, kept=made, document=document, files=files)
    _check_whole(report)
    return report


def _check_whole(report: Report) -> None:
    """Raises BadInput where evidence is missing, or ends in the middle of a line."""
    where, content = report.folder / EVIDENCE, report.files.get(EVIDENCE)
    recorded = report.kept.files.get(EVIDENCE)
    if content is None and recorded is not None:
        raise BadInput(f"`{where}` is missing.", cure="Copy the report again, with all its files.")
    if content is None or keeping.of_bytes(content) == recorded:
        return
    lines, were = len(report.lines), len(report.kept.marks) // MARK_DIGITS
    if not content.endswith(b"\n") and lines < were:
        raise BadInput(
            f"`{where}` is cut short: it ends within line {lines + 1} of {were}.",
            cure="Copy the report again, whole.",
        )
