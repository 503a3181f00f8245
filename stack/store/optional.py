"""Packages that the lab does without where their artifacts are not available.

An attempt that fails, whether upstream does not answer or gives something else than the artifact,
is remembered in the cache for a day, under the artifact's hash, so that a machine without a way to
upstream waits for it once.
"""

import contextlib
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stack.errors import HostCannot
from stack.store.artifact import Artifact
from stack.store.derivation import Derivation
from stack.store.disk import make_folder
from stack.store.realisation import Store

ATTEMPT_S = 3.0
"""How long to wait for an answer from upstream."""

LIMIT_S = 60.0
"""How long all of a download may take that nobody insists on."""

_REMEMBERED_S = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """Why an optional package is left out: `artifact` is not available because of `reason`."""

    artifact: Artifact
    reason: str
    age_s: float
    """Seconds since it was tried."""

    @property
    def fresh(self) -> bool:
        """Whether it was tried just now, and not remembered."""
        return self.age_s == 0

    def __str__(self) -> str:
        wait_h = (_REMEMBERED_S - self.age_s) / 3600
        return f"{self.artifact.path}: {self.reason} (asked again in {wait_h:.0f} h)"


def unreachable(needed: Iterable[Derivation], store: Store) -> Unreachable | None:
    """The first artifact of these derivations that is neither here nor answers; None is good news.

    What is not here is asked for, at most ATTEMPT_S in all, unless that failed within a day.
    """
    missing = absent(needed, store)
    for artifact in missing:
        if known := _remembered(artifact, store):
            return known
    failed = [remember(artifact, reason, store) for artifact, reason in _ask(missing)]
    return failed[0] if failed else None


def absent(needed: Iterable[Derivation], store: Store) -> list[Artifact]:
    """The upstream releases that these derivations still need from there."""
    return [
        artifact
        for derivation in needed
        if not store.path(derivation).is_dir()
        for artifact in derivation.artifacts
        if artifact.upstream and not (store.artifacts / artifact.sha256).exists()
    ]


def _file(artifact: Artifact, store: Store) -> Path:
    return store.artifacts.parent / "unreachable" / artifact.sha256


def _remembered(artifact: Artifact, store: Store) -> Unreachable | None:
    file = _file(artifact, store)
    try:
        age_s = time.time() - file.stat().st_mtime
        reason = file.read_text().strip()
    except OSError:
        return None
    if not 0 <= age_s < _REMEMBERED_S:
        return None
    return Unreachable(artifact=artifact, reason=reason, age_s=age_s)


def remember(artifact: Artifact, reason: str, store: Store) -> Unreachable:
    """Keep for a day that the artifact did not come, and why."""
    file = _file(artifact, store)
    with contextlib.suppress(OSError, HostCannot):  # then it is asked for again next time
        make_folder(file.parent)
        file.write_text(f"{reason}\n")
    return Unreachable(artifact=artifact, reason=reason, age_s=0.0)


def _ask(artifacts: list[Artifact]) -> list[tuple[Artifact, str]]:
    """Those that do not answer, with the reason. All at once, and in threads of their own: a name
    server that says nothing cannot be hurried.
    """
    answers: dict[str, str] = {}

    def ask(artifact: Artifact) -> None:
        answers[artifact.sha256] = _answer(artifact.path)

    threads = [threading.Thread(target=ask, args=[each], daemon=True) for each in artifacts]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + ATTEMPT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer within {ATTEMPT_S:g} s"
    found = [(each, answers.get(each.sha256, late)) for each in artifacts]
    return [(artifact, reason) for artifact, reason in found if reason]


def _answer(url: str) -> str:
    """Empty where the URL has something to give, else what it said instead."""
    import httpx

    try:
        with (
            httpx.Client(timeout=ATTEMPT_S, follow_redirects=True) as client,
            client.stream("GET", url) as response,  # and read no further than its head
        ):
            # Who is busy is asked again by whoever fetches, and as it wishes.
            good = response.status_code in (200, 429) or response.status_code >= 500
            return "" if good else f"HTTP {response.status_code}"
    except httpx.HTTPError as error:
        return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
