"""What scenarios declare fits rules and audience: their text is read, nothing is imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.check.configuration import AlertRule, Configuration
from stack.check.names import scenario_path
from stack.check.problem import Problem
from stack.check.suggest import nearest
from stack.check.yamlfile import text
from stack.config.audience import destinations

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
    for alert in configuration.alerts:
        path = scenarios / scenario_path(alert.name, alert.path)
        if not path.is_file():
            continue  # reported as missing
        try:
            tree = ast.parse(path.read_text())
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
            yield from _fits(one, alert)
        yield from _faults(tree, path, scenarios.parent / FAULTS)


def _fits(one: DeclaredScenario, alert: AlertRule) -> Iterator[Problem]:
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
        table = destinations(one.labels.get("severity"), one.labels.get("team"))
        wanted, found = set(table), set(one.notifications)
        for said, differing in (("lacks", wanted - found), ("has", found - wanted)):
            for channel, where in sorted(differing):
                yield problem(
                    "notifications",
                    f"`{alert.name}` {said} the notification {channel}(`{where}`), which severity "
                    f"and team {'require' if said == 'lacks' else 'do not allow'}.",
                    "List what stack/config/audience.py says.",
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
    except ValueError:
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
            known = _names(modules[module]) if module in modules else set()
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


def _names(file: Path) -> set[str]:
    """What a module defines or imports."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found
