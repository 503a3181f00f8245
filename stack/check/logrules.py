"""The rules on logs, as the log store reads them: their LogQL, their fields, their templates.

What is refused here, Loki or the lab's embedded store would refuse when it starts.
"""

from collections.abc import Iterator

import yaml

from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.yamlfile import ConfigFile, entries, get, is_null, line, plain, text
from stack.errors import BadInput
from stack.logql import LogQLError
from stack.logql import check as compiled
from stack.logql.rules import known_keys, read_group, read_rule, repeated

INTERVAL_S = 15.0
"""Any; whether a group can be read does not depend on it."""


def check(configuration: Configuration) -> Iterator[Problem]:
    for file in configuration.log_rules:
        yield from _keys(file)
        groups = entries(file.root, "groups")
        if not groups:
            yield _problem(file, None, "the file has no `groups`.",
                           "Write rules as in stack/config/loki/rules/.")  # fmt: skip
        for group in groups:
            yield from _group(file, group)
        if double := repeated(text(get(group, "name")) for group in groups):
            last = [one for one in groups if text(get(one, "name")) == double][-1]
            yield _problem(file, line(last), f"group `{double}` is there twice.", "Rename one.")


def _keys(file: ConfigFile) -> Iterator[Problem]:
    for key, _ in file.root.value if file.root else ():
        try:
            known_keys({str(key.value): None}, "the file")
        except BadInput as error:
            yield _problem(file, line(key), error.what, error.cure)


def _group(file: ConfigFile, group: yaml.Node) -> Iterator[Problem]:
    where = f"group `{text(get(group, 'name'))}`"
    try:
        rules = get(group, "rules")
        listed = rules is None or is_null(rules) or isinstance(rules, yaml.SequenceNode)
        shape = [] if listed else text(rules)
        read_group(file.path, {**plain(group), "rules": shape}, INTERVAL_S)
    except (BadInput, KeyError) as error:
        yield _refused(file, group, where, error)
    for rule in entries(group, "rules"):
        expr, name = get(rule, "expr"), f"`{text(get(rule, 'alert'))}`"
        try:
            compiled(text(expr))
            read_rule(plain(rule), where)
        except LogQLError as error:
            # The text of a block (`|`, `>`) begins on the line below its mark.
            block = getattr(expr, "style", None) in ("|", ">")
            below = max(error.line, 1) - (0 if block else 1)
            column = f" (column {error.column})" if error.column else ""
            yield _problem(file, line(expr or rule) + below,
                           f"{name}: not valid LogQL{column}: {error.message}.",
                           "Fix it; `doit logql` tries a query out.")  # fmt: skip
        except (BadInput, KeyError) as error:
            yield _refused(file, rule, name, error)


def _refused(file: ConfigFile, node: yaml.Node, where: str, error: BadInput | KeyError) -> Problem:
    if isinstance(error, BadInput):
        what = " ".join(error.what.split()).replace(f"`{file.path}`, ", "")
        return _problem(file, line(node), what, error.cure or "Fix it.")
    return _problem(file, line(node), f"{where} has no `{error.args[0]}`.", "Add it.")


def _problem(file: ConfigFile, number: int | None, what: str, cure: str) -> Problem:
    return Problem(check="loki/rules", path=file.path, line=number, what=what, cure=cure)
