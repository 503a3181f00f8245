"""Rule files at a speed, and how long a rule waits."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stack.durations import INTERVAL_FLOOR_S, checked, scale_duration, seconds
from stack.errors import BadInput
from stack.speed.promql import longest_range, scale_expression

Mapping = dict[str, Any]

ANNOTATION = "speed"
"""An alert annotated `speed: "none"` keeps its plain numbers: they are not lab time."""

PATIENCE = 4
"""How many evaluations a `for` lasts at any speed, if it was written to last that many."""


@dataclass(frozen=True, kw_only=True)
class RuleDurations:
    """The waits in one rule, in seconds."""

    for_s: float
    keep_firing_for_s: float
    longest_range_s: float


def rule_durations(rule: Mapping) -> RuleDurations:
    """The waits in a rule as parsed from YAML; missing ones are 0. Raises BadInput."""
    return RuleDurations(
        for_s=seconds(str(rule.get("for", "0"))),
        keep_firing_for_s=seconds(str(rule.get("keep_firing_for", "0"))),
        longest_range_s=longest_range(str(rule.get("expr", ""))),
    )


def scale_rules(
    document: Mapping,
    speed: float,
    *,
    scrape_interval_s: float,
    written_scrape_s: float = 0.0,
    evaluation_interval_s: float = 60.0,
    expression: Callable[[str], str] | None = None,
    file: str,
) -> Mapping:
    """A new rule file at `speed`, from a parsed one.

    `scrape_interval_s` is at speed, `written_scrape_s` as written (0: not held against the ranges),
    `evaluation_interval_s` as written (Prometheus' default unless given). Divides group `interval`
    (floor 200 ms) and `query_offset`, `for`, `keep_firing_for` and the expressions; the annotation
    `speed` is removed. Intervals stop shrinking at 200 ms, so a `for` keeps as many evaluations as
    it was written for, up to four: one bad scrape must not fire an alert that waits for a minute.
    `expression` divides expressions in a language other than
    PromQL. Raises one BadInput with everything that is wrong.
    """
    checked(speed)
    scaled = copy.deepcopy(document)
    problems: list[str] = []
    scaling = _Scaling(
        speed=speed,
        scrape_interval_s=scrape_interval_s,
        written_scrape_s=written_scrape_s,
        evaluation_interval_s=evaluation_interval_s,
        expression=expression,
        problems=problems,
    )
    for group, where in _mappings(scaled, "groups", "group", problems):
        scaling.group(group, where)
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise BadInput(f"`{file}` cannot run at speed {speed:g}:{listed}")
    return scaled


def _mappings(
    parent: object, key: str, what: str, problems: list[str]
) -> Iterator[tuple[Mapping, str]]:
    """The mappings in the list `parent[key]`, each with its name for messages."""
    items = (parent.get(key) or []) if isinstance(parent, dict) else None
    if not isinstance(items, list):
        problems.append(f"`{key}` is not a list.")
        return
    for count, item in enumerate(items, start=1):
        if isinstance(item, dict):
            name = item.get("name") or item.get("alert") or item.get("record") or f"no. {count}"
            yield item, f"{what} `{name}`"
        else:
            problems.append(f"{what} no. {count} is {type(item).__name__}, expected a mapping.")


def _change(holder: Mapping, key: str, text: str) -> None:
    """Set a text, but leave an equal value with its YAML type: `for: 0` stays a number."""
    if text != str(holder.get(key, "")):
        holder[key] = text


@dataclass(frozen=True, kw_only=True)
class _Scaling:
    speed: float
    scrape_interval_s: float
    written_scrape_s: float
    evaluation_interval_s: float
    expression: Callable[[str], str] | None
    problems: list[str]

    def group(self, group: Mapping, where: str) -> None:
        written_s = self._written_interval_s(group)
        self._duration(group, "interval", where, floor_s=INTERVAL_FLOOR_S)
        self._duration(group, "query_offset", where)
        inner: list[str] = []
        for rule, name in _mappings(group, "rules", "rule", inner):
            self._rule(rule, f"{where}, {name}", written_s)
        self.problems.extend(f"{where}: {problem}" for problem in inner)

    def _written_interval_s(self, group: Mapping) -> float:
        try:
            return seconds(str(group["interval"]))
        except (KeyError, BadInput):  # what is not a duration is reported when it is divided
            return self.evaluation_interval_s

    def _patience_s(self, rule: Mapping, written_s: float) -> float:
        """How long `for` must last to keep its evaluations, in seconds at speed."""
        interval_s = max(written_s / self.speed, min(INTERVAL_FLOOR_S, written_s))
        try:
            evaluations = seconds(str(rule["for"])) / written_s
        except (KeyError, BadInput, ZeroDivisionError):
            return 0.0
        return min(evaluations, PATIENCE) * interval_s

    def _rule(self, rule: Mapping, where: str, written_s: float) -> None:
        self._duration(rule, "for", where, floor_s=self._patience_s(rule, written_s))
        self._duration(rule, "keep_firing_for", where)
        numbers = not self._keeps_numbers(rule, where)
        try:
            written = "" if rule.get("expr") is None else str(rule["expr"])
            if self.expression:
                expr = self.expression(written)
            else:
                expr = scale_expression(
                    written,
                    self.speed,
                    scrape_interval_s=self.scrape_interval_s,
                    written_scrape_s=self.written_scrape_s,
                    numbers=numbers,
                    recorded="record" in rule,
                )
            _change(rule, "expr", expr)
        except BadInput as error:
            self._problem(where, error)

    def _keeps_numbers(self, rule: Mapping, where: str) -> bool:
        """Whether the rule says that its numbers are not lab time; removes the annotation."""
        annotations = rule.get("annotations")
        if not isinstance(annotations, dict) or ANNOTATION not in annotations:
            return False
        word = annotations.pop(ANNOTATION)
        if not annotations:
            del rule["annotations"]
        if word != "none":
            problem = f'annotation `{ANNOTATION}` is `{word}`, its only value is `"none"`.'
            self.problems.append(f"{where}: {problem}")
        return True

    def _duration(self, holder: Mapping, key: str, where: str, *, floor_s: float = 0.0) -> None:
        if holder.get(key) is None:
            return
        try:
            _change(holder, key, scale_duration(str(holder[key]), self.speed, floor_s=floor_s))
        except BadInput as error:
            self._problem(f"{where}: `{key}`", error)

    def _problem(self, where: str, error: BadInput) -> None:
        self.problems.append(f"{where}: {error.what} {error.cure}".rstrip())
