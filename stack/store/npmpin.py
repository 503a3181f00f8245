"""Pins npm's packages anew: the newest that a page's `package.json` allows, cut down to what its
bundle takes in.

Which versions go together only npm can say, so it must be installed here; fetching and building
need neither it nor Node. Each tarball is checked against what the registry says of it, then known
by its SHA-256 as every artifact is.
"""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.progress import Progress
from stack.store import npmlock, page, sources
from stack.store.artifact import Artifact, Tarball
from stack.store.derivation import Derivation
from stack.store.fetch import Refused, get
from stack.store.imports import keep
from stack.store.package import Page
from stack.store.realisation import Store
from stack.store.registry import registry

MANIFEST = "package.json"
"""Among a page's sources, beside its entry: the packages that it names itself."""

_DOWNLOADS_AT_ONCE = 6
_HTTP_TIMEOUT_S = 60
_NPM_TIMEOUT_S = 600
_PACKAGE = re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/]+")


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """One package as npm resolved it, with the places where it is to stand."""

    name: str
    version: str
    integrity: str
    places: tuple[str, ...]


def repinned(derivation: Derivation, store: Store, report: Progress) -> tuple[Tarball, ...]:
    """What the page of this derivation is to be bundled from; the tarballs are in the cache then.

    Raises HostCannot if npm is missing or the registry does not answer, CheckFailed for a tarball
    that is not what the registry says, BadInput if the page does not bundle with the new packages.
    """
    made = derivation.package.page
    assert made is not None
    with report.doing(f"asking npm which packages {made.folder} is to be made of"):
        wanted = [each for each in _resolved(manifest(made)) if each.name not in made.stubs]
    bases = (registry(),) if store.registries is None else store.registries
    known = {(a.name, a.version, a.integrity): a for a in _tarballs(derivation)}
    with (
        report.doing(f"fetching {len(wanted)} packages of npm"),
        httpx.Client(timeout=_HTTP_TIMEOUT_S, follow_redirects=True) as client,
        ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool,
    ):
        brought = tuple(pool.map(lambda each: _brought(each, known, bases, client, store), wanted))
    return _needed(replace(derivation, artifacts=brought), made, store)


def possible() -> bool:
    """Whether npm is installed here."""
    return shutil.which("npm") is not None


def manifest(made: Page) -> bytes:
    """The page's `package.json`. Raises BadInput if it has none."""
    beside = str(Path(made.entry).with_name(MANIFEST))
    found = sources.contents(made)
    if beside not in found:
        raise BadInput(
            f"`{made.folder}` has no `{beside}`, so nothing says which packages it is made of"
        )
    return found[beside]


def named(content: bytes) -> list[str]:
    """The packages that a `package.json` names, sorted."""
    document = json.loads(content)
    return sorted({*document.get("dependencies", {}), *document.get("optionalDependencies", {})})


def _tarballs(derivation: Derivation) -> list[Tarball]:
    return [each for each in derivation.artifacts if isinstance(each, Tarball)]


