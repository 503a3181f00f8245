"""Hashes again all that the store and the artifacts hold, and repairs what is not as it was."""

import contextlib
import json
import os
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from stack import progress
from stack.errors import BadInput, LabError
from stack.store import repair, tree
from stack.store.artifact import Artifact
from stack.store.artifacts import collected
from stack.store.derivation import Derivation, chosen
from stack.store.disk import unusable
from stack.store.guard import in_use
from stack.store.packageset import PackageSet
from stack.store.realisation import Store, read_manifest, sweep, write_manifest

_SHOWN = 10  # entries named of one store path

_LOOSE = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | 0o222
"""Mode bits that nothing in the store has."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is not as it was built, and what became of it."""

    what: str
    repaired: bool
    then: str


@dataclass(kw_only=True)
class Checked:
    """What was looked at so far, and what was found."""

    store_paths: int = 0
    artifacts: int = 0
    files: int = 0
    size_bytes: int = 0
    findings: list[Finding] = field(default_factory=list)


def verified(
    packages: tuple[str, ...], package_set: PackageSet, report: progress.Progress
) -> Checked:
    """Check store paths and artifacts (of some packages only, if any are named), repair what is
    wrong, and return what was found. Raises BadInput for an unknown package."""
    lock = package_set.pinned()
    store = package_set.store(lock)
    known: dict[str, Derivation] = {}
    for system in sorted({system for system, _ in lock.outputs}):
        derivations = replace(package_set, system=system).derivations(lock)
        for name in chosen(packages or None, derivations):
            known |= {each.store_name: each for each in derivations[name].closure().values()}
    pinned = {artifact.sha256: artifact for artifact in lock.artifacts}
    wanted = {artifact.sha256 for each in known.values() for artifact in each.artifacts}
    with in_use(store.folder), ThreadPoolExecutor(os.cpu_count()) as pool:
        with contextlib.suppress(OSError):  # where we may not write, there is nothing of ours
            sweep(store)
        verifier = _Verifier(store=store, pool=pool, report=report, known=known)
        try:
            with report.doing("hashing what was downloaded"):
                for name in _names(store.artifacts):
                    if not name.endswith(".part") and (name in wanted or not packages):
                        verifier.artifact(name, pinned.get(name))
            with report.doing("hashing what was built"):
                for name in _names(store.folder):
                    if not name.startswith(".") and (name in known or not packages):
                        verifier.store_path(name)
        except OSError as error:
            raise unusable(error, store.folder) from error
        return verifier.checked


def _names(folder: Path) -> list[str]:
    return sorted(at.name for at in folder.iterdir()) if folder.is_dir() else []


