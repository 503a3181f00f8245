"""The files that people edit, parsed once for all checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from stack.check.problem import Problem
from stack.check.yamlfile import ConfigFile, entries, get, line, parse, text


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """One alerting rule."""

    name: str
    path: Path
    node: yaml.Node

    @property
    def line(self) -> int:
        return line(self.node)

    def label(self, name: str) -> yaml.Node | None:
        return get(self.node, "labels", name)

    def annotation(self, name: str) -> yaml.Node | None:
        return get(self.node, "annotations", name)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What parsed; a file with a YAML error is in `problems` instead."""

    root: Path
    """Folder with `prometheus/`, `loki/`, `alertmanager/` and `runbooks/`."""
    files: Mapping[Path, ConfigFile]
    problems: list[Problem] = field(default_factory=list)

    @property
    def prometheus(self) -> ConfigFile | None:
        return self.files.get(self.root / "prometheus" / "prometheus.yml")

    @property
    def alertmanager(self) -> ConfigFile | None:
        return self.files.get(self.root / "alertmanager" / "alertmanager.yml")

    @property
    def rules(self) -> list[ConfigFile]:
        return self._in(self.root / "prometheus" / "rules")

    @property
    def unit_tests(self) -> list[ConfigFile]:
        return self._in(self.root / "prometheus" / "tests")

    @property
    def loki(self) -> ConfigFile | None:
        return self.files.get(self.root / "loki" / "loki-config.yml")

    @property
    def log_rules(self) -> list[ConfigFile]:
        return self._in(self.root / "loki" / "rules")

    @property
    def log_tests(self) -> list[ConfigFile]:
        return self._in(self.root / "loki" / "tests")

    @property
    def templates(self) -> list[Path]:
        return sorted((self.root / "alertmanager" / "templates").glob("*.tmpl"))

    @property
    def alerts(self) -> list[AlertRule]:
        """Every alerting rule, in the order of files and lines."""
        return [
            AlertRule(name=text(get(rule, "alert")), path=file.path, node=rule)
            for file in (*self.rules, *self.log_rules)
            for group in entries(file.root, "groups")
            for rule in entries(group, "rules")
            if text(get(rule, "alert"))
        ]

    def _in(self, folder: Path) -> list[ConfigFile]:
        return [file for path, file in self.files.items() if path.parent == folder]


def load(root: Path) -> Configuration:
    """Parse every file below `root` that a check looks at."""
    prometheus, loki = root / "prometheus", root / "loki"
    paths = [
        prometheus / "prometheus.yml",
        *sorted(prometheus.glob("rules/*.yml")),
        *sorted(prometheus.glob("tests/*.yml")),
        root / "alertmanager" / "alertmanager.yml",
        loki / "loki-config.yml",
        *sorted(loki.glob("rules/*.yml")),
        *sorted(loki.glob("tests/*.yml")),
    ]
    parsed = [parse(path) for path in paths]
    return Configuration(
        root=root,
        files={found.path: found for found in parsed if isinstance(found, ConfigFile)},
        problems=[found for found in parsed if isinstance(found, Problem)],
    )
