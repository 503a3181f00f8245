"""The unit tests of rules, for many mutants with one start of promtool.

Each mutant has a folder of its own with the tests of its alert, its rule and what is recorded; the
whole of its file is only tested again for those that survive this.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from stack.check import programs
from stack.check.configuration import Configuration
from stack.check.programs import Programs
from stack.check.yamlfile import ConfigFile
from stack.durations import seconds
from stack.mutation.mutant import LOADER, Mutant, written
from stack.store import disk

_TESTS, _RULES = "tests.yml", "rules.yml"
_FILE = re.compile(r"^Unit Testing:\s+(\S+)$", re.MULTILINE)
_NAME = re.compile(r"^\s*name: (.+),$", re.MULTILINE)


_ROUNDS = (0.15, 0.45, 1.0)
"""The quickest tests come first: the share of an alert's work that is done after each round."""


@dataclass(frozen=True, kw_only=True)
class _Test:
    """A test of an alert, with the cases about that alert alone."""

    head: Mapping[str, Any]
    """What its file says besides."""
    body: Mapping[str, Any]
    loads: tuple[str, ...]
    """Names of the files of rules that it is about."""

    @property
    def fires(self) -> bool:
        return any(case.get("exp_alerts") for case in self.body["alert_rule_test"])

    @property
    def steps(self) -> float:
        """How often its rules are evaluated, about: what it costs."""
        last = max(seconds(str(case["eval_time"])) for case in self.body["alert_rule_test"])
        every = seconds(str(self.head.get("evaluation_interval") or "1m"))
        return 20 + last / max(every, 0.1) * (1 + len(self.body.get("input_series") or []) / 4)


class UnitTests:
    """Those of a configuration."""

    def __init__(self, configuration: Configuration, tools: Programs) -> None:
        self._configuration = configuration
        self._tools = tools
        self._known: dict[tuple[Path, str], list[list[_Test]]] = {}

    def noticed(self, mutants: Sequence[Mutant]) -> dict[str, str]:
        """By the mutant's name, the test that fails; those that no test notices are left out.

        Raises HostCannot if promtool cannot be run or does not come to an end.
        """
        found: dict[str, str] = {}
        for turn in range(len(_ROUNDS)):
            found |= self._round([one for one in mutants if one.name not in found], turn)
        return found

    def _round(self, mutants: Sequence[Mutant], turn: int) -> dict[str, str]:
        with disk.scratch() as folder:
            files: dict[str, Mutant] = {}
            for at, one in enumerate(mutants):
                home = folder / str(at)
                home.mkdir()
                for path in self._laid_out(one, home, turn):
                    files[str(path)] = one
            if not files:
                return {}
            good, said = programs.output(
                [self._tools.promtool, "test", "rules", *files], folder, mixed=True
            )
            failed = () if good else _failed(said)
            return {files[path].name: name for path, name in failed if path in files}

    def _laid_out(self, mutant: Mutant, home: Path, turn: int) -> Iterator[Path]:
        """The files of tests of that round, written beside the mutant's rules."""
        (name,) = mutant.alerts
        tests = self._tests(mutant.path, name)[turn]
        if not tests:
            return
        rules = _cut(yaml.load(mutant.content, LOADER), name)
        (home / _RULES).write_text(written(rules), encoding="utf-8")
        for at, (head, group) in enumerate(groupby(tests, key=lambda one: one.head)):
            path = home / f"{at}-{_TESTS}"
            document = {**head, "rule_files": [_RULES], "tests": [one.body for one in group]}
            path.write_text(written(document), encoding="utf-8")
            yield path

    def of(self, rules: Path, alert: str) -> list[Mapping[str, Any]]:
        """The tests of an alert, as they are written, the quickest first."""
        return [one.body for turn in self._tests(rules, alert) for one in turn]

    def _tests(self, rules: Path, alert: str) -> list[list[_Test]]:
        """In rounds."""
        if (rules, alert) not in self._known:
            own = [one for file in self._configuration.unit_tests
                   for one in _of(file, alert) if {rules.name, "*.yml"} & {*one.loads}]  # fmt: skip
            self._known[rules, alert] = _rounds(own)
        return self._known[rules, alert]


def _of(file: ConfigFile, alert: str) -> Iterator[_Test]:
    head = {key: value for key, value in file.plain.items() if key != "tests"}
    loads = tuple(Path(str(one)).name for one in head.pop("rule_files", None) or [])
    for test in file.plain.get("tests") or []:
        own = [case for case in test.get("alert_rule_test") or [] if case["alertname"] == alert]
        if own:
            rest = {key: value for key, value in test.items() if key != "promql_expr_test"}
            yield _Test(head=head, body={**rest, "alert_rule_test": own}, loads=loads)


def _rounds(tests: Sequence[_Test]) -> list[list[_Test]]:
    order = sorted(tests, key=lambda one: one.steps)
    # One in which it fires tells most.
    first = next((one for one in order if one.fires), None)
    order.sort(key=lambda one: one is not first)
    whole, done = sum(one.steps for one in order), 0.0
    found: list[list[_Test]] = [[] for _ in _ROUNDS]
    for one in order:
        turn = next(at for at, share in enumerate(_ROUNDS) if done <= share * whole)
        found[turn].append(one)
        done += one.steps
    return [sorted(each, key=lambda one: str(one.head)) for each in found]


def _cut(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    groups = []
    for group in document["groups"]:
        rules = [rule for rule in group.get("rules") or []
                 if "record" in rule or rule.get("alert") == name]  # fmt: skip
        groups.append({**group, "rules": rules})
    return {**document, "groups": groups}


def _failed(said: str) -> Iterator[tuple[str, str]]:
    """File → the first test in it that fails."""
    _, *parts = _FILE.split(said)
    for path, words in zip(parts[::2], parts[1::2], strict=True):
        if "FAILED:" in words:
            name = _NAME.search(words)
            yield path, name[1] if name else " ".join(words.split())[:200]
