"""The dashboards of the folders that Grafana's provisioning files name; read again when changed.

A file that cannot be used is told of once and the others go on. What it was while it could be used
is shown as long as it is there.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stack.errors import BadInput
from stack.yamltext import load

LARGEST_BYTES = 8 << 20
"""Large public dashboards are a tenth of that."""

_LONGEST_UID = 40
"""Grafana's limit."""

_Signature = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A folder of dashboard files, and the name that it has in the list of dashboards."""

    path: Path
    folder: str
    folder_uid: str


def providers(folder: Path) -> tuple[Provider, ...]:
    """Those of all files in `folder`. Raises BadInput that names file and key."""
    files = sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])
    return tuple(provider for file in files for provider in read_providers(file))


def read_providers(file: Path) -> list[Provider]:
    """Those of one file. Raises BadInput as `providers`."""
    document = load(file) or {}
    listed = document.get("providers", []) if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise BadInput(f"{file}: `providers` is not a list.")
    found = []
    for index, entry in enumerate(listed):
        options = entry.get("options") if isinstance(entry, dict) else None
        path = options.get("path") if isinstance(options, dict) else None
        if not isinstance(path, str) or not path:
            raise BadInput(f"{file}: `providers[{index}].options.path` is missing or not text.")
        name = str(entry.get("folder") or "")
        uid = str(entry.get("folderUid") or slug(name))
        found.append(Provider(path=Path(path), folder=name, folder_uid=uid))
    return found


def slug(title: str) -> str:
    """The title as it stands in a dashboard's address."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def parse(text: bytes, name: str = "") -> dict[str, Any]:
    """A dashboard. One without a uid, as old ones are, gets one of its file's `name`.

    Raises BadInput that says what it is instead, with the line where it can."""
    try:
        document = json.loads(text, parse_constant=_no_number)
        json.dumps([[document]])  # as deep as it will be in an answer
    except json.JSONDecodeError as error:
        raise BadInput(f"it is not JSON: {error.msg}, line {error.lineno}") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise BadInput("it is not a JSON object")
    if document.get("uid") in (None, ""):
        document["uid"] = slug(name)[:_LONGEST_UID]
    for key in ("uid", "title"):
        if not isinstance(document.get(key), str) or not document[key]:
            raise BadInput(f"its `{key}` is missing or not text")
    return document


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


