"""From the scrape to the route: what rules read is offered, and what routes read arrives.

Between an exporter and Alertmanager labels pass five places that may change or drop them: the
target's labels, `relabel_configs`, `metric_relabel_configs`, the rule and its own labels, and
`external_labels` with `alert_relabel_configs`.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import yaml

from stack.check import passed_tests
from stack.check.configuration import AlertRule, Configuration
from stack.check.offered import OF_EVERY_JOB, OF_PROMETHEUS, TABLE, Offer, Offered
from stack.check.problem import Problem
from stack.check.reads import Reading, Selector, read
from stack.check.relabel import relabelled
from stack.check.scrapes import Job, jobs
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, entries, get, line, pairs, text
from stack.errors import BadInput

ROUTING = ("alertname", "severity", "team")
"""Labels that routes read of every alert."""

_LABEL = re.compile(r"\$labels\.([A-Za-z_]\w*)|\.Labels\.([A-Za-z_]\w*)")


def check(configuration: Configuration, offered: Offered) -> Iterator[Problem]:
    file = configuration.prometheus
    if not file:
        return
    contract = Contract(configuration, offered, jobs(file))
    for rules in configuration.rules:
        for group in entries(rules.root, "groups"):
            for rule in entries(group, "rules"):
                yield from contract.rule(rules, rule)
    yield from _silenced(contract, file)
    yield from _external(configuration, file)
    yield from _relabelled_alerts(configuration, file)


def tested(configuration: Configuration, offered: Offered) -> list[Problem]:
    """What unit tests feed is what jobs offer: a test of anything else proves nothing.

    What was good before, with the same files, is not looked at again.
    """
    if not (file := configuration.prometheus):
        return []
    files = [file, *configuration.rules, *configuration.unit_tests]
    code = (Path(__file__).read_bytes(), TABLE.read_bytes())
    digest = passed_tests.key("fed", *code, *(one.path.read_bytes() for one in files))
    if passed_tests.passed(digest):
        return []
    contract = Contract(configuration, offered, jobs(file))
    found: dict[tuple[Path, str], Problem] = {}
    for tests in configuration.unit_tests:
        for test in entries(tests.root, "tests"):
            for one in entries(test, "input_series"):
                for what, cure in contract.fed(text(get(one, "series"))):
                    found.setdefault(
                        (tests.path, what),
                        Problem(check="metrics/tested", path=tests.path, line=line(one),
                                what=f"{what}.", cure=cure),
                    )  # fmt: skip
    if not found:
        passed_tests.remember(digest)
    return list(found.values())


ANOTHER = "another"
"""A job of unit tests: it stands for one that is none of the alert's business."""


