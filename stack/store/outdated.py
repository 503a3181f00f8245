"""What the lock pins and what is available: Debian's by its signed metadata, upstream's by
its own word."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import httpx

from stack.store.artifact import Artifact, Tarball
from stack.store.lock import Lock
from stack.store.package import Package

_RELEASE = re.compile(
    r"https://(?P<host>github\.com)/(?P<repository>[^/]+/[^/]+)/releases/download/"
)
_ELSEWHERE = {"https://dl.grafana.com/grafana/": "github.com/grafana/grafana"}
"""Beginning of a URL -> the project whose releases are there."""

_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Behind:
    """An artifact of a package whose pinned version is not the one available."""

    package: str
    artifact: str
    pinned: str
    available: str

    def __str__(self) -> str:
        return f"{self.artifact} {self.pinned} -> {self.available}"


def behind(packages: Iterable[Package], old: Lock, new: Lock) -> list[Behind]:
    """Artifacts that `new` pins in another version, in the order of the packages; once each,
    whatever the number of systems that they are for."""
    versions = {
        (a.name, a.architecture): a.version for a in new.artifacts if not isinstance(a, Tarball)
    }
    found: dict[Behind, None] = {}
    for package in packages:
        for name in package.debs:
            for artifact in (a for a in old.artifacts if a.name == name):
                available = versions.get((name, artifact.architecture), artifact.version)
                if available != artifact.version:
                    found[
                        Behind(
                            package=package.name,
                            artifact=name,
                            pinned=artifact.version,
                            available=available,
                        )
                    ] = None
        if package.page:
            found |= dict.fromkeys(_behind_of_npm(package, old, new))
    return list(found)


def _behind_of_npm(package: Package, old: Lock, new: Lock) -> Iterator[Behind]:
    """Of one name, several versions can stand side by side."""
    before, after = _versions_of_npm(old), _versions_of_npm(new)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            pinned, available = (each.get(name, "not there") for each in (before, after))
            yield Behind(package=package.name, artifact=name, pinned=pinned, available=available)


def _versions_of_npm(lock: Lock) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for each in lock.tarballs:
        found.setdefault(each.name, []).append(each.version)
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}


def merged(packages: Iterable[Package], old: Lock, new: Lock) -> Lock:
    """A lock with what `new` pins for these packages, and what `old` pins for all others.

    What the suite has in another version by now is no longer in the archive of `new`'s moment: it
    keeps the moment at which it was.
    """
    chosen = {deb for package in packages for deb in package.debs}
    before = {(a.name, a.architecture): a for a in old.artifacts if not isinstance(a, Tarball)}

    def one(artifact: Artifact) -> Artifact:
        if isinstance(artifact, Tarball):  # no suite has those
            return artifact
        kept = before.get((artifact.name, artifact.architecture))
        if kept is None or artifact.name in chosen or kept.sha256 == artifact.sha256:
            return artifact
        return replace(kept, snapshot=kept.snapshot or old.snapshot)

    return replace(new, artifacts=tuple(map(one, new.artifacts)))


def latest(artifact: Artifact, client: httpx.Client) -> str | None:
    """The newest version that an upstream project released; None where nobody can be asked."""
    url = asked(artifact)
    if not url:
        return None
    try:
        answer = client.get(url, timeout=_TIMEOUT_S).raise_for_status().json()
        return str(answer["tag_name"]).removeprefix("v")
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def latest_of_npm(name: str, base: str, client: httpx.Client) -> str | None:
    """The version of a package that a registry calls its latest; None if it does not say."""
    try:
        answer = client.get(f"{base}/{name}/latest", timeout=_TIMEOUT_S).raise_for_status().json()
        return str(answer["version"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def asked(artifact: Artifact) -> str:
    """Where to ask for a project's releases, "" if that is not known.

    docs.github.com/en/rest/releases/releases, "Get the latest release".
    """
    match = _RELEASE.match(artifact.path)
    known = [of for begins, of in _ELSEWHERE.items() if artifact.path.startswith(begins)]
    project = f"{match['host']}/{match['repository']}" if match else "".join(known)
    host, _, repository = project.partition("/")
    return f"https://api.{host}/repos/{repository}/releases/latest" if project else ""
