"""What is done with a line before it is sent: the stages of a Promtail pipeline.

Those that the lab's configuration uses, as Promtail 3.6 documents them. Anything else is refused.
Regular expressions are RE2's, as in Go.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from stack.logql import regex
from stack.logql.errors import LogQLError
from stack.logql.golang import with_replacements
from stack.programs.logship import times
from stack.programs.logship.sections import Section


@dataclass(kw_only=True)
class Line:
    """One line, or a block of lines, on its way through the stages."""

    text: str
    labels: dict[str, str]
    extracted: dict[str, str] = field(default_factory=dict)
    time_ns: int | None = None
    """Its own time since 1970; None if it has none yet."""


Step = Callable[[Line], None]


@dataclass(frozen=True, kw_only=True)
class Multiline:
    """A line that does not begin a block belongs to the last one before it that does."""

    begins: Callable[[str], bool]
    max_lines: int
    max_wait_s: float


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    multiline: Multiline | None
    steps: tuple[Step, ...]

    def run(self, text: str, labels: dict[str, str]) -> Line:
        line = Line(text=text, labels=dict(labels), extracted=dict(labels))
        for step in self.steps:
            step(line)
        return line


def pipeline(stages: list[Section]) -> Pipeline:
    """The stages in order. Raises BadInput, naming file, stage and key."""
    multiline: Multiline | None = None
    steps: list[Step] = []
    for place, stage in enumerate(stages):
        name, settings = _only(stage)
        if name == "multiline":
            if place:
                raise stage.bad("must be the first stage for the lab's shipper", name)
            multiline = _multiline(settings)
        elif name == "labeldrop":
            steps.append(_labeldrop(stage, name))
        elif name in _STAGES:
            steps.append(_STAGES[name](settings))
        else:
            known = ", ".join(sorted({*_STAGES, "labeldrop", "multiline"}))
            raise stage.bad(
                f"is the stage `{name}`, which the lab's shipper does not know",
                cure=f"It knows {known}. For others run Promtail itself: STACK_LOGS=loki.",
            )
        settings.done()
    return Pipeline(multiline=multiline, steps=tuple(steps))


def _only(stage: Section) -> tuple[str, Section]:
    """Name and settings of a stage, which is a mapping with one key."""
    names = list(stage.keys())
    if len(names) != 1:
        raise stage.bad(f"has {len(names)} keys, expected one: the name of a stage")
    name = names[0]
    if not isinstance(name, str):
        raise stage.bad(f"has the key {name!r}, expected the name of a stage")
    if name == "labeldrop":
        return name, Section({}, stage.where, stage.file)
    if name == "labels":  # its keys are names, not settings
        return name, Section({"": stage.raw(name)}, f"{stage.where}.{name}", stage.file)
    return name, stage.section(name)


def _expression(settings: Section, key: str) -> str:
    text = settings.text(key)
    try:
        regex.compiled(text)
    except LogQLError as error:
        raise settings.bad(f"is not a valid regular expression: {error}", key) from None
    return text


def _multiline(settings: Section) -> Multiline:
    max_lines = settings.number("max_lines", 128)
    if not max_lines:
        raise settings.bad("is 0, expected at least 1", "max_lines")
    return Multiline(
        begins=regex.finds(_expression(settings, "firstline")),
        max_lines=max_lines,
        max_wait_s=settings.seconds("max_wait_time", "3s"),
    )


def _json(settings: Section) -> Step:
    """Extracts top-level fields; a line that is not a JSON object has none."""
    wanted = settings.texts("expressions")
    for name, path in wanted.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", path):
            raise settings.bad(f"is `{path}`, expected the name of a field", f"expressions.{name}")

    def step(line: Line) -> None:
        found = _parsed(line.text)
        if not isinstance(found, dict):
            return
        for name, path in wanted.items():
            value = found.get(path)
            text = value if value is None or isinstance(value, str) else _json_text(value)
            if text is not None:
                line.extracted[name] = text

    return step


def _parsed(text: str) -> Any:
    """None for what is not JSON. Half of a surrogate pair, which whoever logs in can send and most
    programs write as `\\ud800`, is a character like any other, as in Go.
    """
    for attempt in (str, with_replacements):
        try:
            return orjson.loads(attempt(text))
        except orjson.JSONDecodeError:
            if "\\u" not in text:
                break
    return None


def _json_text(value: Any) -> str | None:
    """None for what lies deeper than can be written."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return None


def _regex(settings: Section) -> Step:
    named, find = regex.groups(_expression(settings, "expression"))
    source = settings.text("source", "")
    if not named:
        raise settings.bad("has no named group", "expression")

    def step(line: Line) -> None:
        text = line.extracted.get(source) if source else line.text
        if text is not None and (groups := find(text)):
            line.extracted.update((name, groups[number]) for number, name in named)

    return step


def _timestamp(settings: Section) -> Step:
    source, layout = settings.text("source"), settings.text("format")
    if settings.text("action_on_failure", "fudge") != "skip":
        raise settings.bad(
            "must be `skip`: a line without a time gets the time at which it is read",
            "action_on_failure",
        )
    location = settings.raw("location")
    try:
        parse = times.parser(layout, location)
    except ValueError as error:
        raise settings.bad(f"cannot be used: {error}") from None

    def step(line: Line) -> None:
        parsed = parse(line.extracted.get(source, ""))
        if parsed is not None:
            line.time_ns = parsed

    return step


_TEMPLATES = {"ToLower": str.lower, "ToUpper": str.upper}


def _template(settings: Section) -> Step:
    source, text = settings.text("source"), settings.text("template")
    match = re.fullmatch(r"\{\{-?\s*(\w+)\s+\.Value\s*-?\}\}", text)
    if not match or match[1] not in _TEMPLATES:
        known = " or ".join(f"`{{{{ {name} .Value }}}}`" for name in _TEMPLATES)
        raise settings.bad(f"is `{text}`; the lab's shipper only knows {known}", "template")
    change = _TEMPLATES[match[1]]

    def step(line: Line) -> None:
        if value := line.extracted.get(source):
            line.extracted[source] = change(value)

    return step


def _labels(settings: Section) -> Step:
    wanted = settings.texts("")

    def step(line: Line) -> None:
        for name, source in wanted.items():
            if value := line.extracted.get(source):
                line.labels[name] = value

    return step


def _labeldrop(stage: Section, name: str) -> Step:
    dropped = stage.items(name)
    if not all(isinstance(each, str) for each in dropped):
        raise stage.bad(f"is {dropped!r}, expected a list of labels", name)

    def step(line: Line) -> None:
        for each in dropped:
            line.labels.pop(each, None)

    return step


_STAGES: dict[str, Callable[[Section], Step]] = {
    "json": _json,
    "labels": _labels,
    "regex": _regex,
    "template": _template,
    "timestamp": _timestamp,
}
