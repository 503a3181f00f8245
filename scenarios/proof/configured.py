"""What of the configuration an alert's proof depends on, each part by itself, as SHA-256.

Rules, routes and messages are cut into the parts that one alert can meet: its own, those of what
may fire beside it, and those of what may mute it. All other files count as they are, but for those
of `APART`. Comments and layout are no part of anything.

That a rule which is edited now fires in somebody else's scenario is not seen here, unless that one
lists it: a proof of all alerts and a quiet day see it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import yaml

from scenarios.proof.canonical import canonical, sha256, without
from scenarios.proof.scenario import Scenario, always
from scenarios.proof.timing import FLEETING_S
from stack import durations
from stack.check import pace
from stack.check.configuration import AlertRule, Configuration
from stack.check.routes import TIMING, InhibitRule, Route, inhibit_rules
from stack.check.yamlfile import entries, get, pairs, text
from stack.errors import BadInput
from stack.speed import tree

Parts = dict[str, str]
"""Name of a part, in plain words → SHA-256 of its content."""

APART = (
    "prometheus/rules/*.yml", "loki/rules/*.yml", "loki/rules/*/*.yml",  # rule by rule
    "alertmanager/alertmanager.yml", "alertmanager/templates/*.tmpl",  # part by part
    "prometheus/prometheus.yml",  # without its comments
    "runbooks/*", "grafana/dashboards/*",  # where messages lead to: those of the alert
    "prometheus/tests/*", "loki/tests/*",  # unit tests: no instance reads them
    "*.py",  # code, followed by its imports
    # of containers
    "scripts/*", "docker-compose*.yml", "images-*.yml", ".*", "secrets/*", "backups/*",
)  # fmt: skip
"""Files that are looked at otherwise, or that no instance reads."""

_OWN_KEYS = frozenset(
    {"receiver", "group_by", "continue", "routes", "match", "match_re", "matchers", *TIMING}
)
"""Of a route: what `Route` has read."""

_DEFINED = re.compile(r'\{\{-?\s*(?:define|block)\s+"([^"]+)"')
_USED = re.compile(r'(?:template|block)\s+\\?"([^"\\]+)\\?"')


class Configured:
    """The parts of one configuration."""

    def __init__(self, configuration: Configuration, scenarios: Iterable[Scenario]) -> None:
        """`scenarios` are all that there are: they say which labels alerts carry."""
        self._from = configuration
        self._scenarios = {one.alert: one for one in scenarios}

    def alert(self, scenario: Scenario, speed: float) -> Parts:
        """Those that the proof of an alert depends on, at that speed of the proof."""
        beside = sorted({*scenario.follows, *self._always} - {scenario.alert})
        names = [scenario.alert, *beside]
        found = {"rule": self._rule(scenario.alert)}
        for name in sorted({*beside, *self._muting(scenario)}):
            found[f"rule {name}"] = self._rule(name)
        found |= self._recorded([scenario.alert, *beside])
        found["route"] = sha256(self._ways([scenario.alert]))
        found["routes of what may fire beside it"] = sha256(self._ways(names))
        found |= self._receivers(self._reached(names))
        found["inhibit rules"] = sha256([
            canonical(one.node) for one in self._inhibits
            if any(_meets(one, self._labels(name)) for name in names)
        ])  # fmt: skip
        if scenario.speedup > 1:
            found["what fires for a moment"] = sha256(self._fleeting(scenario.speed(speed)))
        return found | self._linked(scenario.alert) | self.common

    def routing(self) -> Parts:
        """Those that every routing case depends on. It posts its alerts itself: of all rules, only
        those of what always fires count."""
        found = {f"rule {name}": self._rule(name) for name in self._always}
        root = self._alertmanager
        found |= {key: sha256(canonical(get(root, key)))
                  for key in ("route", "inhibit_rules", "receivers")}  # fmt: skip
        found |= {f"template {name}": sha256(said) for name, said in self._templates.items()}
        pages = sorted(page.name for page in (self._from.root / "runbooks").glob("*.md"))
        return found | {"which runbooks there are": sha256(pages)} | self.common

    @cached_property
    def common(self) -> Parts:
        """Those of every proof."""
        root = self._from.root
        rest = [[key, canonical(value)] for key, value in pairs(self._alertmanager)
                if key not in ("route", "inhibit_rules", "receivers")]  # fmt: skip
        found = {"alertmanager.yml, its settings": sha256(rest)}
        scraped = self._from.prometheus
        found["prometheus.yml"] = sha256(canonical(scraped.root if scraped else None))
        for file in self.files:
            parsed = self._from.files.get(file)
            said = canonical(parsed.root) if parsed else file.read_bytes().hex()
            found[str(file.relative_to(root))] = sha256(said)
        return found

    @cached_property
    def files(self) -> Sequence[Path]:
        """Those that count as they are."""
        root = self._from.root
        return [
            file
            for file in sorted(root.rglob("*"))
            if file.is_file() and "__pycache__" not in file.parts
            and not any(_like(file.relative_to(root), one) for one in APART)
        ]  # fmt: skip

    @cached_property
    def _alertmanager(self) -> yaml.Node | None:
        return self._from.alertmanager.root if self._from.alertmanager else None

    @cached_property
    def _inhibits(self) -> Sequence[InhibitRule]:
        return inhibit_rules(self._alertmanager)

    @cached_property
    def _rules(self) -> Mapping[str, Sequence[AlertRule]]:
        found: dict[str, list[AlertRule]] = {}
        for one in self._from.alerts:
            found.setdefault(one.name, []).append(one)
        return found

    @cached_property
    def _always(self) -> Sequence[str]:
        """Alerts that fire beside every other."""
        return sorted(name for name in self._rules if always(self._labels(name)))

    def _labels(self, alert: str) -> dict[str, str]:
        """As far as they are known: a scenario knows them all, a rule those that it writes."""
        labels = {
            name: text(value)
            for one in self._rules.get(alert, ())
            for name, value in pairs(get(one.node, "labels"))
        }
        known = self._scenarios[alert].labels if alert in self._scenarios else {}
        return {**labels, **known, "alertname": alert}

    @cached_property
    def _every(self) -> Mapping[str, Mapping[str, str]]:
        """Labels of every alert that has a rule."""
        return {name: self._labels(name) for name in self._rules}

    def _rule(self, alert: str) -> str:
        """With what its group and its file say of all their rules."""
        return sha256([
            [one.language, canonical(one.node), without(one.group, "rules"), self._top(one)]
            for one in self._rules.get(alert, ())
        ])  # fmt: skip

    def _top(self, rule: AlertRule) -> object:
        return without(self._from.files[rule.path].root, "groups")

    def _fleeting(self, speed: float) -> object:
        """Alerts that may fire at that speed, whoever's turn it is (`timing.fleeting`)."""
        waits = {name: [text(get(one.node, "for")) for one in rules]
                 for name, rules in self._rules.items()}  # fmt: skip
        try:
            return sorted(name for name, said in waits.items() for one in said
                          if one and 0 < durations.seconds(one) < FLEETING_S * speed)  # fmt: skip
        except BadInput:
            return waits

    def _muting(self, scenario: Scenario) -> Iterator[str]:
        """Alerts that mute it while they fire, as far as labels say."""
        others = {name: one for name, one in self._every.items() if name != scenario.alert}
        for rule in self._inhibits:
            try:
                if rule.target.matches(scenario.routed):
                    yield from (name for name, one in others.items()
                                if rule.pairs(one, scenario.routed))  # fmt: skip
            except BadInput:
                yield from others

    def _recorded(self, alerts: Iterable[str]) -> Parts:
        """Recording rules that the expressions of these alerts use, and what those use."""
        found: Parts = {}
        waiting = [one.expression for name in alerts for one in self._rules.get(name, ())
                   if not one.on_logs]  # fmt: skip
        while waiting:
            used = self._metrics(waiting.pop())
            for metric, rules in self._recording.items():
                if f"recording rule {metric}" not in found and (used is None or metric in used):
                    found[f"recording rule {metric}"] = sha256([canonical(one) for one in rules])
                    waiting += [text(get(one, "expr")) for one in rules]
        return dict(sorted(found.items()))

    @cached_property
    def _recording(self) -> Mapping[str, Sequence[yaml.Node]]:
        names = {
            text(get(rule, "record"))
            for file in self._from.rules
            for group in entries(file.root, "groups")
            for rule in entries(group, "rules")
        }
        return {name: pace.recorded(self._from, name) for name in sorted(names - {""})}

    def _metrics(self, expression: str) -> set[str] | None:
        """Those that it names; None when that is not known."""
        try:
            named = [one.metric for one in tree.read(expression).walk() if one.kind == "selector"]
        except BadInput:
            return None
        return set(named) if all(named) else None

    def _ways(self, alerts: Sequence[str]) -> object:
        """Where Alertmanager sends these, when, and with whom in one message."""
        top = self._from.route
        if top is None or top.unreadable:
            return canonical(top.node if top else None)
        known: dict[int, int] = {}
        waits = max(one.seconds("group_interval") for one in top.every())
        return [waits, *([_way(one, known) for one in top.leaves(self._labels(name))]
                         for name in alerts)]  # fmt: skip

    def _reached(self, alerts: Iterable[str]) -> Sequence[str]:
        top = self._from.route
        if top is None or top.unreadable:
            return self._from.receivers
        found = {text(one.receiver): 1 for name in alerts for one in top.leaves(self._labels(name))}
        return sorted(found)

    def _receivers(self, names: Iterable[str]) -> Parts:
        """Those receivers, and the templates that they use."""
        found: Parts = {}
        waiting: list[str] = []
        for name in names:
            nodes = self._receiving.get(name, [])
            found[f"receiver {name}"] = sha256(nodes)
            waiting.append(json.dumps(nodes))
        waiting.append(json.dumps([canonical(get(self._alertmanager, "global"))]))
        used: set[str] = set(self._unasked)
        waiting += [self._templates[name] for name in used]
        while waiting:
            new = set(_USED.findall(waiting.pop())) & set(self._templates) - used
            used |= new
            waiting += [self._templates[name] for name in new]
        return found | {f"template {one}": sha256(self._templates[one]) for one in sorted(used)}

    @cached_property
    def _receiving(self) -> Mapping[str, list[object]]:
        found: dict[str, list[object]] = {}
        for one in entries(self._alertmanager, "receivers"):
            found.setdefault(text(get(one, "name")), []).append(canonical(one))
        return found

    @cached_property
    def _templates(self) -> Mapping[str, str]:
        """Name → its definition, with what is written up to the next one. Of several the last one
        counts, as it does for Alertmanager; a file's name is a template as well."""
        found: dict[str, str] = {}
        for path in self._from.templates:
            source = path.read_text(encoding="utf-8", errors="surrogateescape")
            starts = [(match.start(), match[1]) for match in _DEFINED.finditer(source)]
            ends = [*(at for at, _ in starts[1:]), len(source)]
            for (begin, name), end in zip(starts, ends, strict=True):
                found[name] = found.get(name, "") + source[begin:end]
            found[path.name] = source
        return found

    @cached_property
    def _unasked(self) -> Sequence[str]:
        """Those that nothing here names: if at all, Alertmanager's own ones use them."""
        receivers = json.dumps([canonical(one) for one in entries(self._alertmanager, "receivers")])
        named = {name for said in (receivers, *self._templates.values())
                 for name in _USED.findall(said)}  # fmt: skip
        return sorted(
            name for name in self._templates
            if (name not in named and not name.endswith(".tmpl"))
            or name.startswith("__") or ".default." in name
        )  # fmt: skip

    def _linked(self, alert: str) -> Parts:
        """What messages about it lead to: its runbook, and which panels its dashboard has."""
        rules = self._rules.get(alert, ())
        urls = [text(one.annotation("runbook_url")) for one in rules]
        pages = [file for file in sorted((self._from.root / "runbooks").glob("*.md"))
                 if file.stem == alert or any(file.stem in url for url in urls)]  # fmt: skip
        uids = {text(one.annotation("dashboard_uid")) for one in rules} - {""}
        return {
            "runbook": sha256([[page.name, page.read_bytes().hex()] for page in pages]),
            "panels that messages lead to": sha256(
                [[uid, self._panels[uid]] for uid in sorted(uids) if uid in self._panels]
            ),
        }

    @cached_property
    def _panels(self) -> Mapping[str, object]:
        """Dashboard → number and title of each panel; all of a file that cannot be read."""
        found: dict[str, object] = {}
        for path in sorted((self._from.root / "grafana" / "dashboards").glob("*.json")):
            content = path.read_text(encoding="utf-8", errors="surrogateescape")
            try:
                document = json.loads(content)
                found[document["uid"]] = [document["title"], list(_titles(document))]
            except (ValueError, KeyError, TypeError, AttributeError):
                found[path.stem] = content
        return found


def _way(route: Route, known: dict[int, int]) -> object:
    """With a number that tells it from the other routes."""
    number = known.setdefault(id(route), len(known))
    timing = {key: route.seconds(key) for key in TIMING}
    more = [[key, canonical(value)] for key, value in pairs(route.node) if key not in _OWN_KEYS]
    return [number, text(route.receiver), route.group_by, timing, more]


def _meets(rule: InhibitRule, labels: Mapping[str, str]) -> bool:
    """Whether an alert with these labels is a source or a target of it, or nobody can say."""
    try:
        return rule.source.matches(labels) or rule.target.matches(labels)
    except BadInput:
        return True


def _titles(document: dict[str, object]) -> Iterator[object]:
    panels = document.get("panels")
    for panel in panels if isinstance(panels, list) else []:
        yield [panel.get("id"), panel.get("title"), *_titles(panel)]


def _like(path: Path, pattern: str) -> bool:
    """A pattern without a folder is that of a name at the top, but for `*.py`."""
    if "/" not in pattern and pattern != "*.py" and len(path.parts) > 1:
        return pattern == ".*" and path.name.startswith(".")
    return path.match(pattern)
