"""Every rule file and every template file is one that the main configuration loads."""

from collections.abc import Iterator
from pathlib import Path

from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.yamlfile import ConfigFile, entries, line, text


def check(configuration: Configuration) -> Iterator[Problem]:
    if file := configuration.prometheus:
        rules = sorted((configuration.root / "prometheus" / "rules").glob("*.yml"))
        yield from _listed(file, "rule_files", rules)
    if file := configuration.alertmanager:
        yield from _listed(file, "templates", configuration.templates)


def _listed(file: ConfigFile, key: str, files: list[Path]) -> Iterator[Problem]:
    """Patterns of a list `key` and the files that they should find."""
    taken: set[Path] = set()
    for pattern in entries(file.root, key):
        found = set(file.path.parent.glob(text(pattern))) if text(pattern) else set()
        taken |= found
        if not found:
            yield Problem(
                check="files/loaded",
                path=file.path,
                line=line(pattern),
                what=f"`{text(pattern)}` in `{key}` matches no file.",
                cure="Write a path or pattern relative to this file.",
            )
    for path in sorted(set(files) - taken):
        yield Problem(
            check="files/loaded",
            path=path,
            what=f"`{key}` of {file.path.name} does not match this file, so nothing loads it.",
            cure=f"Add it to `{key}`, or delete it.",
        )
