"""From the YAML that people edit to the YAML of one instance.

The checked-in files address services as under Compose (`backend:8000`), name secrets where Compose
puts them (`/run/secrets/…`) and files of targets by a path relative to the instance (`control/…`),
and link runbooks where they are published. All are resolved in the parsed document, never in its
text.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stack import yamltext
from stack.errors import BadInput
from stack.run import front, runbooks
from stack.run.service import Layout

_SECRETS = "/run/secrets/"

_ADDRESS = re.compile(
    r"^(?P<scheme>[a-z]+://)?(?P<host>[a-z][a-z0-9-]*):(?P<port>\d+)(?P<rest>/.*)?$"
)


def render(document: Any, layout: Layout, *, file: Path) -> str:
    """The document as YAML text with addresses and secrets resolved for the instance.

    `file` is named in messages. Raises BadInput for a port that a service does not have.
    """
    resolved = _walk(document, layout, file)
    return yamltext.write(resolved)


def _walk(node: Any, layout: Layout, file: Path) -> Any:
    if isinstance(node, dict):
        return {key: _item(key, value, layout, file) for key, value in node.items()}
    if isinstance(node, list):
        return [_walk(value, layout, file) for value in node]
    return resolve(node, layout, file) if isinstance(node, str) else node


def _item(key: str, value: Any, layout: Layout, file: Path) -> Any:
    if key == "static_configs":
        return [group for entry in value for group in _targets(entry, layout, file)]
    if key == "file_sd_configs":
        return [{**entry, "files": [str(layout.directory / one) for one in entry["files"]]}
                for entry in value]  # fmt: skip
    if isinstance(value, str) and value.startswith(_SECRETS):
        return str(layout.secret(value.removeprefix(_SECRETS)))
    return _walk(value, layout, file)


def _targets(entry: dict[str, Any], layout: Layout, file: Path) -> list[dict[str, Any]]:
    """One group per target, whose `instance` label stays as written whatever the port is."""
    return [
        {"targets": [resolve(target, layout, file)],
         "labels": {"instance": target, **entry.get("labels", {})}}
        for target in entry["targets"]
    ]  # fmt: skip


def resolve(text: str, layout: Layout, file: Path) -> str:
    """`backend:8000` as `127.0.0.1:<port>`, a published runbook as the page of it here; any other
    text is returned as it is.
    """
    if text.startswith(f"{runbooks.PUBLISHED}/"):
        return runbooks.served(text, layout)
    match = _ADDRESS.match(text)
    if not match or match["host"] not in layout.ports:
        return text
    address = layout.addresses.get(f"{match['host']}:{match['port']}")
    if address:
        return f"{match['scheme'] or ''}{address}{match['rest'] or ''}"
    known = [address for address in layout.addresses if address.startswith(match["host"] + ":")]
    raise BadInput(
        f"{file}: `{text}`: `{match['host']}` has no port {match['port']}.",
        cure=f"Write {' or '.join(known) or 'another service: this one has no port'}.",
    )


_DEFINED = re.compile(r"(\{\{-?\s*define\s[^}]*\}\})([^{}]*)(\{\{-?\s*end\s*-?\}\})")


def render_template(text: str, layout: Layout, *, file: Path) -> str:
    """A message template: what one defines as nothing but an address is resolved. Raises as
    `render`."""

    def resolved(found: re.Match[str]) -> str:
        body = found[2].strip()
        return f"{found[1]}{_linked(body, layout, file)}{found[3]}" if body else found[0]

    return _DEFINED.sub(resolved, text)


def _linked(text: str, layout: Layout, file: Path) -> str:
    """As `resolve`, for people: they come to a server's services through its front."""
    match = _ADDRESS.match(text)
    if layout.profile.is_production and match and match["host"] in front.PATHS:
        return f"{front.public(layout)}{front.PATHS[match['host']]}{match['rest'] or ''}"
    return resolve(text, layout, file)


def stranger(node: Any, below: tuple[str, ...], exactly: tuple[str, ...] = ()) -> tuple[str, str]:
    """The first absolute path in a document that is none of the container's folders: its key,
    `a.b[0]`, and itself. Both are empty where there is none.

    A native instance has folders of its own for those, and for no others.
    """
    for key, text in _texts(node, ""):
        if text.startswith("/") and not text.startswith(below) and text not in exactly:
            return key.removeprefix("."), text
    return "", ""


def _texts(node: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield key, node
    inner = node.items() if isinstance(node, dict) else ()
    for name, value in inner:
        yield from _texts(value, f"{key}.{name}")
    for place, value in enumerate(node if isinstance(node, list) else ()):
        yield from _texts(value, f"{key}[{place}]")
