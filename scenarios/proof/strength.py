"""Where a scenario says how strong its fault is, and how long it takes to show."""

import ast
import inspect
from dataclasses import fields, is_dataclass
from pathlib import Path

from scenarios.proof.catalogue import ScenarioFile
from stack.paths import REPO

TIME = "shows_within_s"

_LESS = "have the rule ask for less"


def advice(found: ScenarioFile) -> str:
    """What to change, and in which line, where the fault was too weak or had too little time; empty
    when the file does not say it plainly."""
    try:
        fault = _fault(ast.parse(found.file.read_text()))
        if fault is None:
            return ""
        where = f"{_shown(found.file)}:{fault.lineno}"
        strengths = [
            f"`{one.arg}` (now {ast.unparse(one.value)})"
            for one in (fault.keywords if isinstance(fault, ast.Call) else ())
            if one.arg and not one.arg.endswith("_s") and _is_strength(one.value)
        ]
        stronger = f"more strength with {' or '.join(strengths)} in {where}" if strengths else ""
        ways = [f"give it {_longer(found, fault, where)}", stronger, _LESS]
        return ", or ".join(filter(None, ways))
    except (OSError, SyntaxError, TypeError):
        return ""


def _is_strength(value: ast.expr) -> bool:
    """Whether there can be more of it: of words, of yes or no, and of who does it there cannot."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int | float) and not isinstance(value.value, bool)
    return not isinstance(value, ast.Tuple | ast.List | ast.Set | ast.Dict | ast.JoinedStr)


def _longer(found: ScenarioFile, fault: ast.expr, where: str) -> str:
    kind = type(found.scenario.fault)
    now = f"more time with `{TIME}` (now {found.scenario.fault.shows_within_s:g} s)"
    takes = is_dataclass(kind) and TIME in {one.name for one in fields(kind) if one.init}
    made = isinstance(fault, ast.Call) and ast.unparse(fault.func).endswith(kind.__name__)
    return f"{now} in {where}" if takes and made else f"{now} in {_declared(kind)}"


def _declared(kind: type) -> str:
    """Where the class says how long it takes."""
    lines, first = inspect.getsourcelines(kind)
    at = next((number for number, line in enumerate(lines) if TIME in line), 0)
    return f"{_shown(Path(inspect.getfile(kind)))}:{first + at}"


def _fault(module: ast.Module) -> ast.expr | None:
    """What the scenario's `fault` is made by: also where it has a name first."""
    names = {
        target.id: one.value
        for one in module.body
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.keyword) and node.arg == "fault":
            value = node.value
            return names.get(value.id, value) if isinstance(value, ast.Name) else value
    return None


def _shown(file: Path) -> Path:
    return file.relative_to(REPO) if file.is_relative_to(REPO) else file