class Contract:
    """What the jobs of prometheus.yml offer, and the rules record, to whoever reads it."""

    def __init__(self, configuration: Configuration, offered: Offered, found: list[Job]) -> None:
        self.offered, self.jobs = offered, found
        self.readers: dict[str, list[str]] = {}
        self.recorded: dict[str, frozenset[str] | None] = {}
        self._rules = configuration.rules
        for file in configuration.rules:
            for group in entries(file.root, "groups"):
                for rule in entries(group, "rules"):
                    if name := text(get(rule, "record")):
                        self.recorded[name] = None
                        self.recorded[name] = self._labels_of(rule)

    def _labels_of(self, rule: yaml.Node) -> frozenset[str] | None:
        try:
            labels = read(text(get(rule, "expr")), self.labels).labels
        except BadInput:
            return None
        own = {name for name, _ in pairs(get(rule, "labels"))}
        return None if labels is None else labels | own

    @cached_property
    def _of_alerts(self) -> frozenset[str]:
        """Every label that an alert may have, and more: all words of rules are among them, since
        functions make labels."""
        found = {"alertname", "alertstate"}.union(*(job.labels for job in self.jobs))
        for offer in self.offered.jobs.values():
            found.update(*(labels or () for labels in offer.values()))
        for file in self._rules:
            for group in entries(file.root, "groups"):
                for rule in entries(group, "rules"):
                    found |= {name for name, _ in pairs(get(rule, "labels"))}
                    found |= set(re.findall(r"\w+", text(get(rule, "expr"))))
        return frozenset(found)

    def candidates(self, selector: Selector) -> list[Job]:
        """The jobs whose targets a selector allows."""
        return [
            job
            for job in self.jobs
            if job.discovers
            or any(selector.holds("job", one.labels.get("job") or "") for one in job.targets)
        ]

    def labels(self, selector: Selector) -> frozenset[str] | None:
        """All labels that the series of a selector may have; None where nobody knows."""
        if selector.metric in self.recorded:
            return self.recorded[selector.metric]
        found: set[str] = set()
        for job in self.candidates(selector):
            offer = self.offered.jobs.get(job.name)
            if offer is None or job.discovers:
                return None
            if selector.metric in OF_EVERY_JOB:
                found |= job.labels
            elif selector.metric in offer:
                labels = offer[selector.metric]
                if labels is None:
                    return None
                kept = job.kept(selector.metric, dict.fromkeys(labels))
                found |= set(kept.labels or ()) | job.labels if kept.labels else set()
                found -= {"__name__"} | (job.labels - set(kept.labels or job.labels))
        return frozenset(found) if found else None

    def rule(self, file: ConfigFile, rule: yaml.Node) -> Iterator[Problem]:
        expression, node = text(get(rule, "expr")), get(rule, "expr")
        name = text(get(rule, "alert")) or text(get(rule, "record"))
        try:
            reading = read(expression, self.labels)
        except BadInput:
            return  # promtool says so
        faults = list(self.faults(reading, name))
        for what, cure, word in faults:
            yield _problem(file, _line_of(node, word), name, what, cure)
        if not faults:
            yield from self._templates(file, rule, name, reading)

    def faults(self, reading: Reading, reader: str) -> Iterator[tuple[str, str, str]]:
        """What an expression reads that is not there: what is wrong, what to do, and a word to find
        the line by. Readers of a job that is gone are kept in `readers`."""
        told: set[str] = set()
        for selector in reading.selectors:
            for what, cure, word in self._selector(selector, reader):
                if what not in told:
                    told.add(what)
                    yield what, cure, word
        for label, by, there in dict.fromkeys(reading.missing) if not told else ():
            yield (f"`{by} ({label})`, but what is there has no label `{label}`",
                   nearest(label, there), label)  # fmt: skip

    def _templates(
        self, file: ConfigFile, rule: yaml.Node, name: str, reading: Reading
    ) -> Iterator[Problem]:
        if reading.labels is None:
            return
        own = {one for one, _ in pairs(get(rule, "labels"))}
        known = reading.labels | own | {"alertname"}
        for key in ("annotations", "labels"):
            for field, value in pairs(get(rule, key)):
                for match in _LABEL.finditer(text(value)):
                    label = match[1] or match[2]
                    if label not in known:
                        yield Problem(
                            check="metrics/template", path=file.path,
                            line=_line_of(value, match[0]),
                            what=f"`{name}`: {field} shows `{match[0]}`, a label that the alert "
                            "does not have.",
                            cure=nearest(label, known),
                        )  # fmt: skip

    def fed(self, series: str) -> Iterator[tuple[str, str]]:
        """What is wrong with a series of a unit test, and what to do. Other instances than the
        lab's are as good, and a label that is like no other may be one of the real Loki's.
        """
        try:
            selectors = read(series, lambda selector: None).selectors
        except BadInput:
            return  # promtool says so
        for one in selectors:
            if one.metric in self.recorded or one.metric in OF_PROMETHEUS:
                continue
            name = next((each.value for each in one.conditions if each.name == "job"), "")
            job = next((each for each in self.jobs if each.name == name), None)
            if name == ANOTHER:
                continue
            if job is None:
                what = f"a test feeds `{one.metric}` of job `{name}`, which there is not"
                yield what, nearest(name, [each.name for each in self.jobs])
            elif (offer := self.offered.jobs.get(name)) is not None:
                yield from _strange(one, job, offer)

    def _selector(self, one: Selector, reader: str) -> Iterator[tuple[str, str, str]]:
        """What is wrong, what to do, and a word to find the line by."""
        if not one.metric:
            return
        if one.metric in self.recorded or one.metric in OF_PROMETHEUS:
            known = self.recorded.get(one.metric, self._of_alerts)
            yield from _unknown(one, known) if known is not None else ()
            return
        found = self.candidates(one)
        wanted = [condition for condition in one.conditions if condition.name == "job"]
        if not found:
            asked = " and ".join(f"job{each.operator}`{each.value}`" for each in wanted)
            self.readers.setdefault(asked, []).append(reader)
            of = {job.name for job in self.jobs}
            # Where the job itself is gone, that is told once and not for each reader.
            gone = any(each.operator == "=" and each.value in self.offered.jobs for each in wanted)
            if not gone:
                yield (f"it reads {asked}, but no scrape job is called so",
                       nearest(wanted[0].value if wanted else "", of),
                       wanted[0].value if wanted else one.metric)  # fmt: skip
            return
        if one.metric in OF_EVERY_JOB:
            if not any(job.discovers for job in found):
                yield from _unknown(one, frozenset().union(*(job.labels for job in found)))
            return
        offers = {job.name: self.offered.jobs.get(job.name) for job in found}
        if None in offers.values():
            return  # a job that the table does not know: told elsewhere
        having = [job for job in found if one.metric in (offers[job.name] or {})]
        if not having:
            which = ", ".join(f"`{job.name}`" for job in found) if len(found) < 4 else "any job"
            names = {name for offer in offers.values() for name in offer or {}} | {*self.recorded}
            elsewhere = [name for name, offer in sorted(self.offered.jobs.items())
                         if one.metric in offer]  # fmt: skip
            cure = (f"`{elsewhere[0]}` offers it." if elsewhere else nearest(one.metric, names)
                    if len(names) < 40 or _near(one.metric, names) else
                    "stack/check/offered.txt lists what is offered.")  # fmt: skip
            yield f"it reads `{one.metric}`, which {which} does not offer", cure, one.metric
            return
        yield from self._conditions(one, having)

    def _conditions(self, one: Selector, having: list[Job]) -> Iterator[tuple[str, str, str]]:
        for job in having:
            labels = (self.offered.jobs[job.name])[one.metric]
            if labels is None:
                continue
            known = labels | job.labels
            series: dict[str, str | None] = dict.fromkeys(labels)
            for condition in one.conditions:
                if condition.name not in known:
                    yield (f"it reads label `{condition.name}` of `{one.metric}`, which has none",
                           nearest(condition.name, known), condition.name)  # fmt: skip
                elif condition.name in labels:
                    series[condition.name] = condition.example()
            statics = [dict(target.labels) for target in job.targets]
            for condition in one.conditions:
                values = {static.get(condition.name) for static in statics} - {None}
                if (
                    condition.name in job.labels
                    and values
                    and not any(condition.holds(value or "") for value in values)
                ):
                    yield (f"{condition.name}{condition.operator}`{condition.value}` matches no "
                           f"target of job `{job.name}`",
                           nearest(condition.value, [value for value in values if value]),
                           condition.value)  # fmt: skip
            yield from self._relabelled(one, job, series)

    def _relabelled(
        self, one: Selector, job: Job, series: dict[str, str | None]
    ) -> Iterator[tuple[str, str, str]]:
        outcome = job.kept(one.metric, series)
        where = f"`metric_relabel_configs` of job `{job.name}`"
        cure = f"Fix them in prometheus.yml, line {outcome.by or job.line}."
        if outcome.labels is None:
            yield f"{where} drop `{one.metric}`, which it reads", cure, one.metric
            return
        if outcome.labels.get("__name__") not in (one.metric, None):
            yield f"{where} rename `{one.metric}`, which it reads", cure, one.metric
        for label in sorted(one.wanted | {each.name for each in one.conditions}):
            before = label in series or label in job.labels
            if before and label not in outcome.labels:
                yield f"{where} remove `{label}` of `{one.metric}`, which it reads", cure, label
        for condition in one.conditions:
            if condition.name not in series:
                continue  # of the target: compared above
            value = outcome.labels.get(condition.name, series.get(condition.name))
            if condition.name in outcome.labels and value and not condition.holds(value):
                yield (f"{where} make `{condition.name}` of `{one.metric}` `{value}`, "
                       f"expected {condition.operator}`{condition.value}`", cure,
                       condition.name)  # fmt: skip


