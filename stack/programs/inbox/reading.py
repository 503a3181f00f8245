"""Reads what notifications have in common: alert names, kind, and unrendered templates."""

import html
import json
import re
from collections.abc import Iterable, Iterator

from stack.programs.inbox.message import Kind

_STATUS = re.compile(r"\s*\[(?P<status>FIRING|RESOLVED)\b[^\]]*\]\s*(?:\[[^\]]*\]\s*)*", re.I)
_NAME = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<comma>\s*,\s*)?")
_LABEL = re.compile(r"^[\s\-*•]*alertname\s*[=:]\s*[\"']?([A-Za-z_]\w*)", re.M)
_UNRENDERED = re.compile(r"<no value>|%!\w?\(|\{\{|\}\}")


def kind_of(*headings: str) -> Kind:
    """Return the kind given by the first heading that begins with `[FIRING` or `[RESOLVED`."""
    for heading in headings:
        if found := _STATUS.match(heading):
            return Kind(found["status"].lower())
    return Kind.OTHER


def alert_names(headings: Iterable[str], texts: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the alert names in a notification, each once, in order of appearance.

    A heading names them after its status: `[FIRING:1] HighLatencyP95 …`, `[RESOLVED] DiskFull …`
    or, if there are several, `[FIRING:2] DiskFull, DiskSlow …`; bracketed words between status and
    name (`[FIRING:1] [critical] DiskFull`) are skipped, and what follows the name is prose.
    A text names them in lines `alertname = DiskFull`, as Alertmanager's own templates list labels
    (template/default.tmpl of 0.28.1, `__text_alert_list`). Headings without a status name none.
    """
    names: dict[str, None] = {}
    for heading in headings:
        if status := _STATUS.match(heading):
            position: int | None = status.end()
            while position is not None and (found := _NAME.match(heading, position)):
                names[found["name"]] = None
                position = found.end() if found["comma"] else None
    for text in texts:
        names.update(dict.fromkeys(_LABEL.findall(text)))
    return tuple(names)


def unrendered(texts: Iterable[str]) -> list[str]:
    """Return a problem for each kind of template residue in the texts, each kind once.

    Go's text/template prints `<no value>` for a missing map entry, fmt prints `%!s(…)` and the
    like for a wrong verb; braces remain when a template was quoted or never executed.
    """
    found: dict[str, str] = {}
    for text in map(html.unescape, texts):
        for match in _UNRENDERED.finditer(text):
            around = text[max(match.start() - 30, 0) : match.end() + 30]
            found.setdefault(match[0], " ".join(around.split()))
    return [f"unrendered template: `{left}` in `{around}`" for left, around in found.items()]


def read_object(body: bytes | str) -> dict[str, object] | None:
    """Parse a JSON object; None for anything else, however malformed, nested or encoded."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def strings(value: object) -> Iterator[str]:
    """Yield every string in a JSON value, also keys. Iterative: the sender chooses the depth."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case dict(entries):
                waiting.extend(entries.keys())
                waiting.extend(entries.values())
            case list(items):
                waiting.extend(items)


def text_at(entries: dict[str, object], key: str) -> str:
    """Return `entries[key]` as text: empty if missing or null, JSON if it is not a string."""
    value = entries.get(key)
    if isinstance(value, str):
        return value
    return "" if value is None else as_json(value)


def as_json(value: object, *, indent: int | None = None) -> str:
    """Write a JSON value. What is nested too deeply becomes an ellipsis."""
    try:
        return json.dumps(value, indent=indent, ensure_ascii=False)
    except RecursionError:
        return "…"


def objects_at(entries: dict[str, object], key: str) -> list[dict[str, object]]:
    """Return the objects in the list `entries[key]`; anything else is left out."""
    value = entries.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
