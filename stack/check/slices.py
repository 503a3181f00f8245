"""A file of unit tests in parts: the tests of one alert with the rules that they need.

promtool evaluates every rule of a file at every step of every test; a part has one alert's rule and
what is recorded. Lines that do not belong to a part are blank in it, so that line numbers stay
true, and are left out of its digest, so that an edit elsewhere does not change it.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from stack.check.yamlfile import ConfigFile, compose, entries, get, text


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Files that promtool can be given, by their path from the folder that holds them."""

    test: Path
    files: dict[Path, str]
    digest: str
    whole: bool
    """Whether nothing was left out."""

    def write(self, folder: Path) -> Path:
        """Write it below `folder`; returns the path of the test file."""
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        return folder / self.test


@dataclass(frozen=True, kw_only=True)
class _Cut:
    text: str
    kept: str


def slices(file: ConfigFile) -> list[Slice]:
    """The parts of a file of unit tests; all of it in one where it cannot be cut."""
    source = file.path.read_text()
    rules = {path: path.read_text() for path in _rule_files(file)}
    tests = entries(file.root, "tests")
    by_alerts: dict[frozenset[str], list[yaml.Node]] = {}
    for test in tests:
        cases = entries(test, "alert_rule_test")
        names = frozenset(text(get(case, "alertname")) for case in cases)
        # An expression may read anything, ALERTS of every rule, say.
        alone = names and not get(test, "promql_expr_test")
        by_alerts.setdefault(names if alone else frozenset(), []).append(test)
    parts = []
    for names, kept in by_alerts.items():
        part = _part(file, source, tests, kept, rules, names)
        if part is None:
            return [_whole(file, source, rules)]
        parts.append(part)
    return parts or [_whole(file, source, rules)]


def _rule_files(file: ConfigFile) -> list[Path]:
    patterns = [text(node) for node in entries(file.root, "rule_files")]
    folder = file.path.parent
    return [path for one in patterns if one for path in sorted(folder.glob(one))]


def _part(
    file: ConfigFile,
    source: str,
    tests: list[yaml.Node],
    kept: list[yaml.Node],
    rules: dict[Path, str],
    names: frozenset[str],
) -> Slice | None:
    """None where a part cannot be understood alone: it uses an anchor of another, say."""
    test = _cut(source, tests, kept)
    if test is None or not _composes(test.text):
        return None
    cuts: dict[Path, _Cut] = {}
    for path, content in rules.items():
        cut = _rules(content, names) if names and "ALERTS" not in content else None
        cuts[path] = cut or _Cut(text=content, kept=content)
    return _slice(file, test, cuts, whole=False)


def _whole(file: ConfigFile, source: str, rules: dict[Path, str]) -> Slice:
    cuts = {path: _Cut(text=content, kept=content) for path, content in rules.items()}
    return _slice(file, _Cut(text=source, kept=source), cuts, whole=True)


def _slice(file: ConfigFile, test: _Cut, cuts: dict[Path, _Cut], *, whole: bool) -> Slice:
    # Both keep their places to each other, whatever `..` leads from one to the other.
    paths = [file.path.resolve(), *(path.resolve() for path in cuts)]
    top = Path(os.path.commonpath([path.parent for path in paths]))
    contents = [test, *cuts.values()]
    files = {path.relative_to(top): cut.text for path, cut in zip(paths, contents, strict=True)}
    digest = hashlib.sha256()
    for path, cut in zip(paths, contents, strict=True):
        for piece in (str(path.relative_to(top)), cut.kept):
            digest.update(hashlib.sha256(piece.encode()).digest())
    return Slice(
        test=paths[0].relative_to(top), files=files, digest=digest.hexdigest(), whole=whole
    )


def _rules(content: str, names: frozenset[str]) -> _Cut | None:
    """A rule file with the alerts of these names and everything that is recorded."""
    root = compose(content)
    rules = [rule for group in entries(root, "groups") for rule in entries(group, "rules")]
    kept = [rule for rule in rules if get(rule, "record") or text(get(rule, "alert")) in names]
    cut = _cut(content, rules, kept)
    return cut if cut and _composes(cut.text) else None


def _cut(source: str, nodes: list[yaml.Node], kept: Iterable[yaml.Node]) -> _Cut | None:
    """The text without the nodes that are not kept; None where they share lines."""
    lines = source.splitlines(keepends=True)
    kept_at = {id(node) for node in kept}
    starts = [node.start_mark.line for node in nodes]
    if len(set(starts)) != len(starts):
        return None
    left_out: set[int] = set()
    for node in nodes:
        if id(node) not in kept_at:
            first, end = node.start_mark.line, node.end_mark
            if not lines[first].lstrip().startswith("- ") or "<<" in lines[first]:
                return None
            left_out.update(range(first, end.line + (1 if end.column and _inside(node) else 0)))
    blanked = ["\n" if at in left_out else one for at, one in enumerate(lines)]
    remaining = "".join(one for at, one in enumerate(lines) if at not in left_out)
    return _Cut(text="".join(blanked), kept=remaining)


def _inside(node: yaml.Node) -> bool:
    """Whether the node ends on a line of its own: a `{…}` does, a block ends on the next one."""
    return bool(getattr(node, "flow_style", False))


def _composes(content: str) -> bool:
    try:
        return compose(content) is not None
    except yaml.YAMLError:
        return False
