"""Mutants of the queries of dashboards."""

import json
from collections.abc import Iterator
from typing import Any

from stack.check import dashboardfiles
from stack.check.configuration import Configuration
from stack.mutation import expressions
from stack.mutation.mutant import Keys, Mutant, below, changed

_KINDS = ("metric", "matcher", "function", "aggregation", "grouping", "line filter")
"""What a person who looks at a panel would be misled by; no threshold is in a query."""


def mutants(configuration: Configuration) -> Iterator[Mutant]:
    """Of each query, in the order of files and panels."""
    for path in sorted(dashboardfiles.folder(configuration.root).glob("*.json")):
        source = path.read_text(encoding="utf-8")
        document = json.loads(source)
        for keys, panel in _panels(document, ()):
            for at, target in enumerate(panel.get("targets") or []):
                place = (*keys, "targets", at, "expr")
                expression = target.get("expr")
                if not isinstance(expression, str):
                    continue
                logs = "loki" in json.dumps(target.get("datasource") or panel.get("datasource"))
                line = 1 + source[: max(source.find(json.dumps(expression)), 0)].count("\n")
                for one in expressions.changes(expression, logs=logs):
                    if one.kind in _KINDS:
                        new = changed(document, place, one.applied(below(document, place)))
                        yield Mutant(
                            path=path.relative_to(configuration.root), line=line, kind="panel",
                            subject=f"panel `{document['uid']}/{panel['id']}`", what=one.what,
                            content=json.dumps(new, indent=1),
                        )  # fmt: skip


def _panels(document: Any, keys: Keys) -> Iterator[tuple[Keys, dict[str, Any]]]:
    for at, panel in enumerate(document.get("panels") or []):
        place = (*keys, "panels", at)
        yield place, panel
        yield from _panels(panel, place)
