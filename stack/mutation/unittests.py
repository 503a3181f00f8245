"""The unit tests of rules, for many mutants with one start of promtool.

Each mutant has a folder of its own with the tests of its alert, its rule and what is recorded; the
whole of its file is only tested again for those that survive this.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from stack.check import programs
from stack.check.configuration import Configuration
from stack.check.programs import Programs
from stack.check.yamlfile import ConfigFile
from stack.mutation.mutant import Mutant, written
from stack.store import disk

_TESTS, _RULES = "tests.yml", "rules.yml"
_FILE = re.compile(r"^Unit Testing:\s+(\S+)$", re.MULTILINE)
_NAME = re.compile(r"^\s*name: (.+),$", re.MULTILINE)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnitTests:
    """Those of a configuration."""

    def __init__(self, configuration: Configuration, tools: Programs) -> None:
        self._configuration = configuration
        self._tools = tools

    def noticed(self, mutants: Sequence[Mutant]) -> dict[str, str]:
        """By the mutant's name, the test that fails; those that no test notices are left out.

        Raises HostCannot if promtool cannot be run or does not come to an end.
        """
        with disk.scratch() as folder:
            files: dict[str, Mutant] = {}
            for at, one in enumerate(mutants):
                home = folder / str(at)
                home.mkdir()
                for path in self._laid_out(one, home):
                    files[str(path)] = one
            if not files:
                return {}
            said = self._asked(list(files), folder)
            return {files[path].name: name for path, name in _failed(said) if path in files}

    def _asked(self, files: list[str], folder: Path) -> str:
        good, said = programs.output(
            [self._tools.promtool, "test", "rules", *files], folder, mixed=True
        )
        return "" if good else said

    def _laid_out(self, mutant: Mutant, home: Path) -> Iterator[Path]:
        """The files of tests that concern it, written beside its rules."""
        (name,) = mutant.alerts
        tests = [file for file in self._files if _loads(file, mutant.path)]
        rules = _cut(yaml.load(mutant.content, _LOADER), name)
        (home / _RULES).write_text(written(rules), encoding="utf-8")
        for at, file in enumerate(tests):
            groups = self._tests[file.path].get(name)
            if groups:
                path = home / f"{at}-{_TESTS}"
                head = {key: value for key, value in file.plain.items() if key != "tests"}
                document = {**head, "rule_files": [_RULES], "tests": groups}
                path.write_text(written(document), encoding="utf-8")
                yield path

    @cached_property
    def _files(self) -> list[ConfigFile]:
        return self._configuration.unit_tests

    @cached_property
    def _tests(self) -> Mapping[Path, Mapping[str, list[Any]]]:
        """File → alert → its tests, each with the cases about that alert alone."""
        found: dict[Path, dict[str, list[Any]]] = {}
        for file in self._files:
            by_alert = found.setdefault(file.path, {})
            for test in file.plain.get("tests") or []:
                cases = test.get("alert_rule_test") or []
                for name in dict.fromkeys(case["alertname"] for case in cases):
                    own = [case for case in cases if case["alertname"] == name]
                    rest = {key: value for key, value in test.items() if key != "promql_expr_test"}
                    by_alert.setdefault(name, []).append({**rest, "alert_rule_test": own})
        return found


def _loads(file: ConfigFile, rules: Path) -> bool:
    """Whether a file of tests loads a file of rules."""
    return any(Path(str(one)).name in (rules.name, "*.yml")
               for one in file.plain.get("rule_files") or [])  # fmt: skip


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
