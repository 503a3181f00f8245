"""Unit tests of rules on logs, at true durations, on the lab's own engine and ruler.

They read like promtool's, with lines for samples:

    rule_files: [../rules/logs.yml]
    evaluation_interval: 15s
    tests:
      - name: one refused log-in every four seconds
        input_lines:
          - {stream: '{service="postgresql", level="fatal"}', line: "FATAL: …",
             from: 0s, until: 10m, every: 4s}
        alert_rule_test:
          - {eval_time: 5m, alertname: DatabaseFatalErrors, exp_alerts: [{exp_labels: {…}}]}

There is no line at `until` any more. `exp_alerts` are those that fire at `eval_time`, none when it
is left out; `exp_annotations` are compared where they are given.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stack import logql
from stack.check import passed_tests
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.suggest import of_test
from stack.check.yamlfile import ConfigFile, entries, get, line, plain, text
from stack.durations import seconds
from stack.errors import BadInput
from stack.logql import Engine, LogQLError, MemorySource, parse_matchers
from stack.logql.alerts import RuleState
from stack.logql.results import Vector
from stack.logql.rules import Rule, read_rule

BEGIN_S = 1_000_000
"""Unix seconds at which every test begins."""

_KEYS = {
    "file": {"rule_files", "evaluation_interval", "tests"},
    "test": {"name", "input_lines", "alert_rule_test"},
    "lines": {"stream", "line", "from", "until", "every"},
    "case": {"eval_time", "alertname", "exp_alerts"},
    "alert": {"exp_labels", "exp_annotations"},
}


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What must fire at one moment."""

    node: yaml.Node
    at_s: float
    alert: str
    wanted: tuple[Mapping[str, Any], ...]


def refused(configuration: Configuration) -> Iterator[Problem]:
    """Files of which no test can be run; `check` is not to be asked about these."""
    for file in configuration.log_tests:
        try:
            _known(file.root, "file")
            _every_s(file)
            if not entries(file.root, "tests"):
                raise BadInput("it has no `tests`")
        except BadInput as error:
            yield Problem(
                check="loki/unit-test",
                path=file.path,
                line=line(file.root) if file.root else None,
                what=f"{error.what.rstrip('.')}.",
                cure=error.cure or "Fix the file; the head of stack/check/logtests.py shows one.",
            )


def check(configuration: Configuration, file: ConfigFile) -> Iterator[Problem]:
    """Run one file of tests; a rule file that cannot be read is reported elsewhere."""
    try:
        rules = dict(_rules(configuration, file))
    except (BadInput, KeyError, LogQLError):
        return
    every_s = _every_s(file)
    digest = passed_tests.key(repr(plain(file.root)), repr(rules), *_engine())
    if passed_tests.passed(digest):
        return
    passed = True
    for test in entries(file.root, "tests"):
        try:
            for problem in _test(file, test, rules, every_s):
                passed = False
                yield problem
        except (BadInput, LogQLError) as error:
            passed = False
            yield _problem(file, test, f"the test cannot be run: {error}.", "Fix the test.")
    if passed:
        passed_tests.remember(digest)


@cache
def _engine() -> tuple[bytes, ...]:
    """The code that runs the tests, which decides their outcome as well."""
    folder = Path(logql.__file__).parent
    files = sorted([*folder.glob("*.py"), *folder.glob("*.lark")])
    return tuple(path.read_bytes() for path in (*files, Path(__file__)))


def _every_s(file: ConfigFile) -> float:
    """Seconds between evaluations. Raises BadInput."""
    every_s = seconds(text(get(file.root, "evaluation_interval")) or "1m")
    if every_s <= 0:
        raise BadInput("`evaluation_interval` is 0s, expected a longer duration")
    return every_s


def _rules(configuration: Configuration, file: ConfigFile) -> Iterator[tuple[str, Rule]]:
    for name in entries(file.root, "rule_files"):
        for path in sorted(file.path.parent.glob(text(name))):
            known = configuration.files.get(path.resolve()) or configuration.files.get(path)
            for group in entries(known.root if known else None, "groups"):
                for rule in entries(group, "rules"):
                    read = read_rule(plain(rule), path.name)
                    yield read.name, read


