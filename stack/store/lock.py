"""The lock: every artifact and every expected output, as `stack/lock.toml` pins them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from stack.errors import BadInput, LabError
from stack.store import npmlock
from stack.store.artifact import Artifact, Tarball
from stack.store.lockcheck import problems

_SHOWN = 10  # problems named of one file

LOCK_FILE = Path(__file__).resolve().parent.parent / "lock.toml"
NPM_LOCK = "npm-lock.json"
"""The file beside the lock that pins npm's tarballs: see `npmlock`."""

_HEADER = """\
# Every artifact that may enter the store, and the tree hash of every output. `doit lock` writes
# this file from the distribution's signed metadata; sizes are in bytes, hashes SHA-256. What has a
# URL as its path is an upstream release, pinned by hand from its published checksum: while nobody
# who ran `doit lock` could download it, its size is missing, and so is the hash of its output.
# The packages of npm that pages are bundled from are in `npm-lock.json`, beside this file.
"""


class FetchFailed(LabError):
    """`artifact` did not come, because of `reason`, from any server that may have it."""

    def __init__(self, artifact: Artifact, reason: str, what: str, *, cure: str = "") -> None:
        super().__init__(what, cure=cure)
        self.artifact = artifact
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Output:
    """What building a package must give: its tree hash, and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Lock:
    """`suite`, `release` and `snapshot` say which state of the distribution was pinned.

    `snapshot` (YYYYMMDDTHHMMSSZ) is a moment at which the permanent archive held it all.
    `outputs` is keyed by (system, package); `file` is named in messages.
    """

    suite: str
    release: str
    snapshot: str
    artifacts: tuple[Artifact, ...]
    outputs: Mapping[tuple[str, str], Output]
    file: Path = LOCK_FILE

    @property
    def tarballs(self) -> tuple[Tarball, ...]:
        """What is pinned of npm's packages."""
        return tuple(artifact for artifact in self.artifacts if isinstance(artifact, Tarball))

    @property
    def npm_file(self) -> Path:
        return self.file.with_name(NPM_LOCK)

    def artifact(self, name: str, system: str) -> Artifact:
        """The artifact of `name` that `system` uses, npm's apart. Raises BadInput if it is not
        pinned."""
        for artifact in self.artifacts:
            if isinstance(artifact, Tarball):
                continue
            if artifact.name == name and artifact.architecture in (system, "all"):
                return artifact
        raise BadInput(
            f"`{self.file.name}` pins no artifact `{name}` for {system}",
            cure="`doit lock` pins what the packages name.",
        )


def load(file: Path = LOCK_FILE) -> Lock:
    """Read a lock, and the one of npm's tarballs beside it if there is one. Raises BadInput, naming
    the file and all that is wrong in it."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        wrong = problems(document)
    except FileNotFoundError:
        wrong = ["it does not exist"]
    except OSError as error:
        wrong = [f"it cannot be read: {error.strerror}"]
    except (ValueError, RecursionError) as error:  # no TOML, or no UTF-8, or too deep
        wrong = [f"it is not TOML: {error}"]
    if wrong:
        shown = "\n".join(f"    {problem}" for problem in wrong[:_SHOWN])
        more = f"\n    and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise BadInput(
            f"`{file}` cannot be used:\n{shown}{more}",
            cure="Restore it from version control, or `doit lock`.",
        )
    lock = _parsed(document, file)
    return replace(lock, artifacts=(*lock.artifacts, *npmlock.load(lock.npm_file)))


def _parsed(document: dict[str, Any], file: Path) -> Lock:
    return Lock(
        suite=document["suite"],
        release=document["release"],
        snapshot=document["snapshot"],
        artifacts=tuple(Artifact(**entry) for entry in document["artifact"]),
        outputs={
            (system, name): Output(**entry)
            for system, entries in document.get("output", {}).items()
            for name, entry in entries.items()
        },
        file=file,
    )


def text(lock: Lock) -> str:
    """The lock as a file's text, without npm's tarballs: sorted, one field a line, so that a diff
    of it reads well."""
    import tomlkit

    artifacts = sorted(
        (a for a in lock.artifacts if not isinstance(a, Tarball)),
        key=lambda a: (a.name, a.architecture),
    )
    systems = sorted({system for system, _ in lock.outputs})
    document = {
        "suite": lock.suite,
        "release": lock.release,
        "snapshot": lock.snapshot,
        "artifact": [
            {f.name: value for f in fields(Artifact) if (value := getattr(a, f.name))}
            for a in artifacts
        ],
        "output": {
            system: {
                name: {"sha256": output.sha256, "size": output.size}
                for (of, name), output in sorted(lock.outputs.items())
                if of == system
            }
            for system in systems
        },
    }
    return _HEADER + tomlkit.dumps(document)
