"""Brings artifacts into the cache as files, without building anything from them."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stack.progress import Progress
from stack.store.artifact import Artifact
from stack.store.derivation import Derivation
from stack.store.realisation import Store

_DOWNLOADS_AT_ONCE = 6


def artifacts_of(derivations: Iterable[Derivation]) -> tuple[Artifact, ...]:
    """The artifacts of all derivations, each once, sorted by name."""
    found = {artifact for derivation in derivations for artifact in derivation.artifacts}
    return tuple(sorted(found, key=lambda artifact: (artifact.name, artifact.sha256)))


def collected(
    artifacts: Iterable[Artifact], store: Store, progress: Progress
) -> dict[Artifact, Path]:
    """The file of each artifact, its hash checked; what is not in the cache is fetched.

    Raises HostCannot or CheckFailed: see `Fetcher.fetch`.
    """
    from stack.store.fetch import Fetcher  # httpx takes long to import

    fetcher = Fetcher(
        folder=store.artifacts,
        mirrors=store.mirrors,
        registries=store.registries,
        progress=progress,
    )
    with fetcher.client, ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        try:
            coming = {artifact: pool.submit(fetcher.fetch, artifact) for artifact in artifacts}
            return {artifact: future.result() for artifact, future in coming.items()}
        except BaseException:
            fetcher.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
