"""Mutants that mean the same: an expression with another text that gives the same, whatever comes.

That is not proven but tried: promtool evaluates both over the series of the alert's unit tests, and
over these with one thing changed in each: twins that differ in a label, a metric that is missing,
one with the values of another test.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stack.check import programs
from stack.check.programs import Programs
from stack.durations import milliseconds, text_of
from stack.mutation.mutant import written
from stack.store import disk

WORLDS = 80
"""Sets of series that are tried at most."""

_MOMENTS = 12
"""In each of them, as evenly apart as can be."""

_ROUNDED = 1e-9
"""Less than that apart is what numbers round to."""

_LABEL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:\\.|[^"\\])*)"')
_OTHER = "another"

Series = Mapping[str, str]
"""As in a file of unit tests: `series` and `values`."""


class Twins:
    """Asks promtool whether two expressions differ."""

    def __init__(self, tools: Programs) -> None:
        self._tools = tools

    def same(
        self, one: str, other: str, tests: Sequence[Mapping[str, Any]], *, values: bool
    ) -> bool:
        """Whether nothing that is tried tells the two expressions apart; `values`: by what they
        give as well, not only of which series.

        `tests` are those of the alert: series, their interval, and when they are looked at. False
        without any. Raises HostCannot if promtool cannot be run.
        """
        asked = [f"({one}) unless ({other})", f"({other}) unless ({one})"]
        asked += [f"abs(({one}) - ({other})) > {_ROUNDED}"] if values else []
        groups = [
            {
                "interval": test.get("interval", "1m"),
                "input_series": [*world],
                "promql_expr_test": [
                    {"expr": expression, "eval_time": moment, "exp_samples": []}
                    for moment in _moments(test)
                    for expression in asked
                ],
            }
            for test, world in _worlds(tests)
        ]
        if not groups:
            return False
        with disk.scratch() as folder:
            file = Path(folder) / "twins.yml"
            file.write_text(written({"tests": groups}), encoding="utf-8")
            good, _ = programs.output([self._tools.promtool, "test", "rules", file], folder)
        return good


def _moments(test: Mapping[str, Any]) -> list[str]:
    """When its cases look, and between."""
    cases = sorted({milliseconds(str(case["eval_time"])) for case in test["alert_rule_test"]})
    between = [cases[-1] * at // _MOMENTS for at in range(1, _MOMENTS + 1)]
    every = sorted({*cases[:_MOMENTS], *between})
    return [text_of(one) for one in every if one > 0] or ["1m"]


def _worlds(
    tests: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], list[Series]]]:
    """As they are first, then those with a change; the same ones each time."""
    known = [(test, list(test.get("input_series") or [])) for test in tests]
    known = [(test, series) for test, series in known if series]
    yield from known[:WORLDS]
    more = [(test, world) for test, series in known for world in _otherwise(series, known)]
    random.Random(1).shuffle(more)
    yield from more[: max(0, WORLDS - len(known))]


def _otherwise(
    series: list[Series], known: Sequence[tuple[Mapping[str, Any], list[Series]]]
) -> Iterator[list[Series]]:
    labels = {name for one in series for name, _ in _LABEL.findall(one["series"])}
    metrics = {_metric(one) for one in series}
    elsewhere: dict[str, list[str]] = {}
    for _, others in known:
        for one in others:
            elsewhere.setdefault(_metric(one), []).append(one["values"])
    for name in sorted(labels):
        twins = [_with(one, name, _OTHER) for one in series]
        yield _together(series, twins)
        yield [_with(one, name, _OTHER) for one in series]
        for metric in sorted(metrics):
            own = [_with(one, name, _OTHER) for one in series if _metric(one) == metric]
            yield _together(series, own)
            yield _together([one for one in series if _metric(one) != metric], own)
            for values in sorted(set(elsewhere[metric]))[:4]:
                others = [{**one, "values": values} for one in own]
                yield _together(series, others)
                alike = [{**one, "values": values} if _metric(one) == metric else one
                         for one in series]  # fmt: skip
                yield _together(alike, others)
        yield _together(series, [_with(one, name, None) for one in series])
    for metric in sorted(metrics):
        yield [one for one in series if _metric(one) != metric]
        for values in sorted(set(elsewhere[metric])):
            yield [{**one, "values": values} if _metric(one) == metric else one for one in series]


def _metric(one: Series) -> str:
    return one["series"].partition("{")[0]


def _with(one: Series, name: str, value: str | None) -> Series:
    """The series with another value of a label, or without it."""
    labels = dict(_LABEL.findall(one["series"].partition("{")[2]))
    if name in labels:
        labels.pop(name)
        if value is not None:
            labels[name] = value
    inner = ", ".join(f'{key}="{said}"' for key, said in labels.items())
    return {**one, "series": f"{_metric(one)}{{{inner}}}"}


def _together(series: Sequence[Series], more: Sequence[Series]) -> list[Series]:
    """Each once: promtool takes no series twice."""
    found = {_key(one): one for one in series}
    for one in more:
        found.setdefault(_key(one), one)
    return list(found.values())


def _key(one: Series) -> tuple[str, tuple[tuple[str, str], ...]]:
    return _metric(one), tuple(sorted(_LABEL.findall(one["series"].partition("{")[2])))