def _test(
    file: ConfigFile, test: yaml.Node, rules: Mapping[str, Rule], every_s: float
) -> Iterator[Problem]:
    name = text(get(test, "name"))
    _known(test, "test")
    engine = Engine(_written(test))
    cases = [_case(node) for node in entries(test, "alert_rule_test")]
    for alert in dict.fromkeys(case.alert for case in cases):
        if alert not in rules:
            continue  # reported as tested without a rule
        asked = sorted((one for one in cases if one.alert == alert), key=lambda one: one.at_s)
        for case, found in _fired(engine, rules[alert], asked, every_s):
            if said := _differs(case, found):
                words = f"`{alert}` at {text(get(case.node, 'eval_time'))} in test `{name}`: {said}"
                yield _problem(file, case.node, words, of_test(said))


def _written(test: yaml.Node) -> MemorySource:
    """The lines of a test."""
    store = MemorySource()
    for node in entries(test, "input_lines"):
        _known(node, "lines")
        labels = {one.name: one.value for one in parse_matchers(text(get(node, "stream")))}
        begin, until, every = (seconds(text(get(node, key))) for key in ("from", "until", "every"))
        if every <= 0:
            raise BadInput("`every` is 0s, expected a longer duration")
        for count in range(max(0, -int(-(until - begin) // every))):
            at_ns = round((BEGIN_S + begin + count * every) * 1e9)
            store.add(labels, at_ns, text(get(node, "line")))
    return store


def _case(node: yaml.Node) -> Expectation:
    _known(node, "case")
    wanted = entries(node, "exp_alerts")
    for one in wanted:
        _known(one, "alert")
    return Expectation(
        node=node,
        at_s=seconds(text(get(node, "eval_time"))),
        alert=text(get(node, "alertname")),
        wanted=tuple(plain(one) for one in wanted),
    )


def _fired(
    engine: Engine, rule: Rule, cases: list[Expectation], every_s: float
) -> Iterator[tuple[Expectation, list[Mapping[str, Mapping[str, str]]]]]:
    """What fires at each case, which come in the order of time."""
    state, count = RuleState(rule=rule), 0
    for case in cases:
        while count * every_s <= case.at_s:
            now_s = BEGIN_S + count * every_s
            result = engine.query(rule.expr, round(now_s * 1e9))
            state.update(result.samples if isinstance(result, Vector) else (), now_s)
            count += 1
        yield (
            case,
            [
                {"exp_labels": dict(one.labels), "exp_annotations": dict(one.annotations)}
                for one in state.alerts.values()
                if one.state == "firing"
            ],
        )


def _differs(case: Expectation, found: list[Mapping[str, Mapping[str, str]]]) -> str:
    """What was expected and what came; empty when they are the same."""

    def labels(alerts: Any) -> list[str]:
        every = ({**one.get("exp_labels", {}), "alertname": case.alert} for one in alerts)
        return sorted(", ".join(f'{k}="{v}"' for k, v in sorted(one.items())) for one in every)

    wanted, got = labels(case.wanted), labels(found)
    if wanted != got:
        return f"expected {_listed(wanted)}, got {_listed(got)}."
    for one in case.wanted:
        same = next(other for other in found if labels([other]) == labels([one]))
        for name, said in (one.get("exp_annotations") or {}).items():
            if (given := same["exp_annotations"].get(name, "")) != said:
                return f"expected {name} `{said}`, got `{given}`."
    return ""


def _listed(alerts: list[str]) -> str:
    return " and ".join(f"{{{one}}}" for one in alerts) or "no alert"


def _known(node: yaml.Node | None, what: str) -> None:
    if unknown := sorted({str(key) for key in plain(node)} - _KEYS[what]):
        raise BadInput(
            f"`{unknown[0]}` is not a known key here; there are {', '.join(sorted(_KEYS[what]))}"
        )


def _problem(file: ConfigFile, node: yaml.Node, what: str, cure: str) -> Problem:
    return Problem(check="loki/unit-test", path=file.path, line=line(node), what=what, cure=cure)
