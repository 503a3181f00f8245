"""Brings artifacts into the cache: any mirror will do, since only the right hash gets in."""

import contextlib
import errno
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path

import httpx

from stack.errors import CheckFailed, HostCannot, LabError
from stack.store.disk import make_folder, unusable
from stack.store.lock import Artifact
from stack.store.mirrors import ARCHIVE
from stack.store.progress import Progress

_CHUNK_BYTES = 1 << 18
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)  # seconds, for each read and for connecting
_UNKNOWN_BYTES = 1 << 29  # the most that is taken where the lock knows no size
_TRIES = 3  # for each URL; a broken transfer continues where it broke


class _Refused(Exception):
    """One URL did not give the artifact; the message says why."""


class _WrongContent(_Refused):
    """One URL gave something else than the lock wants."""


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    """Fetches into `folder` from `mirrors` (base URLs, tried in order). Safe to use from threads
    and by several processes at once. `stop` set ends every transfer; what came stays for later.
    """

    folder: Path
    mirrors: tuple[str, ...]
    progress: Progress
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=_TIMEOUT, follow_redirects=True)
    )
    stop: threading.Event = field(default_factory=threading.Event)

    def fetch(self, artifact: Artifact) -> Path:
        """The artifact's file in the cache, with the content that the lock wants.

        Raises HostCannot if no mirror gives it or the disk is full, CheckFailed if a mirror gave
        something else and none the right thing.
        """
        final = self.folder / artifact.sha256
        part = self.folder / f"{artifact.sha256}.part"
        try:
            if is_good(final, artifact):
                return final
            make_folder(self.folder)
            with alone_with(part) as file:
                # Another build may have brought it while this one waited.
                if not is_good(final, artifact):
                    self._from_any_mirror(artifact, file)
                    file.flush()
                    os.fsync(file.fileno())
                    part.chmod(0o644)
                    part.replace(final)
                else:
                    part.unlink(missing_ok=True)
        except OSError as error:
            part.unlink(missing_ok=error.errno == errno.ENOSPC)
            raise unusable(error, self.folder, artifact.size) from error
        return final

    def _from_any_mirror(self, artifact: Artifact, file: BufferedRandom) -> None:
        failures: list[str] = []
        wrong = False
        what = f"{artifact.name} {artifact.version}"
        self.progress.begin(what, artifact.size)
        try:
            for url in self._urls(artifact):
                try:
                    self._from_url(url, artifact, file, what)
                    return
                except _Refused as reason:
                    wrong = wrong or isinstance(reason, _WrongContent)
                    failures.append(f"{url}: {reason}")
        finally:
            self.progress.end(what)
        raise _unreachable(artifact, failures, wrong)

    def _urls(self, artifact: Artifact) -> tuple[str, ...]:
        if artifact.upstream:
            return (artifact.path,)
        kept = (f"{ARCHIVE}/{artifact.snapshot}",) if artifact.snapshot else ()
        return tuple(f"{mirror}/{artifact.path}" for mirror in (*self.mirrors, *kept))

    def _from_url(self, url: str, artifact: Artifact, file: BufferedRandom, what: str) -> None:
        for attempt in range(_TRIES):
            try:
                self._transfer(url, artifact, file, what)
                _check(artifact, file)
                return
            except httpx.HTTPError as error:
                broke = isinstance(error, httpx.ReadError | httpx.RemoteProtocolError)
                if not broke or attempt == _TRIES - 1:
                    raise _Refused(str(error) or type(error).__name__) from error
            except _WrongContent:
                # It may have been the part that an earlier build left: once more, from the start.
                file.truncate(0)
                if attempt > 0:
                    raise

    def _transfer(self, url: str, artifact: Artifact, file: BufferedRandom, what: str) -> None:
        """Append what is missing of the artifact, or all of it where the mirror cannot resume."""
        have = file.seek(0, os.SEEK_END)
        if have >= artifact.size > 0:
            return
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with self.client.stream("GET", url, headers=headers) as response:
            if response.status_code == 416 and not artifact.size:
                return  # an earlier try left all of it, or too much: its hash will show
            if response.status_code == 416:  # it has less than an earlier try left here
                raise _WrongContent(f"it has no more than {have} of {artifact.size} bytes")
            if response.status_code not in (200, 206):
                raise _Refused(f"HTTP {response.status_code}")
            if response.status_code == 200:
                file.truncate(0)
            have = file.seek(0, os.SEEK_END)
            for chunk in response.iter_raw(_CHUNK_BYTES):
                if self.stop.is_set():
                    raise CancelledError
                have += len(chunk)
                if have > (artifact.size or _UNKNOWN_BYTES):
                    file.truncate(0)
                    raise _WrongContent(
                        f"more than the {artifact.size} bytes in the lock"
                        if artifact.size
                        else f"more than {_UNKNOWN_BYTES} bytes, the most for an unknown size"
                    )
                file.write(chunk)
                self.progress.advance(what, len(chunk))


def _check(artifact: Artifact, file: BufferedRandom) -> None:
    file.flush()
    size = file.seek(0, os.SEEK_END)
    if size < artifact.size:
        raise httpx.ReadError(f"ended after {size} of {artifact.size} bytes")
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != artifact.sha256:
        raise _WrongContent(f"SHA-256 is {found}, the lock expects {artifact.sha256}")


def is_good(path: Path, artifact: Artifact) -> bool:
    try:
        if artifact.size and path.stat().st_size != artifact.size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == artifact.sha256
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def alone_with(path: Path) -> Iterator[BufferedRandom]:
    """Open a file, which only one user at a time gets, whether thread or process."""
    while True:
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever had it before may have renamed or removed it.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    yield file
                    return


def _unreachable(artifact: Artifact, failures: list[str], wrong: bool) -> LabError:
    tried = "\n".join(f"    {failure}" for failure in failures) or "    there is no mirror to ask"
    elsewhere = (
        f"download it elsewhere and `doit import --artifact FILE` ({artifact.path})"
        if artifact.upstream
        else "name another Debian mirror in STACK_DEBIAN_MIRROR"
    )
    if wrong:
        return CheckFailed(
            f"artifact `{artifact}` is not what the lock pins:\n{tried}",
            cure="Nothing of it was kept. If the lock was edited, restore it; otherwise the "
            f"server is broken: {elsewhere}.",
        )
    where = "" if artifact.upstream else " from any mirror"
    return HostCannot(
        f"artifact `{artifact}` is not available{where}:\n{tried}",
        cure=f"Check the network, or {elsewhere}.",
    )
