"""How the metrics of a scheduler look: read from a text that a real one answered.

Everything that is counted there happens in a synthetic one as often, in proportion; what never
happened there does not happen here either.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from stack.errors import BadInput

_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')

_STARTED = "start_time_seconds"
"""How names of gauges end that hold when the process was started."""

_KEPT_TEMPLATES = 4
"""Members are of two generations at a time; a few late ones may be of an older one."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that is counted: what grows by one, and what grows by how long it took."""

    weight: float
    """How often it happened, in the text."""
    counted: Sequence[int]
    """Lines that grow by one."""
    summed: int | None = None
    """Line that grows by how long it took."""
    between: tuple[float, float] = (0.0, 0.0)
    """How long that was."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """All series with one value of the label whose values come and go."""

    value: str
    lines: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class _Line:
    name: str
    labels: tuple[tuple[str, str], ...]
    text: str
    """As written, up to the value."""
    value: float
    kind: str
    """Of its family: `counter`, `gauge`, `histogram`, `summary` or `untyped`."""

    def label(self, name: str) -> str | None:
        return dict(self.labels).get(name)

    def without(self, name: str) -> tuple[tuple[str, str], ...]:
        return tuple(one for one in self.labels if one[0] != name)


class Shape:
    """Lines up to their values, and what happens to these."""

    def __init__(self, text: str) -> None:
        """Raises BadInput for a text that is not in Prometheus' format, or counts nothing."""
        self._layout, self._lines = _parsed(text)
        if not self._lines:
            raise BadInput("the text that the fleet is to look like has no series.")
        lines = self._lines
        self.events: list[Event] = [*_counters(lines), *_histograms(lines)]
        if not self.events:
            raise BadInput("the text that the fleet is to look like counts nothing.")
        if not any(event.weight for event in self.events):  # of a scheduler that nobody asked yet
            self.events = [
                Event(weight=1, counted=one.counted, summed=one.summed, between=one.between)
                for one in self.events
            ]
        self.cumulative = [*accumulate(event.weight for event in self.events)]
        """Weights of the events up to each of them."""
        total = self.cumulative[-1]
        self.drifting = {
            number: one.value / total
            for number, one in enumerate(lines)
            if one.kind == "counter" and one.value != int(one.value)
        }
        """Lines that grow by a little with every event, such as seconds of CPU."""
        self.wandering = {
            number: one.value
            for number, one in enumerate(lines)
            if one.kind == "gauge" and abs(one.value) > 1 and not one.name.endswith(_STARTED)
        }
        """Lines that go up and down around a value."""
        self.started = [n for n, one in enumerate(lines) if one.name.endswith(_STARTED)]
        """Lines that say when the process was started."""
        self.first: list[float] = [
            0 if one.kind in ("counter", "histogram") or number in self.started else _whole(one)
            for number, one in enumerate(lines)
        ]
        """Values at the start."""
        self.label, self.groups = _groups(lines)
        self._templates: dict[int, str] = {}

    @property
    def series(self) -> int:
        """So many a member has."""
        return len(self._lines)

    def template(self, generation: int) -> str:
        """The text with `%s` for each value, once so many label values were replaced."""
        found = self._templates.get(generation)
        if found is None:
            found = self._templates[generation] = self._made(generation)
            while len(self._templates) > _KEPT_TEMPLATES:
                del self._templates[min(self._templates)]
        return found

    def replaced(self, generation: int) -> Sequence[int]:
        """Lines whose series end, and whose new ones begin, with this generation; it is 1 or
        more."""
        return self.groups[(generation - 1) % len(self.groups)].lines if self.groups else ()

    def _made(self, generation: int) -> str:
        texts = [line.text for line in self._lines]
        count = len(self.groups)
        for place, group in enumerate(self.groups):
            if times := (generation + count - 1 - place) // count:
                old = f'{self.label}="{group.value}"'
                new = f'{self.label}="{group.value}~{times}"'
                for number in group.lines:
                    texts[number] = texts[number].replace(old, new)
        return "".join(
            f"{part}\n".replace("%", "%%")
            if isinstance(part, str)
            else f"{texts[part]} ".replace("%", "%%") + "%s\n"
            for part in self._layout
        )


def _parsed(text: str) -> tuple[list[str | int], list[_Line]]:
    """Comments and numbers of lines in the order of the text, and the lines."""
    kinds: dict[str, str] = {}
    layout: list[str | int] = []
    lines: list[_Line] = []
    for number, row in enumerate(text.splitlines(), 1):
        if row.startswith("#"):
            if row.startswith("# TYPE "):
                _, _, name, kind = [*row.split(" ", 3), "untyped"][:4]
                kinds[name] = kind
            layout.append(row)
        elif row.strip():
            layout.append(len(lines))
            lines.append(_line(row, number, kinds))
    return layout, lines


def _line(row: str, number: int, kinds: Mapping[str, str]) -> _Line:
    series, _, value = row.strip().rpartition(" ")
    name = series.partition("{")[0]
    try:
        of = float(value)
    except ValueError:
        of = None
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name) or of is None:
        raise BadInput(f"line {number} of what the fleet is to look like is no series: `{row}`.")
    family = next((one for one in (name, re.sub("_(bucket|count|sum|total)$", "", name))
                   if one in kinds), name)  # fmt: skip
    return _Line(
        name=name, labels=tuple(_LABEL.findall(series)), text=series, value=of,
        kind=kinds.get(family, "untyped"),
    )  # fmt: skip


def _whole(line: _Line) -> float:
    """As it is written: whole numbers without a point."""
    return int(line.value) if line.value == line.value and abs(line.value) < 1e15 and (
        line.value == int(line.value)) else line.value  # fmt: skip


def _counters(lines: Sequence[_Line]) -> Iterable[Event]:
    for number, line in enumerate(lines):
        if line.kind == "counter" and line.value == int(line.value):
            yield Event(weight=line.value, counted=(number,))


def _histograms(lines: Sequence[_Line]) -> Iterable[Event]:
    """One event for each bucket of each histogram."""
    parts: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
    others: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
    for number, line in enumerate(lines):
        if line.kind != "histogram":
            continue
        if line.name.endswith("_bucket"):
            parts.setdefault((line.name.removesuffix("_bucket"), line.without("le")), []).append(
                number
            )
        else:
            others[line.name, line.labels] = number
    for (name, labels), buckets in parts.items():
        count, total = others.get((f"{name}_count", labels)), others.get((f"{name}_sum", labels))
        below = edge = 0.0
        for place, number in enumerate(buckets):
            upper = float(lines[number].label("le") or "inf")
            yield Event(
                weight=max(0.0, lines[number].value - below),
                counted=(*buckets[place:], *(() if count is None else (count,))),
                summed=total,
                between=(edge, edge * 2 if upper == float("inf") else upper),
            )
            below, edge = lines[number].value, upper


def _groups(lines: Sequence[_Line]) -> tuple[str, list[Group]]:
    """The label with the most values, and its values with their lines, as they come."""
    values: dict[str, dict[str, list[int]]] = {}
    for number, line in enumerate(lines):
        for label, value in line.labels:
            if label != "le":
                values.setdefault(label, {}).setdefault(value, []).append(number)
    if not values:
        return "", []
    label = max(values, key=lambda one: len(values[one]))
    return label, [Group(value=value, lines=found) for value, found in values[label].items()]
