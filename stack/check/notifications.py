"""Every text of every receiver, rendered by amtool for every alert that can reach it.

Alertmanager loads a template that uses a field which does not exist, and fails only when it sends;
it loads as well one that says the wrong thing. So each is rendered with groups as Alertmanager
would hand them over (`stack.check.samples`), and the message that results is read
(`stack.check.claims`). What was good before, with the same inputs, is not rendered again.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import yaml

from stack.check import claims, passed_tests, samples
from stack.check.claims import Complaint, Seen
from stack.check.configuration import AlertRule, Configuration
from stack.check.problem import Problem
from stack.check.programs import Programs, output
from stack.check.samples import Sample
from stack.check.yamlfile import entries, get, line, pairs, text
from stack.store import disk

_ERROR = re.compile(
    r"template: (?P<file>[^:\s]*):(?P<line>\d+)(?::\d+)?: (?:executing .*? at )?(?P<said>.*)"
)
_WITH = re.compile(r"(?<= cannot be rendered) with [^:]*")
_DEFINE = re.compile(r'\{\{-?\s*define\s+"([^"]+)"')
_CALLED = re.compile(r'\{\{-?\s*template\s+"([^"]+)"')
_CALL = re.compile(r'^\s*\{\{-?\s*template\s+"([^"]+)"[^}]*\}\}\s*$')
_SEPARATOR = "\n\x1e\n"

KINDS = {
    "slack_configs": claims.SLACK,
    "email_configs": claims.EMAIL,
    "pagerduty_configs": claims.PAGERDUTY,
}
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    claims.SLACK: {
        "title": '{{ template "slack.default.title" . }}',
        "title_link": '{{ template "slack.default.titlelink" . }}',
        "text": '{{ template "slack.default.text" . }}',
        "fallback": '{{ template "slack.default.fallback" . }}',
        "color": '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}',
    },
    claims.EMAIL: {
        "headers.Subject": '{{ template "email.default.subject" . }}',
        "html": '{{ template "email.default.html" . }}',
    },
    claims.PAGERDUTY: {
        "description": '{{ template "pagerduty.default.description" .}}',
        "severity": "error",
        "client_url": '{{ template "pagerduty.default.clientURL" . }}',
        "details.firing": '{{ template "pagerduty.default.instances" .Alerts.Firing }}',
        "details.resolved": '{{ template "pagerduty.default.instances" .Alerts.Resolved }}',
    },
}
"""What Alertmanager 0.28 sends where a receiver says nothing (config/notifiers.go)."""

PLACES = {"runbook": ("text", "links.0.href"), "dashboard": ("text", "links.1.href"),
          "links": ("title_link", "links.0.href", "html"),
          "query": ("title_link", "html"), "details": ("details.firing",),
          "Subject": ("headers.Subject",)}  # fmt: skip
"""What a complaint is about → the fields that may be to blame for it."""


def check(configuration: Configuration, programs: Programs) -> Iterator[Problem]:
    if not configuration.alertmanager or not configuration.route:
        return
    desk = _Desk(configuration=configuration, programs=programs)
    jobs = list(desk.jobs())
    every = desk.digest("all", *(job.key for job in jobs))
    if passed_tests.passed(every):
        return
    first = [job for job in jobs if job.first]
    # What is wrong with the first rule of a template is wrong with all: said once, and at once.
    found = _judged(desk, first) or _judged(desk, [job for job in jobs if not job.first])
    if not found:
        passed_tests.remember(every)
    yield from found


def _judged(desk: "_Desk", jobs: Sequence["_Job"]) -> list[Problem]:
    """What is wrong with these messages; of each place, the first."""
    found: dict[tuple[Path, int | None, str], Problem] = {}
    with ThreadPoolExecutor() as pool:
        for problems in pool.map(desk.judge, jobs):
            for one in problems:
                # The first group that shows it is named, the others are not.
                said = _WITH.sub("", one.what).partition(")")[0]
                found.setdefault((one.path, one.line, said), one)
    return list(found.values())


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One message to render: a receiver's entry, a rule, a group."""

    receiver: str
    kind: str
    fields: tuple[tuple[str, str, int], ...]
    """Key path, its text, its line."""
    rule: AlertRule
    sample: Sample
    claimed: bool
    """Whether it is read; otherwise it must only render."""
    first: bool
    """Whether its rule is the first of its severity for these texts."""

    @property
    def key(self) -> str:
        labels, annotations = (
            [(name, text(node)) for name, node in pairs(get(self.rule.node, part))]
            for part in ("labels", "annotations")
        )
        texts = [(path, written) for path, written, _ in self.fields]
        return repr((self.kind, texts, self.rule.name, labels, annotations, self.sample.name))