@dataclass(kw_only=True)
class Dashboard:
    """One dashboard as it was last good."""

    id: int
    file: Path
    provider: Provider
    document: dict[str, Any]
    version: int
    changed: float
    """Unix seconds."""
    problem: str = ""
    """Why the file can no longer be used; empty while it can."""

    @property
    def uid(self) -> str:
        return str(self.document["uid"])

    @property
    def title(self) -> str:
        return str(self.document["title"])

    @property
    def url(self) -> str:
        return f"/d/{self.uid}/{slug(self.title) or self.uid}"

    @property
    def tags(self) -> list[str]:
        tags = self.document.get("tags")
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    def found(self) -> dict[str, object]:
        """As `/api/search` shows it."""
        shown: dict[str, object] = {
            "id": self.id, "uid": self.uid, "orgId": 1, "title": self.title,
            "uri": f"db/{slug(self.title)}", "url": self.url, "slug": "", "type": "dash-db",
            "tags": self.tags, "isStarred": False, "sortMeta": 0, "isDeleted": False,
        }  # fmt: skip
        if self.provider.folder:
            shown |= {"folderUid": self.provider.folder_uid, "folderTitle": self.provider.folder,
                      "folderUrl": f"/dashboards/f/{self.provider.folder_uid}"}  # fmt: skip
        return shown

    def whole(self) -> dict[str, object]:
        """As `/api/dashboards/uid/UID` shows it."""
        at = datetime.fromtimestamp(self.changed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        in_folder = bool(self.provider.folder)
        meta: dict[str, object] = {
            "type": "db", "canSave": False, "canEdit": False, "canAdmin": False, "canStar": False,
            "canDelete": False, "slug": slug(self.title), "url": self.url,
            "expires": "0001-01-01T00:00:00Z", "created": at, "updated": at,
            "createdBy": "Anonymous", "updatedBy": "Anonymous", "version": self.version,
            "hasAcl": False, "isFolder": False,
            "folderUid": self.provider.folder_uid if in_folder else "",
            "folderTitle": self.provider.folder or "Dashboards",
            "folderUrl": f"/dashboards/f/{self.provider.folder_uid}" if in_folder else "",
            "provisioned": True, "provisionedExternalId": self.file.name,
        }  # fmt: skip
        if self.problem:
            meta["problem"] = self.problem
        return {"meta": meta, "dashboard": {**self.document, "id": self.id,
                                            "version": self.version}}  # fmt: skip


@dataclass(kw_only=True)
class _File:
    signature: _Signature
    problem: str = ""


@dataclass(kw_only=True)
class Library:
    """All dashboards. `tell` gets one line for each file that breaks, comes right or goes."""

    providers: tuple[Provider, ...]
    tell: Callable[[str, str], None]
    """Level and line."""
    _files: dict[Path, _File] = field(default_factory=dict)
    _shown: dict[Path, Dashboard] = field(default_factory=dict)
    _ids: int = 0

    def all(self) -> list[Dashboard]:
        """Every dashboard, by title; files that changed since are read again."""
        self._refresh()
        return sorted(self._shown.values(), key=lambda one: (one.title.lower(), one.uid))

    def get(self, uid: str) -> Dashboard | None:
        return next((one for one in self.all() if one.uid == uid), None)

    def problems(self) -> dict[str, str]:
        """File name → why it cannot be used."""
        self._refresh()
        return {path.name: file.problem for path, file in self._files.items() if file.problem}

    def _refresh(self) -> None:
        there: dict[Path, tuple[Provider, _Signature]] = {}
        for provider in self.providers:
            for path, signature in _listed(provider.path):
                there.setdefault(path, (provider, signature))
        for path in [path for path in self._files if path not in there]:
            del self._files[path]
            if self._shown.pop(path, None):
                self.tell("warn", f"{path.name}: it was removed, and its dashboard with it")
        for path, (provider, signature) in there.items():
            known = self._files.get(path)
            # What was refused because of another file is asked again when that has changed.
            if known and known.signature == signature and not known.problem.startswith(_TWIN):
                continue
            problem = self._read(path, provider, size=signature[2])
            if problem and (not known or known.problem != problem):
                self.tell("error", f"{path.name}: {problem}; the other dashboards go on")
            elif known and known.problem and not problem:
                self.tell("info", f"{path.name}: it can be shown again")
            self._files[path] = _File(signature=signature, problem=problem)

    def _read(self, path: Path, provider: Provider, size: int) -> str:
        """Take what the file says now; why it cannot be used, "" if it can."""
        before = self._shown.get(path)
        try:
            if size > LARGEST_BYTES:
                raise BadInput(f"it is larger than {LARGEST_BYTES} bytes")
            document = parse(path.read_bytes(), path.stem)
            changed = path.stat().st_mtime
        except BadInput as error:
            problem = error.what
        except OSError as error:
            problem = f"it cannot be read: {error.strerror}"
        else:
            twin = next((one for one in self._shown.values()
                         if one.uid == document["uid"] and one.file != path), None)  # fmt: skip
            if not twin:
                self._ids += 0 if before else 1
                self._shown[path] = Dashboard(
                    id=before.id if before else self._ids, file=path, provider=provider,
                    document=document, version=before.version + 1 if before else 1,
                    changed=changed,
                )  # fmt: skip
                return ""
            problem = f"{_TWIN}{document['uid']}`, which {twin.file.name} has already"
        if before:
            before.problem = problem
        return problem


_TWIN = "its `uid` is `"


def _listed(folder: Path) -> Iterator[tuple[Path, _Signature]]:
    """The dashboard files below a folder, and what changes when they do."""
    for path in sorted(folder.rglob("*.json")):
        try:
            found = path.stat()
        except OSError:
            continue  # removed since
        yield path, (found.st_mtime_ns, found.st_ino, found.st_size)
