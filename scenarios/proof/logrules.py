"""Alert rules on logs, which the log store's ruler evaluates, as the proof reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.proof.deadlines import LOGQL, Rule, alert_rules, parsed, read_rule, seconds
from stack.errors import BadInput
from stack.logql import LogQLError, parse
from stack.logql.ast import BinaryOperation, Literal, LogQuery, MetricQuery
from stack.logql.text import text_of
from stack.logql.walk import selectors
from stack.speed.logql import longest_range
from stack.speed.loki import evaluation_interval

SHIPPING_S = 1.0
"""What a line may take from its program into the store, real seconds at any speed. Shipper and
store wait for each other's batches; the median is a fifth of that."""

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def names(config_root: Path) -> frozenset[str]:
    """The alerts that have a rule in `loki/`."""
    return frozenset(str(rule["alert"]) for _, rule in alert_rules(config_root / "loki"))


def find_rule(alert: str, config_root: Path) -> Rule:
    """The rule of `alert`, in `loki/` or in `prometheus/` of a checkout or an instance.

    Raises BadInput when there is none, or more than one.
    """
    loki = config_root / "loki"
    found = [_rule(alert, group, rule, loki)
             for group, rule in alert_rules(loki) if rule["alert"] == alert]  # fmt: skip
    if len(found) > 1:
        raise BadInput(f"alert `{alert}`: {len(found)} rules in `{loki / 'rules'}`, wanted one.",
                       cure="Give each alert one rule with a name of its own.")  # fmt: skip
    return found[0] if found else read_rule(alert, config_root / "prometheus")


def _rule(alert: str, group: Mapping[str, Any], rule: Mapping[str, Any], loki: Path) -> Rule:
    expression = str(rule["expr"])
    every_s = evaluation_interval(dict(parsed((loki / "loki-config.yml").read_text())))
    return Rule(
        alert=alert,
        expression=expression,
        language=LOGQL,
        for_s=seconds(rule, "for", 0),
        keep_firing_for_s=seconds(rule, "keep_firing_for", 0),
        range_s=longest_range(expression),
        evaluation_s=seconds(group, "interval", every_s),
        scrape_s=0.0,
        answer_s=0.0,
        ship_s=SHIPPING_S,
    )


def streams(expression: str) -> list[str]:
    """The selectors that a rule reads, whatever the level: a healthy service writes no errors, but
    must be known to write."""
    try:
        found = list(selectors(parse(expression)))
    except LogQLError as error:
        raise BadInput(f"`{expression.strip()}`: {error}") from None
    every = [tuple(one for one in matchers if one.name != "level") for matchers in found]
    return list(dict.fromkeys(text_of(LogQuery(matchers=matchers)) for matchers in every))


def measured(expression: str) -> tuple[str, float | None]:
    """As `graphs.measured`: the measured side of the comparison, and its threshold."""
    try:
        query = parse(expression)
    except LogQLError:
        return expression, None
    if isinstance(query, LogQuery):
        return expression, None
    first = _first(query)
    if isinstance(first, BinaryOperation) and first.op in COMPARISONS:
        # The bare side: what is compared need not be true to be drawn.
        limit = first.right.value if isinstance(first.right, Literal) else None
        return text_of(first.left), limit
    return text_of(first), None


def _first(query: MetricQuery) -> MetricQuery:
    """The leftmost operand of `or`, `and` and `unless`."""
    while isinstance(query, BinaryOperation) and query.op in ("or", "and", "unless"):
        query = query.left
    return query
