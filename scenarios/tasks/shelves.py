"""`doit list-faults` and `doit list-users`: what scenarios take from the shelves of `loadgen`.

Read off the source, not imported, so that it is there at once and whatever a scenario lacks.
"""

import ast
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.errors import BadInput
from stack.names import choose
from stack.paths import REPO

FAULTS = REPO / "loadgen" / "faults"
USERS = REPO / "loadgen" / "users.py"
SCENARIOS = REPO / "scenarios"

_MOST = 100
_OTHERS = 3

_ALL_HAVE = {"touches", "shows_after_s", "shows_within_s", "lingers_s"}
"""Of every fault (`loadgen.faults.base.Fault`): when it shows, which scenarios seldom say."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that a scenario can name."""

    name: str
    """Of a fault with its module, as in `disk.DiskFilled`."""
    call: str
    """With its parameters, and what they are unless given."""
    does: Sequence[str]
    """Paragraphs."""
    needs: str
    """The import."""
    uses: Mapping[str, str]
    """Alert → the words of its scenario."""


def list_faults(names: Sequence[str]) -> None:
    """Print what each fault does, and how a scenario uses it. Raises BadInput for unknown names."""
    _show(faults(), names, "fault")


def list_users(names: Sequence[str]) -> None:
    """Print what each kind of user does, and which scenarios have it. Raises BadInput."""
    _show(users(), names, "kind of user")


def fault_names() -> list[str]:
    return [one.name for one in faults()]


def user_names() -> list[str]:
    return [one.name for one in users()]


def faults(folder: Path = FAULTS, scenarios: Path = SCENARIOS) -> list[Entry]:
    """Classes of faults, and the functions that make those that are not made by hand."""
    trees = {file.stem: _tree(file) for file in sorted(folder.glob("[!_]*.py"))}
    classes = {
        node.name: node
        for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)
    }  # fmt: skip
    kinds = {name for name in classes if _is_fault(name, classes)}
    uses = _uses(scenarios, "fault")
    found: list[Entry] = []
    for module, tree in trees.items():
        makers = [
            node for node in tree.body
            if isinstance(node, ast.FunctionDef) and _text(node.returns) in kinds
            and not node.name.startswith("_")
        ]  # fmt: skip
        made = {_text(node.returns) for node in makers}
        own = [
            node for node in tree.body
            if isinstance(node, ast.ClassDef) and node.name in kinds - made
            and not node.name.startswith("_")
        ]  # fmt: skip
        nodes: list[ast.ClassDef | ast.FunctionDef] = [*own, *makers]
        found += [_fault(module, node, classes, uses) for node in nodes]
    return found


def users(file: Path = USERS, scenarios: Path = SCENARIOS) -> list[Entry]:
    """The classes of Locust users that act by themselves."""
    uses = _uses(scenarios, "traffic")
    return [
        Entry(
            name=node.name,
            call=node.name,
            does=[_first(node), _tasks(node)],
            needs=f"from loadgen.users import {node.name}",
            uses=_by(uses, {node.name}),
        )
        for node in _tree(file).body
        if isinstance(node, ast.ClassDef) and node.bases and "abstract" not in _fields(node)
    ]


def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text())
    except SyntaxError as error:
        raise BadInput(f"{file.relative_to(REPO)}:{error.lineno}: {error.msg}.") from None


def _is_fault(name: str, classes: Mapping[str, ast.ClassDef]) -> bool:
    """It can be injected and undone, by itself or as a kind of another class; a `Protocol` only
    says what that is."""
    return {"inject", "undo"} <= _methods(name, classes)


def _methods(name: str, classes: Mapping[str, ast.ClassDef]) -> set[str]:
    node = classes.get(name)
    bases = [_text(base) for base in node.bases] if node else []
    if node is None or "Protocol" in bases:
        return set()
    own = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    return own.union(*(_methods(base, classes) for base in bases))


def _fault(
    module: str,
    node: ast.ClassDef | ast.FunctionDef,
    classes: Mapping[str, ast.ClassDef],
    uses: Mapping[str, str],
) -> Entry:
    name = f"{module}.{node.name}"
    if isinstance(node, ast.FunctionDef):
        takes, explained = _arguments(node), {}
        needs = f"from loadgen.faults import {module}"
    else:
        lines = [node, *(classes[_text(base)] for base in node.bases if _text(base) in classes)]
        takes = {k: v for one in reversed(lines) for k, v in _fields(one).items()}
        explained = _documented(node)
        needs = f"from loadgen.faults.{module} import {node.name}"
    takes = {k: v for k, v in takes.items() if k not in _ALL_HAVE and k[0] != "_"}
    parameters = ", ".join(f"{key}={value}" if value else key for key, value in takes.items())
    return Entry(
        name=name,
        call=f"{name}({parameters})",
        does=[_first(node), *(f"{key}: {explained[key]}" for key in takes if key in explained)],
        needs=needs,
        uses=_by(uses, {name, node.name}),
    )


