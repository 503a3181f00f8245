"""Builds everything again under hostile variations, and compares what comes out.

Each variation is a process of its own (`rebuild`), so that it may have another user, locale or
clock. All start from the same artifacts; nothing that the store holds is used.
"""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack import progress
from stack.errors import CheckFailed, HostCannot
from stack.paths import REPO, cache_dir
from stack.store import builder, tree
from stack.store.artifacts import artifacts_of, collected
from stack.store.bytediff import explained
from stack.store.derivation import Derivation
from stack.store.disk import make_folder
from stack.store.guard import in_use
from stack.store.packageset import PackageSet, closures
from stack.store.rebuild import CANNOT, Builder, Order, manifests_file
from stack.store.variations import MEMORY, Variation, variations
from stack.users import check_reachable, unprivileged

_NOT_LOADED = 127
"""Exit code of the dynamic loader that may not read the libraries of this Python (man 8 ld.so)."""

_TIMEOUT_S = 1200
_PLAIN = {"LC_ALL": "C.UTF-8", "TZ": "UTC0", "PYTHONHASHSEED": "0"}

Manifests = Mapping[str, tree.Manifest]
"""Store name -> what came out."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one variation gave: nothing to show where all is the same."""

    variation: str
    about: str
    differing: Mapping[str, list[str]] = field(default_factory=dict)
    """Package -> what differs, a line each."""
    unknown: frozenset[str] = frozenset()
    """Packages of which there is nothing to compare with."""
    cannot: str = ""
    """Why it could not be tried here, if so."""


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """Names of the packages that were built, the needed ones first, and what came of it: the first
    outcome compares with the lock."""

    packages: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def reproduced(
    names: Iterable[str] | None,
    package_set: PackageSet,
    report: progress.Progress,
    build: Builder = builder.build,
) -> Reproduction:
    """Build packages (all but optional ones and those on demand, if none is named) and what they
    need once plainly and once under each variation.

    Raises HostCannot if an artifact is not available or nothing can be built here at all,
    CheckFailed if a build fails.
    """
    lock = package_set.pinned()
    derivations = tuple(closures(names, package_set.derivations(lock)).values())
    store = package_set.store(lock)
    with in_use(store.folder):
        collected(artifacts_of(derivations), store, report)
        comparison = _Comparison(
            derivations=derivations, artifacts=store.artifacts, build=build, report=report
        )
        cache = package_set.cache or cache_dir()
        make_folder(cache)
        folder = Path(tempfile.mkdtemp(prefix="reproduce-", dir=cache))
        try:
            folder.chmod(0o755)
            outcomes = comparison.run(folder)
        finally:
            tree.remove(folder)
    return Reproduction(packages=tuple(each.name for each in derivations), outcomes=tuple(outcomes))


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    derivations: tuple[Derivation, ...]
    artifacts: Path
    build: Builder
    report: progress.Progress

    def run(self, folder: Path) -> list[Outcome]:
        plain = Variation(name="plain", about="as `doit build` does", folder="plain")
        first = folder / plain.folder
        with self.report.doing(f"building {len(self.derivations)} packages again, plainly"):
            reference, cannot = self._rebuilt(plain, first)
        if cannot:
            raise HostCannot(f"nothing can be built in `{folder}`: {cannot}")
        outcomes = [self._against_lock(reference)]
        every = variations()
        for number, variation in enumerate(every, 1):
            with self.report.doing(f"building them again: {variation.name}, {number}/{len(every)}"):
                outcomes.append(self._outcome(variation, folder, first, reference))
        return outcomes

    def _against_lock(self, found: Manifests) -> Outcome:
        unpinned = frozenset(each.name for each in self.derivations if not each.output)
        wrong = {
            each.name: [f"tree hash {found[each.store_name].sha256}, not {each.output.sha256}"]
            for each in self.derivations
            if each.output and each.output.sha256 != found[each.store_name].sha256
        }
        return Outcome(
            variation="lock", about="the lock's tree hashes", differing=wrong, unknown=unpinned
        )

    def _outcome(
        self, variation: Variation, folder: Path, first: Path, reference: Manifests
    ) -> Outcome:
        disk = self._disk(variation, folder)
        with tempfile.TemporaryDirectory(prefix="reproduce-", dir=disk) as at:
            Path(at).chmod(0o777)
            place = Path(at) / variation.folder
            try:
                found, cannot = self._rebuilt(variation, place)
                differing = {
                    each.name: explained(
                        first / each.store_name,
                        place / each.store_name,
                        (reference[each.store_name], found[each.store_name]),
                    )
                    for each in self.derivations
                    if not cannot and found[each.store_name] != reference[each.store_name]
                }
            finally:
                tree.remove(place)
        return Outcome(
            variation=variation.name, about=variation.about, differing=differing, cannot=cannot
        )

    def _disk(self, variation: Variation, folder: Path) -> Path:
        wanted = 2 * sum(each.output.size for each in self.derivations if each.output)
        if not variation.in_memory:
            return folder
        free = os.statvfs(MEMORY)
        return MEMORY if free.f_bavail * free.f_frsize > wanted else folder

    def _rebuilt(self, variation: Variation, place: Path) -> tuple[Manifests, str]:
        """What came out, and why it could not be tried, if so."""
        order = Order(
            derivations=self.derivations,
            artifacts=os.fsencode(self.artifacts),
            place=os.fsencode(place),
            conditions=variation.conditions,
            build=self.build,
        )
        user = unprivileged() if variation.another_user else None
        if user:
            try:
                for entered in (REPO, Path(sys.prefix), self.artifacts, place.parent):
                    check_reachable(entered)
            except HostCannot as error:
                return {}, error.what
        ran = subprocess.run(
            [sys.executable, "-m", "stack.store.rebuild"],
            input=pickle.dumps(order),
            capture_output=True,
            cwd=REPO,
            env={**_PLAIN, "PATH": os.environ.get("PATH", os.defpath), **variation.environment},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            timeout=_TIMEOUT_S,
            check=False,
        )
        last = (ran.stderr.decode(errors="replace").strip() or "no reason given").splitlines()[-1]
        if ran.returncode == CANNOT or (user and ran.returncode == _NOT_LOADED):
            return {}, last
        if ran.returncode != 0:
            raise CheckFailed(f"the build under `{variation.name}` failed: {last}")
        made = json.loads(manifests_file(place).read_text())
        return {name: tree.Manifest(lines=tuple(lines)) for name, lines in made.items()}, ""