def _unknown(one: Selector, known: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """Labels that series which Prometheus itself makes cannot have."""
    for condition in one.conditions:
        if condition.name not in known:
            yield (f"it reads label `{condition.name}` of `{one.metric}`, which has none",
                   nearest(condition.name, known) if len(known) < 40 or _near(condition.name, known)
                   else "Alerts have the labels of what they read, and their own.",
                   condition.name)  # fmt: skip


def _strange(one: Selector, job: Job, offer: Offer) -> Iterator[tuple[str, str]]:
    """The metric of a test that is not offered, or a label that is nearly one of its own."""
    if one.metric not in offer and one.metric not in OF_EVERY_JOB:
        said = nearest(one.metric, offer)
        cure = said if said.startswith("Did") else "Feed what the rule reads."
        yield f"a test feeds `{one.metric}`, which `{job.name}` does not offer", cure
    elif labels := offer.get(one.metric):
        for each in one.conditions:
            cure = nearest(each.name, labels | job.labels)
            if each.name not in labels | job.labels and cure.startswith("Did"):
                what = f"a test feeds `{one.metric}` with `{each.name}`, a label that it has not"
                yield what, cure


def _near(name: str, names: Iterable[str]) -> bool:
    return "Did you mean" in nearest(name, names)


def _silenced(contract: Contract, file: ConfigFile) -> Iterator[Problem]:
    """Readers of a job that is not there, in one line for each job."""
    here = {job.name for job in contract.jobs}
    for asked, readers in sorted(contract.readers.items()):
        name = asked.partition("`")[2].rstrip("`")
        if name not in contract.offered.jobs or name in here:
            continue
        node = get(file.root, "scrape_configs")
        listed = ", ".join(f"`{one}`" for one in dict.fromkeys(readers))
        strangers = [job for job in contract.jobs if job.name not in contract.offered.jobs]
        yield Problem(
            check="metrics/job", path=file.path,
            line=strangers[0].line if strangers else line(node) if node else None,
            what=f"no job is called `{name}`, which {listed} read.",
            cure=nearest(name, here) if strangers else f"Add a job `{name}`.",
        )  # fmt: skip


def _problem(file: ConfigFile, number: int | None, name: str, what: str, cure: str) -> Problem:
    return Problem(check="metrics/offered", path=file.path, line=number, what=f"`{name}`: {what}.",
                   cure=cure)  # fmt: skip


def _line_of(node: yaml.Node | None, word: str) -> int | None:
    """The line of a word in a text of several lines."""
    if node is None:
        return None
    block = getattr(node, "style", None) in ("|", ">")
    if not block or getattr(node, "style", None) == ">":
        return line(node)
    before = text(node).partition(word)[0]
    return line(node) + 1 + before.count("\n")


def _external(configuration: Configuration, file: ConfigFile) -> Iterator[Problem]:
    """External labels are put on alerts that lack them, and then decide who is notified."""
    for name, value in pairs(get(file.root, "global", "external_labels")):
        lacking = [alert.name for alert in configuration.alerts
                   if not alert.on_logs and not alert.label(name)]  # fmt: skip
        if name in ROUTING and lacking:
            yield Problem(
                check="alerts/external", path=file.path, line=line(value),
                what=f"external label `{name}` would be put on every alert without one "
                f"({len(lacking)}, such as `{lacking[0]}`) and route it.",
                cure="Use another name: routes read `alertname`, `severity` and `team`.",
            )  # fmt: skip


def _relabelled_alerts(configuration: Configuration, file: ConfigFile) -> Iterator[Problem]:
    """What `alert_relabel_configs` do to each alert on its way to Alertmanager: those of all, then
    those of one Alertmanager."""
    shared = entries(file.root, "alerting", "alert_relabel_configs")
    own = [entries(one, "alert_relabel_configs")
           for one in entries(file.root, "alerting", "alertmanagers")]  # fmt: skip
    for rules in [[*shared, *one] for one in own if one] or [shared]:
        if rules:
            yield from _relabelled_by(rules, configuration, file)


def _relabelled_by(
    rules: list[yaml.Node], configuration: Configuration, file: ConfigFile
) -> Iterator[Problem]:
    external = {name: text(value)
                for name, value in pairs(get(file.root, "global", "external_labels"))}  # fmt: skip
    inhibiting = {
        text(one)
        for rule in entries(configuration.alertmanager.root if configuration.alertmanager else None,
                            "inhibit_rules")
        for one in entries(rule, "equal")
    }  # fmt: skip
    told: dict[str, list[str]] = {}
    for alert in configuration.alerts:
        if alert.on_logs:
            continue
        before = _alert_labels(alert, external)
        for name in inhibiting:
            before.setdefault(name, None)
        outcome = relabelled(before, rules)
        if outcome.labels is None:
            told.setdefault(f"drop@{outcome.by}", []).append(alert.name)
            continue
        for name in sorted({*ROUTING, *inhibiting} & set(before)):
            after = outcome.labels.get(name, "")
            if after != before[name]:
                told.setdefault(f"change `{name}` of@", []).append(alert.name)
        for name in sorted((set(ROUTING) & set(outcome.labels)) - set(before)):
            told.setdefault(f"add `{name}` to@", []).append(alert.name)
    for what, names in told.items():
        said, _, at = what.partition("@")
        listed = ", ".join(f"`{one}`" for one in names[:3])
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield Problem(
            check="alerts/relabel", path=file.path,
            line=int(at) if at.isdigit() else line(rules[0]),
            what=f"`alert_relabel_configs` {said} {listed}{more}.",
            cure="Leave alerts and what routes and inhibit rules read of them alone.",
        )  # fmt: skip


def _alert_labels(alert: AlertRule, external: dict[str, str]) -> dict[str, str | None]:
    written = {name: text(value) for name, value in pairs(get(alert.node, "labels"))}
    own: dict[str, str | None] = {**external, **written}
    own["alertname"] = alert.name
    for name in ("job", "instance"):
        own.setdefault(name, None)
    return own