@dataclass(kw_only=True)
class _Desk:
    """Renders and judges."""

    configuration: Configuration
    programs: Programs

    def jobs(self) -> Iterator[_Job]:
        """Every rule at each receiver that it reaches; large and odd groups once for each text."""
        seen: set[object] = set()
        for rule in self.configuration.alerts:
            for name in self._reached(rule):
                for kind, fields in self._entries.get(name, ()):
                    texts = tuple((path, written) for path, written, _ in fields if "{{" in written)
                    severity = text(rule.label("severity"))
                    groups = () if texts in seen else samples.GROUPS
                    first = (texts, severity) not in seen
                    seen |= {texts, (texts, severity)}
                    for sample in (*samples.ALONE, *groups):
                        yield _Job(
                            receiver=name, kind=kind, fields=fields, rule=rule, sample=sample,
                            claimed=kind in DEFAULTS and not sample.bare, first=first,
                        )  # fmt: skip

    def _reached(self, rule: AlertRule) -> list[str]:
        top = self.configuration.route
        labels = {name: text(node) for name, node in pairs(get(rule.node, "labels"))}
        leaves = top.leaves({**labels, "alertname": rule.name}) if top else ()
        return list(dict.fromkeys(text(leaf.receiver) for leaf in leaves if leaf.receiver))

    @cached_property
    def _entries(self) -> dict[str, list[tuple[str, tuple[tuple[str, str, int], ...]]]]:
        """Receiver → for each of its entries, the kind and the fields."""
        file = self.configuration.alertmanager
        found: dict[str, list[tuple[str, tuple[tuple[str, str, int], ...]]]] = {}
        for receiver in entries(file.root if file else None, "receivers"):
            name = text(get(receiver, "name"))
            for key, configs in pairs(receiver):
                for config in configs.value if isinstance(configs, yaml.SequenceNode) else []:
                    kind = KINDS.get(key, key)
                    fields = {path: (str(node.value), line(node)) for path, node in _flat(config)}
                    for path, written in DEFAULTS.get(kind, {}).items():
                        fields.setdefault(path, (written, line(config)))
                    rows = tuple((path, *field) for path, field in sorted(fields.items()))
                    found.setdefault(name, []).append((kind, rows))
        return found

    def judge(self, job: _Job) -> list[Problem]:
        """What is wrong with one message."""
        key = self.digest(job.key)
        if passed_tests.passed(key):
            return []
        told = samples.told(job.sample, job.rule)
        with disk.scratch() as folder:
            path = folder / "group.json"
            path.write_text(json.dumps(samples.data(job.sample, told, self._group_by)))
            rendered, problems = self._rendered(job, path)
        if not problems and job.claimed:
            found = claims.complaints(_seen(job.kind, rendered), told)
            problems = [self._problem(job, one, rendered) for one in found]
        if not problems:
            passed_tests.remember(key)
        return problems

    def _rendered(self, job: _Job, group: Path) -> tuple[dict[str, str], list[Problem]]:
        """Field → its text; or what amtool says."""
        rendered: dict[str, str] = {}
        for markup in ("text", "html"):
            fields = [one for one in job.fields if (one[0] == "html") == (markup == "html")]
            if not fields:
                continue
            whole = _SEPARATOR.join(written for _, written, _ in fields)
            good, words = self._amtool(whole, markup, group)
            if not good:
                return {}, list(self._refused(job, fields, markup, group, words))
            parts = words.split(_SEPARATOR)
            rendered |= {path: part for (path, _, _), part in zip(fields, parts, strict=False)}
        return rendered, []

    def _refused(
        self, job: _Job, fields: Sequence[tuple[str, str, int]], markup: str, group: Path, all_: str
    ) -> Iterator[Problem]:
        """Which of the fields it is."""
        file = self.configuration.alertmanager
        assert file  # without it nothing is rendered
        files = {path.name: path for path in self.configuration.templates}
        for _, written, number in fields:
            good, words = self._amtool(written, markup, group)
            if good:
                continue
            error = _ERROR.search(words)
            at = files.get(error["file"]) if error else None
            path, first = at or file.path, int(error["line"]) if error and at else number
            if not error and (call := _CALL.match(written)):
                # What only HTML forbids is said without a place: then it is where the field leads.
                path, first = self._defined.get(call[1], (path, first))
            yield Problem(
                check="templates/render",
                path=path,
                line=first,
                what=f"`{written}` cannot be rendered with {job.sample.name}: "
                f"{error['said'] if error else words.strip()}.",
                cure="Use what there is: prometheus.io/docs/alerting/latest/notifications.",
            )

    def _problem(self, job: _Job, one: Complaint, rendered: Mapping[str, str]) -> Problem:
        file = self.configuration.alertmanager
        assert file
        fields = {path: (written, number) for path, written, number in job.fields}
        named = [path for path in (one.field, *PLACES.get(one.field, ())) if path in fields]
        written, number = fields[named[0]] if named else ("", 1)
        call = _CALL.match(written)
        path, number = self._defined.get(call[1] if call else "", (file.path, number))
        return Problem(
            check="templates/says",
            path=path,
            line=number,
            what=f"{job.kind} message ({one.field}) about {job.sample.name}: {one.said}."
            f"{self._written_elsewhere(written, path)}",
            cure="Fix the template; every message must say this in the lab's own proofs, too.",
        )

    def _written_elsewhere(self, written: str, path: Path) -> str:
        """Where else a part of this field is written, which may be to blame as well."""
        known, new = set[str](), set(_CALLED.findall(written))
        while new:
            known |= new
            new = {name for of in new for name in self._calls.get(of, ())} - known
        others = sorted({(self._defined[name], name) for name in known & self._defined.keys()})
        said = [f"`{name}` ({of.name}:{n})" for (of, n), name in others if of != path]
        return f" It calls {', '.join(said)}." if said else ""

    @cached_property
    def _calls(self) -> dict[str, set[str]]:
        """Template → the templates that it calls."""
        # Split at a group that matches, there are names and what follows each by turns.
        parts = [
            part
            for path in self.configuration.templates
            for part in _DEFINE.split(path.read_text())[1:]
        ]
        return {
            name: set(_CALLED.findall(body))
            for name, body in zip(parts[::2], parts[1::2], strict=True)
        }

    @cached_property
    def _defined(self) -> dict[str, tuple[Path, int]]:
        """Template → where it is defined."""
        return {
            name: (path, number)
            for path in self.configuration.templates
            for number, content in enumerate(path.read_text().splitlines(), 1)
            for name in _DEFINE.findall(content)
        }

    @cached_property
    def _group_by(self) -> list[str]:
        route = self.configuration.route
        found = [text(one) for one in entries(route.node if route else None, "group_by")]
        return found or ["alertname"]

    def _amtool(self, written: str, markup: str, group: Path) -> tuple[bool, str]:
        return output(
            [
                self.programs.amtool,
                "template",
                "render",
                *(f"--template.glob={glob}" for glob in self._globs),
                f"--template.type={markup}",
                f"--template.text={written}",
                f"--template.data={group}",
            ]
        )

    @cached_property
    def _globs(self) -> list[Path]:
        """Alertmanager's own templates, which amtool does not load by itself, and those here."""
        home = self.programs.amtool.resolve().parents[1]
        own = sorted(home.glob("**/prometheus/alertmanager/default.tmpl"))[:1]
        return [*own, self.configuration.root / "alertmanager" / "templates" / "*.tmpl"]

    def digest(self, *parts: str) -> str:
        """Of all that a message depends on besides its job."""
        return hashlib.sha256("\0".join((self._base, *parts)).encode()).hexdigest()

    @cached_property
    def _base(self) -> str:
        files = [path.read_bytes() for path in self.configuration.templates]
        parts = [str(self.programs.amtool).encode(), repr(self._group_by).encode(), *files, *_own()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


@cache
def _own() -> tuple[bytes, ...]:
    """The modules that judge: another judge has another opinion."""
    return tuple(Path(str(one.__file__)).read_bytes() for one in (claims, samples))


def _flat(node: yaml.Node, path: str = "") -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Every scalar below a node, with its key path; merged ones come first."""
    if isinstance(node, yaml.ScalarNode):
        yield path, node
    elif isinstance(node, yaml.SequenceNode):
        for number, entry in enumerate(node.value):
            yield from _flat(entry, f"{path}.{number}" if path else str(number))
    elif isinstance(node, yaml.MappingNode):
        for key, value in sorted(node.value, key=lambda pair: pair[0].value != "<<"):
            if key.value == "<<":
                yield from _flat(value, path)
            else:
                yield from _flat(value, f"{path}.{key.value}" if path else str(key.value))


def _seen(kind: str, rendered: Mapping[str, str]) -> Seen:
    """The message as Alertmanager would put it together."""
    if kind == claims.SLACK:
        return claims.slack(rendered)
    if kind == claims.EMAIL:
        subject = rendered.get("headers.Subject", rendered.get("headers.subject", ""))
        return claims.email(subject, rendered.get("text", ""), rendered.get("html", ""))
    links = {
        path: value for path, value in rendered.items() if re.fullmatch(r"links\.\d+\.href", path)
    }
    details = {
        path.removeprefix("details."): value
        for path, value in rendered.items()
        if path.startswith("details.")
    }
    return claims.pagerduty(
        {
            "payload": {
                "summary": rendered.get("description", ""),
                "severity": rendered.get("severity", ""),
                "custom_details": details,
            },
            "links": [{"href": link} for link in links.values() if link],  # it leaves out the rest
            "client_url": rendered.get("client_url", ""),
        }
    )
