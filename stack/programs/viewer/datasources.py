"""Grafana's provisioning files of data sources, as far as the viewer needs them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stack.errors import BadInput
from stack.yamltext import load

TYPES = {"prometheus": "Prometheus", "loki": "Loki", "alertmanager": "Alertmanager"}
"""Type → its name, for people."""


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One source of figures; `url` is its base address, without a slash at the end."""

    id: int
    uid: str
    name: str
    type: str
    url: str
    default: bool
    options: Mapping[str, Any]
    """Grafana's `jsonData`."""

    @property
    def address(self) -> str:
        """`host:port`."""
        return urlsplit(self.url).netloc

    def as_json(self) -> dict[str, object]:
        """As `/api/datasources` shows it."""
        return {
            "id": self.id,
            "uid": self.uid,
            "orgId": 1,
            "name": self.name,
            "type": self.type,
            "typeName": TYPES[self.type],
            "typeLogoUrl": "",
            "access": "proxy",
            "url": self.url,
            "user": "",
            "database": "",
            "basicAuth": False,
            "isDefault": self.default,
            "jsonData": self.options,
            "readOnly": True,
        }

    def for_page(self) -> dict[str, object]:
        """As the page needs it: without where it really is."""
        shown = {key: self.as_json()[key] for key in ("id", "uid", "name", "type", "isDefault")}
        url = f"/api/datasources/proxy/uid/{self.uid}"
        return {**shown, "access": "proxy", "url": url, "jsonData": self.options, "readOnly": True}


def read(folder: Path) -> tuple[DataSource, ...]:
    """The data sources of all files in `folder`, in order of their names.

    Raises BadInput that names file and key; a folder that is not there has none.
    """
    found: list[DataSource] = []
    for file in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        found += read_file(file, found)
    return tuple(sorted(found, key=lambda source: source.name))


def read_file(file: Path, before: Sequence[DataSource] = ()) -> list[DataSource]:
    """Those of one file; `before` are those of others. Raises BadInput as `read`."""
    found: list[DataSource] = []
    for entry, where in _entries(file):
        known = [*before, *found]
        source = _source(entry, len(known) + 1, file, where)
        for key in ("uid", "name"):
            if any(getattr(other, key) == getattr(source, key) for other in known):
                raise BadInput(
                    f"{file}: `{where}.{key}` is `{getattr(source, key)}`, which another data "
                    "source has.",
                    cure="Give each its own.",
                )
        found.append(source)
    return found


def _entries(file: Path) -> Iterator[tuple[dict[str, Any], str]]:
    document = load(file) or {}
    listed = document.get("datasources", []) if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise BadInput(f"{file}: `datasources` is not a list.")
    for index, entry in enumerate(listed):
        if not isinstance(entry, dict):
            raise BadInput(f"{file}: `datasources[{index}]` is not a mapping.")
        yield entry, f"datasources[{index}]"


def _source(entry: dict[str, Any], id: int, file: Path, path: str) -> DataSource:
    def text(key: str) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value:
            raise BadInput(f"{file}: `{path}.{key}` is missing or not text.")
        return value

    kind, url = text("type"), text("url")
    if kind not in TYPES:
        raise BadInput(
            f"{file}: `{path}.type` is `{kind}`, which the lab's viewer does not know.",
            cure=f"It knows {', '.join(TYPES)}. For others run Grafana itself: "
            "STACK_GRAFANA=grafana.",
        )
    if not _is_address(url):
        raise BadInput(
            f"{file}: `{path}.url` is `{url}`, which is not the HTTP address of a service.",
            cure="Write it as http://prometheus:9090.",
        )
    options = entry.get("jsonData") or {}
    if not isinstance(options, dict):
        raise BadInput(f"{file}: `{path}.jsonData` is not a mapping.")
    return DataSource(
        id=id, uid=text("uid"), name=text("name"), type=kind, url=url.rstrip("/"),
        default=entry.get("isDefault") is True, options=options,
    )  # fmt: skip


def _is_address(url: str) -> bool:
    """Of a service, by HTTP, with nothing secret in it."""
    try:
        parts = urlsplit(url)
        good_port = parts.port != 0
    except ValueError:  # a bracket that is not closed, or a port that is no number
        return False
    plain = parts.scheme == "http" and "@" not in parts.netloc and not parts.query
    return plain and bool(parts.hostname) and good_port
