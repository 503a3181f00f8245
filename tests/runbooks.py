"""The commands of the runbooks as a reader pastes them into `doit shell`, and what each said."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from stack.paths import CONFIG_ROOT
from stack.run.instance import Instance
from stack.run.shell import environment

PAGES = sorted(page.stem for page in (CONFIG_ROOT / "runbooks").glob("*.md"))

_STEP = re.compile(r"^\d+\. (.*?)(?=^\d+\. |^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^( *)```bash\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"`([^`]+)`")
_NOTHING_IS_TOLD = re.compile(
    r"\b(?:nothing|empty|none|nobody|no (?:answer|result|lines?|rows?|sessions|requests))\b",
    re.IGNORECASE,
)
_ERROR = re.compile(r".*(?:command not found|: error:|^ERROR|^psql: |unbound|syntax error).*", re.M)
_NOTHING = re.compile(
    r"\s*(?:\[\]|\{\}|0|.*\(0 rows\)|(?:\S[^\n]* => NaN @\[[\d.]+\]\s*)+)?\s*", re.S
)
_END = "\x1e"


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of a runbook."""

    page: str
    told: str
    """What its step says around it."""
    line: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command answered."""

    command: Command
    code: int
    output: str
    errors: str

    @property
    def empty(self) -> bool:
        """Whether its reader saw nothing: no line, no row, no number."""
        return bool(_NOTHING.fullmatch(self.output))

    @property
    def failed(self) -> list[str]:
        """What did not work; a `grep` may find nothing."""
        wrong = _ERROR.findall(self.errors)
        if self.code and not (self.code == 1 and re.search(r"\bgrep\b", self.command.line)):
            wrong.append(f"exit code {self.code}: {self.command.line}\n{self.errors}")
        return wrong

    @property
    def surprises(self) -> list[str]:
        """What its step does not prepare its reader for: a failure of which it quotes no word, an
        empty answer where it does not say what nothing means."""
        step = self.command.told
        shown = f"{self.output}\n{self.errors}"
        if self.failed:
            quoted = any(one in shown for one in map(_known, _QUOTED.findall(step)) if " " in one)
            return [] if quoted else self.failed
        if self.empty and not _NOTHING_IS_TOLD.search(step):
            return [f"nothing is seen: {self.command.line}\n{shown}".rstrip()]
        return []


def _known(quoted: str) -> str:
    """What is quoted, up to a name that the reader has to put in its place."""
    return re.sub(r"\b[A-Z]{3,}\b.*", "", quoted)


def commands(page: str) -> list[Command]:
    """All that a page has, in its order."""
    content = (CONFIG_ROOT / "runbooks" / f"{page}.md").read_text()
    return [
        Command(page=page, told=_BLOCK.sub("", step[1]), line=line)
        for step in _STEP.finditer(content)
        for block in _BLOCK.finditer(step[1])
        for line in _lines(block[2].replace(f"\n{block[1]}", "\n").removeprefix(block[1]))
    ]


def _lines(block: str) -> Iterator[str]:
    """The commands of a block; one may go over several lines."""
    written = ""
    for line in block.splitlines():
        written += f"{line}\n"
        if not line.endswith("\\") and _whole(written):
            yield written.rstrip()
            written = ""
    assert not written, f"bash cannot read: {written}"


def _whole(written: str) -> bool:
    return not subprocess.run(
        ["bash", "-n"], input=written.encode(), capture_output=True
    ).returncode


def played(instance: Instance, page: str) -> list[Said]:
    """What the commands of a page say, all pasted into one shell."""
    every = commands(page)
    mark = f"printf '{_END}%d{_END}' $?; printf '{_END}' >&2"
    done = in_shell(instance, "".join(f"{one.line}\n{mark}\n" for one in every))
    parts, errors = done.stdout.split(_END), done.stderr.split(_END)
    assert len(errors) == len(every) + 1, done.stderr
    return [
        Said(command=one, code=int(code), output=output, errors=error)
        for one, output, code, error in zip(every, parts[::2], parts[1::2], errors, strict=False)
        if not re.fullmatch(r"\w+=[^;|&]*", one.line)
    ]


def in_shell(instance: Instance, line: str) -> subprocess.CompletedProcess[str]:
    """As somebody in `doit shell` runs it, without a terminal."""
    return subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, **environment(instance.layout)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
