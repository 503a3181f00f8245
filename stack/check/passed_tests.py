"""Which unit tests passed before: those are not run again, as their inputs decide the outcome.

As in the store, a result is kept under the digest of what it was made from. Only good outcomes are
kept.
"""

import hashlib
from pathlib import Path

from stack.paths import cache_dir


def key(*parts: object) -> str:
    """Digest of all that an outcome depends on."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(str(part).encode()).digest())
    return digest.hexdigest()


def passed(digest: str) -> bool:
    """Whether it is known to have passed."""
    return _mark(digest).exists()


def remember(digest: str) -> None:
    """Keep that it passed. A cache that cannot be written only costs the next check its time."""
    try:
        _mark(digest).parent.mkdir(parents=True, exist_ok=True)
        _mark(digest).touch()
    except OSError:
        return


def _mark(digest: str) -> Path:
    return cache_dir() / "checked" / digest
