"""The files that people edit, read once from a root; rules and routes are read nowhere else.

The root is the checked-in folder, somebody else's, or the one that an instance was rendered to:
its durations are real seconds there, and Loki's rules lie in a folder of their tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

from stack.check import routes
from stack.check.problem import Problem
from stack.check.routes import Route
from stack.check.yamlfile import ConfigFile, entries, get, line, parse, text
from stack.errors import BadInput

PROMQL, LOGQL = "PromQL", "LogQL"
"""What a rule is written in: Prometheus evaluates the one, the log store's ruler the other."""

TENANT = "fake"
"""What Loki calls its only tenant, whose rules it looks for in a folder of that name."""


KNOWN = {
    "prometheus": ("prometheus.yml",),
    "alertmanager": ("alertmanager.yml",),
    "loki": ("loki-config.yml",),
    "promtail": ("promtail-config.yml",),
    "blackbox": ("blackbox.yml",),
    "runbooks": (),
    "grafana": (),
}
"""Folder → the files that lie in it directly and that a program is started with."""


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """One alerting rule."""

    name: str
    path: Path
    node: yaml.Node
    group: yaml.Node
    language: str

    @property
    def line(self) -> int:
        return line(self.node)

    @property
    def expression(self) -> str:
        return text(get(self.node, "expr"))

    @property
    def on_logs(self) -> bool:
        return self.language == LOGQL

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
    gaps: frozenset[str] = frozenset()
    """Kinds of files (`kind_of`) of which one cannot be read: what it says is not known, and
    nothing may be concluded from its silence."""

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
    def promtail(self) -> ConfigFile | None:
        return self.files.get(self.root / "promtail" / "promtail-config.yml")

    @property
    def blackbox(self) -> ConfigFile | None:
        return self.files.get(self.root / "blackbox" / "blackbox.yml")

    @property
    def datasources(self) -> ConfigFile | None:
        """Where dashboards ask."""
        return self.files.get(_datasources(self.root))

    @property
    def log_rules(self) -> list[ConfigFile]:
        folder = self.root / "loki" / "rules"
        return self._in(folder) + self._in(folder / TENANT)

    @property
    def log_tests(self) -> list[ConfigFile]:
        return self._in(self.root / "loki" / "tests")

    @property
    def templates(self) -> list[Path]:
        return sorted((self.root / "alertmanager" / "templates").glob("*.tmpl"))

    @cached_property
    def alerts(self) -> list[AlertRule]:
        """Every alerting rule, in the order of files and lines; those on logs come last."""
        return [
            AlertRule(name=name, path=file.path, node=rule, group=group, language=language)
            for language, files in ((PROMQL, self.rules), (LOGQL, self.log_rules))
            for file in files
            for group in entries(file.root, "groups")
            for rule in entries(group, "rules")
            if (name := text(get(rule, "alert")))
        ]

    @property
    def on_logs(self) -> frozenset[str]:
        """Names of the alerts on logs."""
        return frozenset(rule.name for rule in self.alerts if rule.on_logs)

    @cached_property
    def route(self) -> Route | None:
        """The top of the routing tree."""
        top = get(self.alertmanager.root, "route") if self.alertmanager else None
        return routes.read(top) if top else None

    @property
    def receivers(self) -> list[str]:
        """Names of the receivers, in order."""
        root = self.alertmanager.root if self.alertmanager else None
        return [text(get(one, "name")) for one in entries(root, "receivers")]

    def _in(self, folder: Path) -> list[ConfigFile]:
        return [file for path, file in self.files.items() if path.parent == folder]


def _datasources(root: Path) -> Path:
    return root / "grafana" / "provisioning" / "datasources" / "datasources.yml"


def kind_of(path: Path) -> str:
    """What a file below a root is: `rules` and `tests` of either language, else its folder."""
    folders = [one for one in path.parts[:-1] if one in ("rules", "tests")]
    return folders[-1] if folders else path.parent.name


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
        *sorted(loki.glob(f"rules/{TENANT}/*.yml")),
        *sorted(loki.glob("tests/*.yml")),
        *(
            path
            for path in (
                root / "promtail" / "promtail-config.yml",
                root / "blackbox" / "blackbox.yml",
                _datasources(root),
                root / "grafana" / "provisioning" / "dashboards" / "dashboards.yml",
            )
            if path.parent.is_dir()
        ),
    ]
    parsed = [parse(path) for path in paths]
    return Configuration(
        root=root,
        files={found.path: found for found in parsed if isinstance(found, ConfigFile)},
        problems=[found for found in parsed if isinstance(found, Problem)],
    )


def read(root: Path) -> Configuration:
    """The same, for who works with rules and routes instead of checking them.

    Raises BadInput naming every file but a unit test that is not YAML. What is missing has no
    rules and no routes.
    """
    configuration = load(root)
    unreadable = [
        f"{one.path}{f':{one.line}' if one.line else ''}: {one.what}"
        for one in configuration.problems
        if one.check == "yaml/syntax" and one.path.parent.name != "tests"
    ]
    if unreadable:
        raise BadInput("\n  ".join(unreadable))
    return configuration
