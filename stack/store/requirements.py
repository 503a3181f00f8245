"""The Python requirements: what `requirements.txt` pins, and the wheels of it in a bundle.

Standard library only: `stack.bootstrap` uses it before anything else is installed.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack import jsontext
from stack.errors import BadInput
from stack.paths import REPO
from stack.store.archive import Archive, Member

REQUIREMENTS = REPO / "requirements.txt"
WHEELS = "wheels/"
"""Folder of wheels in a bundle."""
LABEL = "bundle.json"
"""What a bundle says of itself: JSON, whose `wheels` is the digest of its wheels' names."""
LABEL_BYTES = 1 << 16
"""The most that the label may have."""

_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))? --hash"
)


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One pinned package of the index. `marker` says on which machines it is needed (PEP 508),
    empty for all; any file with one of the hashes (SHA-256) will do.
    """

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]


def load(file: Path = REQUIREMENTS) -> tuple[Requirement, ...]:
    """The requirements in the file's order: a pin, then `--hash=sha256:…` for each of its files."""
    joined = file.read_text().replace("\\\n", " ").splitlines()
    return tuple(
        Requirement(
            name=pinned["name"],
            version=pinned["version"],
            marker=pinned["marker"] or "",
            sha256=tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)),
        )
        for line in joined
        if (pinned := _PINNED.match(re.sub(r"\s+", " ", line)))
    )


def only(names: Collection[str], file: Path = REQUIREMENTS) -> str:
    """The lines of the file that pin these packages, by their normal names, with their hashes.

    Raises BadInput for a package that it does not pin.
    """
    blocks = re.findall(r"^[A-Za-z0-9].*\n(?:[ \t].*\n?)*", file.read_text(), re.MULTILINE)
    by_name = {normal(re.split(r"[=\[]", block, maxsplit=1)[0]): block for block in blocks}
    if missing := sorted(set(names) - set(by_name)):
        raise BadInput(f"`{file.name}` does not pin {', '.join(missing)}.")
    return "".join(by_name[name] for name in sorted(names))


def wheels(archive: Archive) -> list[Member]:
    return [member for name, member in archive.members.items() if name.startswith(WHEELS)]


def wrong_wheels(files: Mapping[str, str], requirements: Iterable[Requirement]) -> list[str]:
    """What is wrong with wheels (file name -> SHA-256) that the requirements do not pin."""
    pinned = {sha256: each for each in requirements for sha256 in each.sha256}
    problems = []
    for name, sha256 in files.items():
        found = pinned.get(sha256)
        if found is None:
            problems.append(f"`{name}`: its SHA-256 {sha256} is not in requirements.txt")
        elif not name.endswith(".whl") or normal(name.partition("-")[0]) != normal(found.name):
            problems.append(f"`{name}` is not the name of a wheel of {found.name}")
    return problems


def digest(names: Iterable[str]) -> str:
    """SHA-256 over file names of wheels: pip goes by them, their own hashes say nothing of it."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def label(archive: Archive) -> dict[str, object]:
    """What the bundle says of itself. Raises BadInput if it says nothing that can be read."""
    member = archive.members.get(LABEL)
    if member is None:
        raise archive.refused([f"it contains no `{LABEL}`"])
    try:
        if member.size <= LABEL_BYTES:
            said = jsontext.read(b"".join(archive.chunks(member)))
            if isinstance(said, dict):
                return said
    except ValueError:
        pass
    raise archive.refused([f"its `{LABEL}` is damaged"])


def check_wheels(archive: Archive, file: Path = REQUIREMENTS) -> None:
    """Raises BadInput if the bundle holds a wheel that the requirements do not pin, or one under
    another name than it was given.
    """
    found = {m.name.removeprefix(WHEELS): archive.sha256(m) for m in wheels(archive)}
    problems = wrong_wheels(found, load(file))
    if digest(found) != label(archive).get("wheels"):
        problems.append(f"the names of its wheels do not match its `{LABEL}`")
    if problems:
        raise archive.refused(problems)


def unpack_wheels(archive: Archive, into: Path) -> int:
    """Write the wheels into a folder; return how many."""
    for member in wheels(archive):
        with (into / member.name.removeprefix(WHEELS)).open("xb") as file:
            for chunk in archive.chunks(member):
                file.write(chunk)
    return len(wheels(archive))


def normal(name: str) -> str:
    """A name as the index compares names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