def _first(node: ast.ClassDef | ast.FunctionDef) -> str:
    """The first paragraph of its docstring."""
    return " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())


def _tasks(node: ast.ClassDef) -> str:
    """What a user does, and how often of how many times."""
    weights: dict[str, int] = {}
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.decorator_list:
            decorator = one.decorator_list[0]
            called = decorator if isinstance(decorator, ast.Call) else None
            if _text(called.func if called else decorator) == "task":
                weight = ast.literal_eval(called.args[0]) if called and called.args else 1
                weights[one.name.replace("_", " ")] = weight
    whole = sum(weights.values())
    return ", ".join(f"{name} ({weight} in {whole})" for name, weight in weights.items())


def _by(uses: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {alert: text for alert, text in uses.items() if names & _called(text)}


def _called(text: str) -> set[str]:
    """The names in an expression of a scenario."""
    return {_text(n) for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name | ast.Attribute)}


def _arguments(node: ast.FunctionDef) -> dict[str, str]:
    given = node.args
    values = [None] * (len(given.args) - len(given.defaults)) + [*given.defaults]
    pairs = [
        *zip(given.args, values, strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return {argument.arg: _text(value) for argument, value in pairs}


def _fields(node: ast.ClassDef) -> dict[str, str]:
    """Attribute → its value, empty when it has none."""
    found = {}
    for one in node.body:
        if isinstance(one, ast.AnnAssign):
            found[_text(one.target)] = _text(one.value)
        elif isinstance(one, ast.Assign):
            found[_text(one.targets[0])] = _text(one.value)
    return found


def _documented(node: ast.ClassDef) -> dict[str, str]:
    """Attribute → the string that stands below it."""
    found = {}
    for one, after in zip(node.body, node.body[1:], strict=False):
        if isinstance(one, ast.AnnAssign) and isinstance(after, ast.Expr):
            said = after.value.value if isinstance(after.value, ast.Constant) else ""
            found[_text(one.target)] = " ".join(str(said).split())
    return found


def _uses(scenarios: Path, keyword: str) -> dict[str, str]:
    """Alert → what its scenario says of it."""
    found: dict[str, str] = {}
    for file in sorted(scenarios.glob("*/*.py")):
        text = file.read_text()
        if "SCENARIO = Scenario(" not in text:
            continue
        try:
            calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        except SyntaxError:
            continue  # `doit check` tells
        for call in calls:
            said = {one.arg: _text(one.value) for one in call.keywords if one.arg}
            if _text(call.func) == "Scenario" and "alert" in said and keyword in said:
                found[said["alert"].strip("'")] = said[keyword]
    return found


def _text(node: ast.AST | None) -> str:
    return ast.unparse(node) if node else ""


def _show(entries: Sequence[Entry], given: Sequence[str], what: str) -> None:
    by_name = {one.name: one for one in entries}
    groups: dict[str, list[str]] = {}
    for name in by_name:
        for group in name.split("."):  # a module, or a name in several
            groups.setdefault(group, []).append(name)
    wanted = choose(given, by_name, what=what, groups=groups) if given else list(by_name)
    print("\n\n".join("\n".join(_lines(by_name[name])) for name in wanted))


def _lines(one: Entry) -> Iterator[str]:
    yield one.call
    for said in (*one.does, one.needs):
        yield from _wrapped(said)
    if not one.uses:
        yield "  no scenario uses it yet"
        return
    shortest = min(one.uses, key=lambda alert: len(one.uses[alert]))
    yield from _wrapped(f"{shortest} has {one.uses[shortest]}")
    others = [alert for alert in one.uses if alert != shortest]
    more = f" and {len(others) - _OTHERS} more" if len(others) > _OTHERS else ""
    if others:
        yield from _wrapped(f"also in {', '.join(others[:_OTHERS])}{more}")


def _wrapped(text: str) -> list[str]:
    width = max(min(shutil.get_terminal_size().columns, _MOST), 30)
    return textwrap.wrap(
        text, width, initial_indent="  ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