@dataclass(frozen=True, kw_only=True)
class _Verifier:
    store: Store
    pool: ThreadPoolExecutor
    report: progress.Progress
    known: dict[str, Derivation]
    """By store name: what can be built again."""
    checked: Checked = field(default_factory=Checked)

    def artifact(self, name: str, pinned: Artifact | None) -> None:
        """`pinned` is what the lock says of it."""
        self.checked.artifacts += 1
        found = _entry(self.store.artifacts, os.fsencode(name))
        if isinstance(found, list):
            self.checked.size_bytes += int(found[-1]) if len(found) == 4 else 0
            if found[2:3] == [name]:
                return
            found = f"has the SHA-256 {found[2]}" if len(found) == 4 else f"is a {found[1]}"
        if pinned is None:
            self._add([f"artifact `{name}` {found}"], "the lock does not name it")
            return
        what = [f"artifact `{pinned}`, `{name}`, {found}"]
        try:
            collected([pinned], self.store, self.report)
        except LabError as error:
            self._add(what, f"cannot be fetched again: {_reason(error)}")
        else:
            self._add(what, "fetched again", repaired=True)

    def store_path(self, name: str) -> None:
        self.checked.store_paths += 1
        root, derivation = self.store.folder / name, self.known.get(name)
        recorded = read_manifest(self.store, name)
        sha256 = recorded.sha256 if recorded else ""
        if derivation and derivation.output:
            sha256 = derivation.output.sha256
            recorded = recorded if recorded and recorded.sha256 == sha256 else None
        found, problems = self._read(root)
        if not sha256:
            self._add([f"{name}: nothing here says what it should contain"], "cannot be checked")
        elif found.sha256 != sha256 or problems:
            self._wrong(root, derivation, found, recorded, problems)
        elif recorded is None:
            self._record(name, found)

    def _record(self, name: str, found: tree.Manifest) -> None:
        what = [f"{name}: its manifest is gone or damaged"]
        try:
            write_manifest(self.store, name, found)
        except OSError as error:
            self._add(what, f"cannot be written again: {_reason(error)}")
        else:
            self._add(what, "written again", repaired=True)

    def _read(self, root: Path) -> tuple[tree.Manifest, dict[str, str]]:
        """Path -> what is wrong with an entry whatever the manifest says; `.` for the root."""
        paths = tree.paths(root) if root.is_dir() and not root.is_symlink() else []
        entries = list(self.pool.map(lambda path: _entry(root, path), paths))
        good = [entry for entry in entries if isinstance(entry, list)]
        self.checked.files += len(paths)
        self.checked.size_bytes += sum(int(entry[3]) for entry in good if len(entry) == 4)
        problems: dict[str, str] = {}
        for name, entry in ((".", []), *zip(map(os.fsdecode, paths), entries, strict=True)):
            mode = (root / name).lstat().st_mode
            if isinstance(entry, str):
                problems[name] = entry
            elif mode & _LOOSE and not stat.S_ISLNK(mode):
                problems[name] = f"has the mode {stat.S_IMODE(mode):o}"
        return tree.Manifest(lines=tuple(map(json.dumps, good))), problems

    def _wrong(
        self,
        root: Path,
        derivation: Derivation | None,
        found: tree.Manifest,
        recorded: tree.Manifest | None,
        problems: dict[str, str],
    ) -> None:
        """Repair a store path, then report what was wrong: the good output shows it."""
        repaired, then = False, "the lock does not name it, so it cannot be built again"
        if derivation:
            try:
                with repair.good_output(derivation, self.store, self.report) as good:
                    recorded = tree.manifest(good)
                    repair.restore(root, good, {*found.differences(recorded), *problems} - {"."})
                tree.seal(root, map(self.store.path, derivation.needs))
                write_manifest(self.store, root.name, recorded)
                repaired, then = True, "repaired"
            except (LabError, OSError) as error:
                then = f"cannot be repaired: {_reason(error)}"
        if recorded:
            problems |= _differences(found, recorded, set(problems))
        whole = [f"{root.name}: has the tree hash {found.sha256}"]
        lines = [f"{root.name}: `{path}` {text}" for path, text in sorted(problems.items())]
        if len(lines) > _SHOWN:
            lines[_SHOWN:] = [f"{root.name}: {len(lines) - _SHOWN} more entries"]
        self._add(lines or whole, then, repaired=repaired)

    def _add(self, what: Iterable[str], then: str, *, repaired: bool = False) -> None:
        for each in what:
            self.checked.findings.append(Finding(what=each, repaired=repaired, then=then))


def _differences(
    found: tree.Manifest, wanted: tree.Manifest, unreadable: set[str]
) -> dict[str, str]:
    """Path -> what is wrong with it. Unreadable entries are not in `found`, but there."""
    there, belongs = ({json.loads(line)[0] for line in each.lines} for each in (found, wanted))
    return {
        path: "does not belong there"
        if path not in belongs
        else "is not as it was built"
        if path in there
        else "is missing"
        for path in found.differences(wanted)
        if path not in unreadable - there
    }


def _reason(error: LabError | OSError) -> str:
    """In one line."""
    if isinstance(error, LabError):
        return " ".join(error.what.split())
    return error.strerror or str(error)


def _entry(root: Path, path: bytes) -> list[str | int] | str:
    """An entry of a manifest, or what keeps it from being one."""
    try:
        return tree.entry(root, path)
    except BadInput:
        return "is not a file, folder or link"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
