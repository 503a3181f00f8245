"""The lock of npm's tarballs, `stack/npm-lock.json`: what of npm the lab's pages are bundled from.

It stands beside `lock.toml` as `requirements.txt` does for wheels: in the form that npm itself
writes (npm's documentation, "package-lock.json", version 3), so that tools which audit
such files read it, and cut down to what the bundle takes in. Each package has npm's `version`,
`integrity` and `license`, and `sha256` and `size` besides, by which the lab knows every artifact.
`resolved` is left out: it would name a host. `doit lock --update` writes the file.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from stack import jsontext
from stack.errors import BadInput
from stack.store.artifact import Tarball

_SHOWN = 10  # problems named of one file
_PLACE = re.compile(
    r"node_modules/(@[a-z0-9._~-]+/)?[a-z0-9._~-]+(/node_modules/(@[a-z0-9._~-]+/)?[a-z0-9._~-]+)*"
)
_VALUES = {
    "version": re.compile(r"[0-9A-Za-z.+-]+"),
    "integrity": re.compile(r"sha512-[A-Za-z0-9+/]{86}=="),
    "sha256": re.compile(r"[0-9a-f]{64}"),
}


def load(file: Path) -> tuple[Tarball, ...]:
    """The tarballs that the file pins, sorted by name; none where there is no such file.

    Raises BadInput, naming the file and all that is wrong in it.
    """
    try:
        document = jsontext.read(file.read_text(encoding="utf-8"))
        wrong = list(_problems(document))
    except FileNotFoundError:
        return ()
    except OSError as error:
        wrong = [f"it cannot be read: {error.strerror}"]
    except ValueError as error:  # no JSON, or no UTF-8
        wrong = [f"it is not JSON: {error}"]
    if wrong:
        shown = "\n".join(f"    {problem}" for problem in wrong[:_SHOWN])
        more = f"\n    and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise BadInput(
            f"`{file}` cannot be used:\n{shown}{more}",
            cure="Restore it from version control, or `doit lock --update viewer`.",
        )
    places: dict[tuple[str, str], list[str]] = {}
    entries = {}
    for place, entry in document["packages"].items():
        key = (name_of(place), entry["version"])
        places.setdefault(key, []).append(place)
        entries[key] = entry
    return tuple(
        tarball(
            name,
            version,
            places=places[name, version],
            integrity=entries[name, version]["integrity"],
            sha256=entries[name, version]["sha256"],
            size=entries[name, version]["size"],
            licence=entries[name, version].get("license", ""),
        )
        for name, version in sorted(entries)
    )


def text(tarballs: Iterable[Tarball]) -> str:
    """The lock as a file's text: sorted by place, one field a line."""
    packages = {
        place: {
            "version": each.version,
            "integrity": each.integrity,
            **({"license": each.licence} if each.licence else {}),
            "sha256": each.sha256,
            "size": each.size,
        }
        for each in tarballs
        for place in each.places
    }
    document = {
        "name": "viewer",
        "lockfileVersion": 3,
        "requires": True,
        "packages": dict(sorted(packages.items())),
    }
    return json.dumps(document, indent=1) + "\n"


def tarball(
    name: str,
    version: str,
    *,
    places: Iterable[str],
    integrity: str,
    sha256: str,
    size: int,
    licence: str,
) -> Tarball:
    """The artifact of a package: every registry has it at a path made of name and version."""
    return Tarball(
        name=name,
        version=version,
        architecture="all",
        path=f"{name}/-/{name.rpartition('/')[2]}-{version}.tgz",
        sha256=sha256,
        size=size,
        places=tuple(sorted(places)),
        integrity=integrity,
        licence=licence,
    )


def name_of(place: str) -> str:
    """The package that stands at a place: `node_modules/a/node_modules/@b/c` -> `@b/c`."""
    return place.rpartition("node_modules/")[2]


def _problems(document: object) -> Iterator[str]:
    packages = document.get("packages") if isinstance(document, dict) else None
    if not isinstance(packages, dict):
        yield "`packages` is not an object"
        return
    seen: dict[tuple[str, str], tuple[object, str]] = {}
    for place, entry in packages.items():
        if not _PLACE.fullmatch(place) or ".." in PurePosixPath(place).parts:
            yield f"`{place}` is not a folder of npm's"
            continue
        if not isinstance(entry, dict):
            yield f"`{place}` is not an object"
            continue
        yield from (f"`{place}` {problem}" for problem in _values(entry))
        key, hashes = (name_of(place), str(entry.get("version"))), entry.get("sha256")
        if key in seen and seen[key][0] != hashes:
            yield f"`{place}` has another `sha256` than `{seen[key][1]}`, of the same version"
        seen.setdefault(key, (hashes, place))


def _values(entry: dict[str, object]) -> Iterator[str]:
    for key, wanted in _VALUES.items():
        if key not in entry:
            yield f"lacks `{key}`"
        elif not (isinstance(entry[key], str) and wanted.fullmatch(str(entry[key]))):
            yield f"has a bad `{key}`: `{entry[key]}`"
    if type(entry.get("size")) is not int or int(str(entry["size"])) < 1:
        yield f"has a `size` that is not a number of bytes: `{entry.get('size')}`"
    if not isinstance(entry.get("license", ""), str):
        yield f"has a `license` that is not a string: `{entry['license']}`"
