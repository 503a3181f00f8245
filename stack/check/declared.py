"""What scenarios declare fits rules and audience: their text is read, nothing is imported."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from stack.check.configuration import AlertRule, Configuration
from stack.check.names import scenario_path
from stack.check.problem import Problem
from stack.check.reads import selectors
from stack.check.scaling import SPEED
from stack.check.scrapes import jobs
from stack.check.suggest import nearest
from stack.check.yamlfile import entries, get, pairs, text
from stack.config.audience import destinations, rests
from stack.errors import BadInput
from stack.speed import hours

FAULTS = Path("loadgen") / "faults"


@dataclass(frozen=True, kw_only=True)
class DeclaredScenario:
    """The literal parts of a scenario; None for a part that is computed."""

    path: Path
    line: int
    alert: str | None
    labels: dict[str, str] | None
    notifications: tuple[tuple[str, str], ...] | None
    """Channel and destination of each."""


def check(configuration: Configuration, scenarios: Path) -> Iterator[Problem]:
    """`scenarios` is their folder; the faults lie in `loadgen/faults/` beside it."""
    carried, now_in = _carried(configuration), _now_in(configuration)
    told: set[str] = set()
    for alert in configuration.alerts:
        path = scenarios / scenario_path(alert.name, alert.path)
        if not path.is_file():
            continue  # reported as missing
        try:
            tree = _parsed(path.read_bytes())
        except (SyntaxError, ValueError) as error:
            said = error.msg if isinstance(error, SyntaxError) else str(error)
            yield Problem(
                check="scenarios/syntax",
                path=path,
                line=getattr(error, "lineno", None),
                what=f"not valid Python: {said}.",
                cure="Fix it; `doit verify-alerts` cannot play it.",
            )
            continue
        if one := _declared(tree, path):
            yield from _fits(one, alert, now_in)
            # Scenarios of one host all say its name: a change of it is told once.
            for problem in _carries(one, carried.get(alert.name), _targets(configuration, alert)):
                words = problem.what.partition("` ")[2]
                if "target" not in words or words not in told:
                    yield problem
                told.add(words)
        yield from _faults(tree, path, scenarios.parent / FAULTS)


def _fits(one: DeclaredScenario, alert: AlertRule, now_in: Collection[str]) -> Iterator[Problem]:
    """Name, severity and team as in the rule; whoever must be notified of such an alert is."""

    def problem(check: str, what: str, cure: str) -> Problem:
        return Problem(check=f"scenarios/{check}", path=one.path, line=one.line, what=what,
                       cure=cure)  # fmt: skip

    if one.alert is not None and one.alert != alert.name:
        yield problem(
            "alert",
            f"it is about `{one.alert}`, but its file is named after `{alert.name}`.",
            f"Write `{alert.name}` or rename the file.",
        )
    if one.labels is not None:
        for name in ("severity", "team"):
            ruled, declared = text(alert.label(name)), one.labels.get(name, "")
            if ruled != declared:
                yield problem(
                    "labels",
                    f"`{alert.name}` has {name} `{declared or 'none'}` here and "
                    f"`{ruled or 'none'}` in rules/{alert.path.name}.",
                    "Change the one that is wrong.",
                )
    if one.labels is not None and one.notifications is not None:
        severity = one.labels.get("severity")
        table = destinations(severity, one.labels.get("team"))
        wanted = {pair for pair in table if not rests(severity, pair[0], now_in)}
        found = set(one.notifications)
        for said, differing in (("lacks", wanted - found), ("has", found - wanted)):
            for channel, where in sorted(differing):
                yield problem(
                    "notifications",
                    f"`{alert.name}` {said} the notification {channel}(`{where}`), which severity "
                    f"and team {'require' if said == 'lacks' else 'do not allow'}.",
                    "List what stack/config/audience.py says.",
                )


def _now_in(configuration: Configuration) -> frozenset[str]:
    """The time intervals in which the instances of proofs live."""
    file = configuration.alertmanager
    try:
        return hours.lived_in(file.plain, SPEED) if file else frozenset()
    except BadInput:  # `scaling` says so
        return frozenset()


def _carried(configuration: Configuration) -> dict[str, frozenset[str]]:
    """The labels that each alert has in the unit tests in which it fires."""
    found: dict[str, frozenset[str]] = {}
    for file in (*configuration.unit_tests, *configuration.log_tests):
        for group in entries(file.root, "tests"):
            for case in entries(group, "alert_rule_test"):
                for alert in entries(case, "exp_alerts"):
                    names = frozenset(name for name, _ in pairs(get(alert, "exp_labels")))
                    found.setdefault(text(get(case, "alertname")), names)
    return found


def _targets(configuration: Configuration, alert: AlertRule) -> dict[str, set[str]]:
    """The values that `job` and `instance` have on the targets that an alert reads."""
    found: dict[str, set[str]] = {"job": set(), "instance": set()}
    if alert.on_logs or not configuration.prometheus:
        return found
    asked = list(selectors(alert.expression))
    for job in jobs(configuration.prometheus):
        for target in job.targets:
            name = target.labels.get("job") or ""
            if not any(one.holds("job", name) for one in asked):
                continue
            for name, values in found.items():
                if value := target.labels.get(name):
                    values.add(value)
    return found


def _carries(
    one: DeclaredScenario, carried: frozenset[str] | None, targets: dict[str, set[str]]
) -> Iterator[Problem]:
    """All labels of the alert are declared, with values that targets have."""

    def problem(what: str, cure: str) -> Problem:
        return Problem(check="scenarios/labels", path=one.path, line=one.line, what=what, cure=cure)

    if one.labels is None:
        return
    for name in sorted((carried or frozenset()) - set(one.labels) - {"severity", "team"}):
        yield problem(
            f"`{one.alert}` carries label `{name}`, which is not declared here.",
            f"Add `{name}` to `labels`: the proof compares all of them.",
        )
    for name in sorted(set(one.labels) - carried if carried else ()):
        if name not in ("severity", "team"):
            yield problem(
                f"`{one.alert}` does not carry label `{name}`.",
                nearest(name, (carried or frozenset()) - set(one.labels)),
            )
    for name, values in targets.items():
        value = one.labels.get(name)
        if value and values and value not in values:
            yield problem(
                f"`{one.alert}` has {name} `{value}` here; no target that it reads has.",
                nearest(value, values),
            )


def _declared(tree: ast.Module, path: Path) -> DeclaredScenario | None:
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and [ast.unparse(target) for target in node.targets] == ["SCENARIO"]
            and isinstance(node.value, ast.Call)
        ):
            given = {word.arg: word.value for word in node.value.keywords if word.arg}
            alert, labels = _literal(given.get("alert")), _literal(given.get("labels"))
            return DeclaredScenario(
                path=path,
                line=node.lineno,
                alert=alert if isinstance(alert, str) else None,
                labels=labels if isinstance(labels, dict) else None,
                notifications=_notifications(given.get("notifications")),
            )
    return None


def _notifications(node: ast.expr | None) -> tuple[tuple[str, str], ...] | None:
    """Calls such as `slack("#alerts-database")`, all of them with one literal."""
    if not isinstance(node, ast.Tuple):
        return None
    found = []
    for call in node.elts:
        if not isinstance(call, ast.Call) or len(call.args) != 1:
            return None
        where = _literal(call.args[0])
        if not isinstance(where, str):
            return None
        found.append((ast.unparse(call.func), where))
    return tuple(found)


def _literal(node: ast.expr | None) -> object:
    try:
        return ast.literal_eval(node) if node else None
    except (ValueError, TypeError, RecursionError):
        return None


def _faults(tree: ast.Module, path: Path, folder: Path) -> Iterator[Problem]:
    """What is imported from a module of `loadgen.faults` is there."""
    if not folder.is_dir():
        return
    modules = {file.stem: file for file in folder.glob("*.py")}
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        package, _, module = node.module.rpartition(".")
        if node.module == "loadgen.faults":
            known = set(modules)
        elif package == "loadgen.faults":
            try:
                known = _names(modules[module]) if module in modules else set()
            except (SyntaxError, ValueError):
                continue  # said by who imports it
        else:
            continue
        for alias in node.names:
            if alias.name not in known:
                yield Problem(
                    check="scenarios/fault",
                    path=path,
                    line=node.lineno,
                    what=f"`{node.module}` has no fault `{alias.name}`.",
                    cure=nearest(alias.name, known),
                )


@lru_cache(maxsize=256)
def _parsed(source: bytes) -> ast.Module:
    """By its content: who checks many times parses it once."""
    return ast.parse(source)


def _names(file: Path) -> set[str]:
    """What a module defines or imports."""
    found = set()
    for node in _parsed(file.read_bytes()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found
