"""Makes derivations real: build aside, check the tree hash, make read-only, rename into place.

A store path is valid because it was renamed into place, so nothing is hashed again when all is
there. Beside the store paths stand `.manifests/NAME` (tree hash, then one line for each entry),
`.locks/NAME`, and `.building-NAME` while NAME is being built.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stack.errors import BadInput, CheckFailed
from stack.progress import Progress
from stack.store import builder, tree
from stack.store.artifact import Artifact
from stack.store.derivation import Derivation
from stack.store.disk import locked, locked_if_free, make_folder, sync, unusable
from stack.store.guard import in_use
from stack.store.lock import Output

if TYPE_CHECKING:
    from stack.store.fetch import Fetcher

_DOWNLOADS_AT_ONCE = 6
BUILDING = ".building-"
"""Prefix of the folder in which an output is made."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """A folder of store paths, and the folder of artifacts that they are built from."""

    folder: Path
    artifacts: Path
    mirrors: tuple[str, ...]
    registries: tuple[str, ...] | None = None
    """Of npm's packages; None for the one that the host is configured for."""

    def path(self, derivation: Derivation) -> Path:
        return self.folder / derivation.store_name

    def lock_file(self, store_name: str) -> Path:
        return self.folder / ".locks" / store_name


def realise_all(
    derivations: Iterable[Derivation],
    store: Store,
    progress: Progress,
    *,
    within_s: float | None = None,
) -> None:
    """Build those of the derivations that the store does not hold, several at once.

    Raises CheckFailed for a wrong artifact or output, HostCannot if an artifact is not available or
    the store not be written, BadInput for a package that does not hold what its recipe says.
    What was finished before an error stays valid. `within_s`, if given, is the time for downloads.
    """
    with in_use(store.folder):
        try:
            missing = [each for each in derivations if not store.path(each).is_dir()]
        except OSError as error:
            raise unusable(error, store.folder) from error
        if missing:
            _prepare(store)
            _Build(store=store, progress=progress, within_s=within_s).run(missing)


def _prepare(store: Store) -> None:
    """Make the store's folders, and sweep it."""
    if set(str(store.folder)) & set(":;$"):
        raise BadInput(
            f"the store cannot be in `{store.folder}`: the loader's list of folders allows "
            "no `:`, `;` or `$` in names",
            cure="Choose another folder with STACK_CACHE.",
        )
    for folder in (store.folder, store.folder / ".locks", store.folder / ".manifests"):
        make_folder(folder)
    sweep(store)


def sweep(store: Store) -> None:
    """Remove what killed builds and repairs left."""
    for leftover in store.folder.glob(f"{BUILDING}*"):
        name = leftover.name.removeprefix(BUILDING)
        with locked_if_free(store.lock_file(name)) as free:
            if free:
                tree.remove(leftover)