def _resolved(content: bytes) -> list[_Wanted]:
    """What npm makes of a `package.json`, in a folder of its own and installing nothing."""
    npm = shutil.which("npm")
    if npm is None:
        raise HostCannot(
            "npm is not installed, and only it can say which of its packages go together",
            cure="Install it; only `doit lock --update` needs it.",
        )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / MANIFEST).write_bytes(content)
        command = [npm, "install", "--package-lock-only", "--ignore-scripts", "--no-audit"]
        ran = subprocess.run(
            [*command, "--no-fund", "--loglevel=error"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_NPM_TIMEOUT_S,
        )
        if ran.returncode != 0:
            said = (ran.stderr.strip() or "no reason given").splitlines()
            raise HostCannot(
                f"npm cannot resolve the packages: {said[0]}",
                cure="Check that this host's npm reaches its registry.",
            )
        lock = json.loads((Path(folder) / "package-lock.json").read_text())
    return _grouped(lock["packages"])


def _grouped(packages: Mapping[str, Mapping[str, Any]]) -> list[_Wanted]:
    places: dict[tuple[str, str, str], list[str]] = {}
    for place, entry in packages.items():
        if place:  # else it is the page itself
            key = (npmlock.name_of(place), str(entry["version"]), str(entry["integrity"]))
            places.setdefault(key, []).append(place)
    return [
        _Wanted(name=name, version=version, integrity=integrity, places=tuple(at))
        for (name, version, integrity), at in sorted(places.items())
    ]


def _brought(
    wanted: _Wanted,
    known: Mapping[tuple[str, str, str], Tarball],
    bases: tuple[str, ...],
    client: httpx.Client,
    store: Store,
) -> Tarball:
    """The artifact, its content in the cache."""
    old = known.get((wanted.name, wanted.version, wanted.integrity))
    if old and (store.artifacts / old.sha256).exists():
        return replace(old, places=tuple(sorted(wanted.places)))
    bare = npmlock.tarball(
        wanted.name,
        wanted.version,
        places=wanted.places,
        integrity=wanted.integrity,
        sha256="",
        size=0,
        licence="",
    )
    content = _content(bare, bases, client)
    found = integrity(content)
    if found != wanted.integrity:
        raise CheckFailed(
            f"`{bare}` has the integrity {found}, the registry says {wanted.integrity}",
            cure="Nothing of it was kept. Do not trust this registry, or the network in between.",
        )
    made = replace(
        bare,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence=licence(content),
    )
    keep(made, [content], store.artifacts)
    return made


def _content(tarball: Tarball, bases: tuple[str, ...], client: httpx.Client) -> bytes:
    failures = []
    for base in bases:
        url = f"{base}/{tarball.path}"
        try:
            return get(client, url)
        except (httpx.HTTPError, Refused) as error:
            failures.append(f"    {url}: {str(error) or type(error).__name__}")
    raise HostCannot(
        f"`{tarball}` is not available from the registry:\n" + "\n".join(failures),
        cure="Check the network, or name another npm registry in NPM_CONFIG_REGISTRY.",
    )


def integrity(content: bytes) -> str:
    """As npm writes it: `sha512-`, then base64."""
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


def licence(tarball: bytes) -> str:
    """What the `package.json` of a tarball says, as an SPDX expression; empty if nothing."""
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        for member in archive:
            if re.fullmatch(r"[^/]+/package\.json", member.name):
                file = archive.extractfile(member)
                said = json.loads(file.read()) if file else {}
                return _licence(said.get("license") or said.get("licenses") or "")
    return ""


def _licence(said: object) -> str:
    """npm allowed an object, or a list of them, before it asked for an expression."""
    if isinstance(said, list):
        return " OR ".join(filter(None, map(_licence, said)))
    if isinstance(said, dict):
        said = said.get("type", "")
    return said if isinstance(said, str) and not said.startswith("SEE LICENSE") else ""


def _needed(derivation: Derivation, made: Page, store: Store) -> tuple[Tarball, ...]:
    """Those of the derivation's tarballs that its bundle takes something from, and its tools."""

    def read(artifact: Artifact) -> bytes:
        return (store.artifacts / artifact.sha256).read_bytes()

    with tempfile.TemporaryDirectory(prefix="lock-", dir=store.folder.parent) as folder:
        work, out = Path(folder) / "work", Path(folder) / "out"
        page.lay_out(made, derivation, read, work)
        page.bundle(made, derivation, read, work, out, "--metafile=../meta.json")
        inputs = json.loads((Path(folder) / "meta.json").read_text())["inputs"]
    taken = {match[0] for match in map(_PACKAGE.match, inputs) if match}
    taken |= {match[0] for copy in made.copies if (match := _PACKAGE.match(copy.what))}
    return tuple(_cut(_tarballs(derivation), lambda each, place: place in taken))


def _cut(tarballs: Iterable[Tarball], is_taken: Callable[[Tarball, str], bool]) -> list[Tarball]:
    found = []
    for each in tarballs:
        tool = each.name in page.TOOLS.values()
        places = tuple(place for place in each.places if tool or is_taken(each, place))
        if places:
            found.append(replace(each, places=places))
    return found
