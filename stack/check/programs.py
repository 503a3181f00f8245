"""promtool and amtool: what they report, mapped to file, line and rule.

Messages read are those of promtool 2.53 and amtool 0.28; a message of another shape is passed on
whole, without a line.
"""

import glob
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from stack.check import passed_tests
from stack.check.configuration import AlertRule, Configuration
from stack.check.problem import Problem
from stack.check.slices import Slice, slices
from stack.check.suggest import of_test
from stack.check.yamlfile import ConfigFile, entries, get, line, text
from stack.errors import HostCannot
from stack.progress import Progress, Quiet
from stack.store import disk

_TIMEOUT_S = 300.0
"""Seconds; a busy machine needs its time, and a program that hangs must still end."""

_FIELD = re.compile(r"^\s*line (\d+): (.+)$", re.MULTILINE)
_RULE = re.compile(
    r'^(?P<file>.+?): (?:(?P<line>\d+):\d+: )?group "(?P<group>[^"]*)", rule (?P<nth>\d+), '
    r'(?:"(?P<name>[^"]*)": )?(?P<said>.+)$',
    re.MULTILINE,
)
_PARSE = re.compile(r"could not parse expression: (\d+):(\d+): (?:parse error: )?(.+)")
_ANNOTATION = re.compile(r'^(annotation|label) "([^"]+)"')
_TEMPLATE = re.compile(r"FAILED: template: ([^:]+\.tmpl):(\d+)(?::\d+)?: (.+)")
_CASE = re.compile(r"^ {4}name: (.+),\n {4}(alertname|expr): (.+), time: ([^,]+),", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Where promtool, amtool and blackbox_exporter are."""

    promtool: Path
    amtool: Path
    blackbox_exporter: Path | None = None
    """None where nobody built it: blackbox.yml is then only read by our own eyes."""


_NO_GARBAGE = {"GOGC": "off", "GOMEMLIMIT": "1GiB", "GOMAXPROCS": "1"}
"""What lives for a second does not tidy up after itself, which is a third of its time, and leaves
the other cores to those that run beside it. Go collects all the same where memory gets short."""


def complaint(arguments: list[str | Path], folder: Path | None = None) -> str:
    """What the program says, "" if it succeeds. Raises as `output`."""
    good, words = output(arguments, folder)
    return "" if good else words


def _asked(program: Path, arguments: Sequence[str | Path], *inputs: object) -> str:
    """As `complaint`, without asking again when it said nothing of the same `inputs` before: they
    are all that it reads."""
    key = passed_tests.key(program, *arguments, *inputs)
    if passed_tests.passed(key):
        return ""
    said = complaint([program, *arguments])
    if not said:
        passed_tests.remember(key)
    return said


def output(
    arguments: list[str | Path], folder: Path | None = None, *, mixed: bool = False
) -> tuple[bool, str]:
    """Whether the program succeeds, and its output; with its errors if it does not: after it, or
    `mixed`, where each was written.

    It may write to `folder`. Raises HostCannot if it cannot be run, is killed, or finds no room.
    """
    name = Path(arguments[0]).name
    try:
        done = subprocess.run(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if mixed else subprocess.PIPE,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
            env=os.environ | _NO_GARBAGE | ({"TMPDIR": str(folder)} if folder else {}),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostCannot(
            f"`{arguments[0]}` cannot be run: {error}.", cure="Build it again with `doit build`."
        ) from None
    if done.returncode < 0:
        raise HostCannot(
            f"`{name}` was ended by {signal.Signals(-done.returncode).name}.",
            cure="If nobody did that, the kernel's log (`dmesg`) says why; memory may be short.",
        )
    good = done.returncode == 0
    said = done.stdout if good or mixed else f"{done.stdout}\n{done.stderr}"
    if not good and folder and (full := disk.said(_of_the_machine(said, folder), disk.temporary())):
        raise full
    return good, said


def _of_the_machine(said: str, folder: Path) -> str:
    """The rows about a file in the folder, or of a panic; others may quote what a test expects."""
    rows = said.splitlines()
    return "\n".join(row for row in rows if f"{folder}/" in row or row.startswith("panic: "))


def check_prometheus(file: ConfigFile, programs: Programs) -> list[Problem]:
    """prometheus.yml itself; the rule files have checks of their own."""
    output = _asked(
        programs.promtool, ["check", "config", "--syntax-only", file.path], file.path.read_bytes()
    )
    return list(_unread(output, file, "prometheus/config"))


def check_blackbox(file: ConfigFile, programs: Programs) -> list[Problem]:
    """blackbox.yml, by the exporter itself, which does not look at the names of probers."""
    if programs.blackbox_exporter is None:
        return []
    output = _asked(
        programs.blackbox_exporter,
        ["--config.check", f"--config.file={file.path}"],
        file.path.read_bytes(),
    )
    # Its words are one string of a log line.
    words = re.findall(r'err="((?:[^"\\]|\\.)*)"', output)
    said = "\n".join(one.replace("\\n", "\n").replace('\\"', '"') for one in words) or output
    return list(_unread(said, file, "blackbox/config"))


def check_rules(file: ConfigFile, programs: Programs) -> list[Problem]:
    """One rule file: its fields, expressions and templates."""
    output = _asked(
        programs.promtool, ["check", "rules", "--lint=none", file.path], file.path.read_bytes()
    )
    found = [_rule(match, file) for match in _RULE.finditer(output)]
    return found or list(_unread(output, file, "prometheus/rules"))


def _rule(match: re.Match[str], file: ConfigFile) -> Problem:
    group = next(
        (one for one in entries(file.root, "groups") if text(get(one, "name")) == match["group"]),
        None,
    )
    rules = entries(group, "rules")
    rule = rules[int(match["nth"]) - 1] if len(rules) >= int(match["nth"]) else None
    number = int(match["line"]) if match["line"] else line(rule) if rule else None
    said = match["said"]
    name = match["name"] or f"rule {match['nth']} of group {match['group']}"
    if parse := _PARSE.search(said):
        expr = get(rule, "expr")
        if expr:
            # The text of a block (`|`, `>`) begins on the line below its mark.
            block = getattr(expr, "style", None) in ("|", ">")
            number = line(expr) + int(parse[1]) - (0 if block else 1)
        said = f"not valid PromQL (column {parse[2]}): {parse[3]}"
    elif field := _ANNOTATION.match(said):
        node = get(rule, f"{field[1]}s", field[2])
        number = line(node) if node else number
    return Problem(
        check="prometheus/rules",
        path=file.path,
        line=number,
        what=f"`{name}`: {said}.",
        cure="Fix it; promtool reads it as Prometheus would.",
    )


def check_expressions(expressions: Sequence[str], programs: Programs) -> dict[int, str]:
    """What promtool says of queries, by their place in the list; those that it takes are left out.

    They go to it together, as a file of rules.
    """
    known = passed_tests.key(programs.promtool, *expressions)
    if passed_tests.passed(known):
        return {}
    rules = [{"record": f"q:{at}", "expr": one} for at, one in enumerate(expressions)]
    with disk.scratch() as folder:
        file = Path(folder) / "queries.yml"
        file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
        said = complaint([programs.promtool, "check", "rules", "--lint=none", file])
    if not said:
        passed_tests.remember(known)
    found = {}
    for match in _RULE.finditer(said):
        parse = _PARSE.search(match["said"])
        found[int(match["nth"]) - 1] = f"(column {parse[2]}) {parse[3]}" if parse else match["said"]
    return found


_SILENT = Quiet()


def check_unit_tests(
    file: ConfigFile,
    programs: Programs,
    rules: Sequence[AlertRule] = (),
    report: Progress = _SILENT,
) -> list[Problem]:
    """One file of `promtool test rules`: one problem for each alert whose tests fail.

    Its parts run side by side, those that passed before with the same inputs not at all. `rules`
    say where each alert is.
    """
    parts = [(one, passed_tests.key(programs.promtool, one.digest)) for one in slices(file)]
    parts = [part for part in parts if not passed_tests.passed(part[1])]
    running = report.doing(f"unit tests of {file.path.stem}") if parts else nullcontext()
    with running, ThreadPoolExecutor() as pool:
        ran = pool.map(lambda part: _tested(part[0], part[1], programs), parts)
        output = "\n".join(words for words in ran if words)
    cases = {text(get(group, "name")): group for group in entries(file.root, "tests")}
    at = {rule.name: f" The rule is {rule.path.name}:{rule.line}." for rule in rules}
    found: dict[str, list[re.Match[str]]] = {}
    for match in _CASE.finditer(output):
        found.setdefault(match[3], []).append(match)
    problems = []
    for alert, matches in found.items():
        match, more = matches[0], len(matches) - 1
        group = cases.get(match[1])
        outcome = _outcome(output[match.end() :].split("\n    name: ")[0])
        others = f" {more} more case{'s' if more > 1 else ''} of it fail." if more else ""
        problems.append(
            Problem(
                check="prometheus/unit-test",
                path=file.path,
                line=line(group) if group else None,
                what=f"`{alert}` at {match[4]} in test `{match[1]}`: {outcome}{others}"
                f"{at.get(alert, '')}",
                cure=of_test(outcome),
            )
        )
    return problems or list(_unread(output, file, "prometheus/unit-test"))


_NO_TEST = "a^"
"""A pattern that no name of a test matches."""


def check_fields(file: ConfigFile, programs: Programs) -> list[Problem]:
    """The fields of a file of unit tests, of which none is run."""
    output = _asked(
        programs.promtool, ["test", "rules", f"--run={_NO_TEST}", file.path], file.path.read_bytes()
    )
    if found := list(_unread(output, file, "prometheus/unit-test")):
        return found
    empty = Problem(
        check="prometheus/unit-test",
        path=file.path,
        what="it has no `tests`.",
        cure="Write some, or delete the file.",
    )
    return [] if entries(file.root, "tests") else [empty]


_CORES = threading.BoundedSemaphore(os.cpu_count() or 1)
"""As many at once as there are cores: each promtool keeps one busy."""


def _tested(part: Slice, digest: str, programs: Programs) -> str:
    """What promtool says of a part, "" if it passes."""
    with _CORES, disk.scratch() as folder:
        output = complaint([programs.promtool, "test", "rules", part.write(folder)], folder)
        if not output:
            passed_tests.remember(digest)
        return output.replace(f"{folder}/", "")


def _outcome(words: str) -> str:
    """What was expected and what came; annotations only where the labels are as expected."""
    wanted, _, got = words.partition("got:")
    for kind in ("Labels", "Annotations"):
        sides = [
            re.findall(rf"^\s*{kind}:(\{{.*\}})$", side, re.MULTILINE) for side in (wanted, got)
        ]
        if sides[0] != sides[1]:
            told = [", ".join(side) or "no alert" for side in sides]
            return f"expected {told[0]}, got {told[1]}."
    return " ".join(words.split())


def check_alertmanager(configuration: Configuration, programs: Programs) -> list[Problem]:
    """alertmanager.yml and the syntax of its templates."""
    file = configuration.alertmanager
    if not file:
        return []
    output = _asked(
        programs.amtool, ["check-config", file.path], file.path.read_bytes(), *_templates(file)
    )
    templates = {path.name: path for path in configuration.templates}
    for match in _TEMPLATE.finditer(output):
        if match[1] in templates:
            return [
                Problem(
                    check="templates/syntax",
                    path=templates[match[1]],
                    line=int(match[2]),
                    what=f"not a valid template: {match[3]}.",
                    cure="Fix it; no notification can be sent with it.",
                )
            ]
    return list(_unread(output, file, "alertmanager/config"))


def _templates(file: ConfigFile) -> Iterator[object]:
    """The files that `templates` of alertmanager.yml names, and what is in them."""
    for pattern in entries(file.root, "templates"):
        # A `Path` takes neither every pattern nor one that is absolute.
        for found in sorted(glob.glob(str(file.path.parent / text(pattern)))):  # noqa: PTH207
            path = Path(found)
            yield from (path, path.read_bytes() if path.is_file() else None)


def _unread(output: str, file: ConfigFile, check: str) -> Iterator[Problem]:
    """Fields that do not belong there, with their lines; else the program's own last words."""
    cure = "Fix it; the program would not start with this file."
    fields = _FIELD.findall(output)
    for number, said in dict.fromkeys(fields):
        what = f"{re.sub(r' in type .*', ' here', said)}."
        yield Problem(check=check, path=file.path, line=int(number), what=what, cure=cure)
    if output and not fields:
        words = [words for row in output.splitlines() if (words := _words(row, file.path))]
        yield Problem(check=check, path=file.path, what=f"{'; '.join(words)}.", cure=cure)


def _words(row: str, path: Path) -> str:
    """What one line of output says, without what everybody knows."""
    for noise in ("FAILED:", f"Checking '{path}'", f"parsing YAML file {path}:", f"{path}:"):
        row = row.replace(noise, "")
    row = row.strip()
    idle = ("Checking ", "Unit Testing:", "amtool: error: failed to validate", "SUCCESS")
    return "" if row.startswith(idle) else row