@dataclass(frozen=True, kw_only=True)
class _Build:
    """One go at building several derivations."""

    store: Store
    progress: Progress
    within_s: float | None

    @cached_property
    def fetcher(self) -> "Fetcher":
        # httpx takes longer to import than a build with nothing to do may last.
        from stack.store.fetch import Fetcher

        return Fetcher(
            folder=self.store.artifacts,
            mirrors=self.store.mirrors,
            registries=self.store.registries,
            progress=self.progress,
            within_s=self.within_s,
        )

    def run(self, derivations: list[Derivation]) -> None:
        """Download and build in parallel; the first error ends the rest."""
        # The largest first: what takes longest should not start last.
        order = sorted(derivations, key=lambda d: -sum(a.size for a in d.artifacts))
        pinned = {a.sha256: a for derivation in order for a in derivation.artifacts}
        make_folder(self.store.artifacts)
        with (
            ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as downloads,
            ThreadPoolExecutor(os.cpu_count()) as builds,
        ):
            try:
                files = {key: downloads.submit(self.fetcher.fetch, a) for key, a in pinned.items()}
                built = [builds.submit(self._one, each, files) for each in order]
                # Ends with the first error, whichever derivation has it.
                for done in wait(built, return_when=FIRST_EXCEPTION).done:
                    done.result()
            except BaseException:
                self.fetcher.stop.set()
                downloads.shutdown(wait=False, cancel_futures=True)
                builds.shutdown(wait=False, cancel_futures=True)
                raise
            finally:
                self.fetcher.client.close()

    def _one(self, derivation: Derivation, files: Mapping[str, "Future[Path]"]) -> None:
        for artifact in derivation.artifacts:
            files[artifact.sha256].result()
        with locked(self.store.lock_file(derivation.store_name)):
            # Another build may have made it while this one waited.
            if self.store.path(derivation).is_dir():
                return
            aside = self.store.folder / f"{BUILDING}{derivation.store_name}"
            try:
                with self.progress.doing(f"building {derivation.name} {derivation.version}"):
                    self._make(derivation, aside, lambda a: self._read(files[a.sha256].result()))
            except OSError as error:
                needed = derivation.output.size if derivation.output else 0
                raise unusable(error, self.store.folder, needed) from error
            finally:
                tree.remove(aside)

    def _read(self, artifact: Path) -> bytes:
        if self.fetcher.stop.is_set():
            raise CancelledError
        return artifact.read_bytes()

    def _make(self, derivation: Derivation, aside: Path, read: Callable[[Artifact], bytes]) -> None:
        tree.remove(aside)
        aside.mkdir()
        builder.build(derivation, read, aside)
        tree.seal(aside, map(self.store.path, derivation.needs))
        found = tree.manifest(aside)
        if derivation.output is not None and found.sha256 != derivation.output.sha256:
            raise self._mismatch(derivation, found, derivation.output)
        write_manifest(self.store, derivation.store_name, found)
        sync(aside)
        aside.rename(self.store.path(derivation))
        sync(self.store.folder)

    def _mismatch(
        self, derivation: Derivation, found: tree.Manifest, wanted: Output
    ) -> CheckFailed:
        """Names both hashes, and the differing files where a good output is known."""
        good = _manifest_of(self.store, wanted.sha256)
        if good is not None:
            paths = found.differences(good)
            shown = ", ".join(f"`{path}`" for path in paths[:10])
            detail = f"{len(paths)} entries differ from the earlier good output: {shown}"
        else:
            refused = write_manifest(self.store, f"{derivation.store_name}.refused", found)
            detail = f"there is no good output here to compare with; its entries are in `{refused}`"
        return CheckFailed(
            f"`{derivation.name}` {derivation.version} was built with the tree hash "
            f"{found.sha256}, the lock expects {wanted.sha256}; {detail}",
            cure="Nothing was kept. Restore the lock from version control, or `doit lock`.",
        )


def write_manifest(store: Store, name: str, manifest: tree.Manifest) -> Path:
    """Keep the manifest of the store path `name`; its file."""
    file = store.folder / ".manifests" / name
    new = file.with_name(f".{file.name}.new")
    new.write_text("\n".join([manifest.sha256, *manifest.lines]) + "\n")
    new.chmod(0o644)
    return new.replace(file)


def read_manifest(store: Store, name: str) -> tree.Manifest | None:
    """What `write_manifest` kept of the store path `name`; None if it is gone or damaged."""
    try:
        sha256, *lines = (store.folder / ".manifests" / name).read_text().splitlines()
    except (OSError, ValueError):
        return None
    manifest = tree.Manifest(lines=tuple(lines))
    return manifest if manifest.sha256 == sha256 else None


def _manifest_of(store: Store, sha256: str) -> tree.Manifest | None:
    """The manifest of an output with this tree hash, if one was ever built here."""
    for file in (store.folder / ".manifests").iterdir():
        manifest = read_manifest(store, file.name)
        if manifest and manifest.sha256 == sha256:
            return manifest
    return None
