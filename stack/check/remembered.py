"""Unit tests that passed before are not run again: the outcome depends on their inputs alone.

As in the store, a result is kept under the digest of what it was made from: promtool's store path,
the test file and the rule files that it loads. Only good outcomes are kept.
"""

import hashlib
from pathlib import Path

from stack.check.yamlfile import ConfigFile, get, text
from stack.paths import cache_dir


def key(file: ConfigFile, promtool: Path) -> str:
    """Digest of all that the outcome of one file of unit tests depends on."""
    rule_files = get(file.root, "rule_files")
    patterns = [text(node) for node in (rule_files.value if rule_files else ())]
    folder = file.path.parent
    loaded = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    digest = hashlib.sha256(f"{promtool}\n{patterns}".encode())
    for path in [file.path, *loaded]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def passed(digest: str) -> bool:
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
