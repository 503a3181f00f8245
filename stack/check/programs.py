"""promtool and amtool: what they report, mapped to file, line and rule.

Messages read are those of promtool 2.53 and amtool 0.28; a message of another shape is passed on
whole, without a line.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.check import remembered
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.yamlfile import ConfigFile, entries, get, line, text
from stack.errors import HostCannot

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
    """Where promtool and amtool are."""

    promtool: Path
    amtool: Path


def complaint(arguments: list[str | Path]) -> str:
    """What the program says, "" if it succeeds. Raises HostCannot if it cannot be run."""
    good, words = output(arguments)
    return "" if good else words


def output(arguments: list[str | Path]) -> tuple[bool, str]:
    """Whether the program succeeds, and its output; with its errors if it does not.

    Raises HostCannot if it cannot be run.
    """
    try:
        done = subprocess.run(
            arguments,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostCannot(
            f"`{arguments[0]}` cannot be run: {error}.", cure="Build it again with `doit build`."
        ) from None
    good = done.returncode == 0
    return good, done.stdout if good else f"{done.stdout}\n{done.stderr}"


def check_prometheus(file: ConfigFile, programs: Programs) -> list[Problem]:
    """prometheus.yml itself; the rule files have checks of their own."""
    output = complaint([programs.promtool, "check", "config", "--syntax-only", file.path])
    return list(_unread(output, file, "prometheus/config"))


def check_rules(file: ConfigFile, programs: Programs) -> list[Problem]:
    """One rule file: its fields, expressions and templates."""
    output = complaint([programs.promtool, "check", "rules", "--lint=none", file.path])
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


def check_unit_tests(file: ConfigFile, programs: Programs) -> list[Problem]:
    """One file of `promtool test rules`, unless it passed before with the same inputs."""
    key = remembered.key(file, programs.promtool)
    if remembered.passed(key):
        return []
    output = complaint([programs.promtool, "test", "rules", file.path])
    if not output:
        remembered.remember(key)
    cases = {text(get(group, "name")): group for group in entries(file.root, "tests")}
    found = []
    for match in _CASE.finditer(output):
        group = cases.get(match[1])
        outcome = _outcome(output[match.end() :].split("\n    name: ")[0])
        found.append(
            Problem(
                check="prometheus/unit-test",
                path=file.path,
                line=line(group) if group else None,
                what=f"`{match[3]}` at {match[4]} in test `{match[1]}`: {outcome}",
                cure="Fix the rule, or the test if the rule is right.",
            )
        )
    return found or list(_unread(output, file, "prometheus/unit-test"))


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
    output = complaint([programs.amtool, "check-config", file.path])
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
