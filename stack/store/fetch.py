"""Brings artifacts into the cache: any mirror will do, since only the right hash gets in."""

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from io import BufferedRandom
from pathlib import Path

import httpx

from stack.errors import CheckFailed, HostCannot
from stack.progress import Progress
from stack.store.artifact import Artifact, Tarball
from stack.store.disk import make_folder, unusable
from stack.store.lock import FetchFailed
from stack.store.mirrors import ARCHIVE
from stack.store.registry import registry

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)  # seconds, for each read and for connecting
_STALL_S = 10.0
"""As long may a read take where the whole is limited."""
_UNKNOWN_BYTES = 1 << 29  # the most that is taken where the lock knows no size
_TRIES = 3  # for each URL; a broken transfer continues where it broke
_PATIENCE_S = 30.0
"""The longest wait for a mirror that asks to be asked again; one that asks for more is left."""
_BEGINNINGS = (b"!<arch>", b"PK")
"""Of artifacts, whatever a server says of their type."""


class Refused(Exception):
    """One URL did not give the artifact; the message says why."""


class _WrongContent(Refused):
    """One URL gave something else than the lock wants."""


class _Again(Refused):
    """A server cannot answer now; it may in `wait_s` seconds."""

    def __init__(self, what: str, wait_s: float) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class _NotThere(FetchFailed, HostCannot):
    pass


class _NotPinned(FetchFailed, CheckFailed):
    pass


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    """Fetches into `folder` from `mirrors` (base URLs, tried in order). Safe to use from threads
    and by several processes at once. `stop` set ends every transfer; what came stays for later.
    `registries` are the same for npm's packages; where it is None, the host is asked once one of
    those is missing. `within_s`, if given, is the time for all that it fetches, from when it was
    made.
    """

    folder: Path
    mirrors: tuple[str, ...]
    progress: Progress
    registries: tuple[str, ...] | None = None
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=_TIMEOUT, follow_redirects=True)
    )
    stop: threading.Event = field(default_factory=threading.Event)
    within_s: float | None = None
    made: float = field(default_factory=time.monotonic)
    _asking: threading.Lock = field(default_factory=threading.Lock)

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
        wrong = good = False
        what = f"{artifact.name} {artifact.version}"
        self.progress.begin(what, artifact.size)
        try:
            for url in self._urls(artifact):
                try:
                    self._from_url(url, artifact, file, what)
                    good = True
                    return
                except Refused as reason:
                    wrong = wrong or isinstance(reason, _WrongContent)
                    failures.append(f"{url}: {reason}")
        finally:
            self.progress.end(what, good=good)
        raise _unreachable(artifact, failures, wrong)

    def _urls(self, artifact: Artifact) -> tuple[str, ...]:
        if artifact.upstream:
            return (artifact.path,)
        if isinstance(artifact, Tarball):
            return tuple(f"{base}/{artifact.path}" for base in self._asked())
        kept = (f"{ARCHIVE}/{artifact.snapshot}",) if artifact.snapshot else ()
        return tuple(f"{mirror}/{artifact.path}" for mirror in (*self.mirrors, *kept))

    def _asked(self) -> tuple[str, ...]:
        with self._asking:  # npm, if it has to be asked itself, takes half a second
            return self._registries

    @cached_property
    def _registries(self) -> tuple[str, ...]:
        return (registry(),) if self.registries is None else self.registries

    def _from_url(self, url: str, artifact: Artifact, file: BufferedRandom, what: str) -> None:
        for attempt in range(_TRIES):
            try:
                self._transfer(url, artifact, file, what)
                _check(artifact, file)
                return
            except httpx.ReadTimeout as error:
                raise Refused("stalled: nothing came any more") from error
            except httpx.HTTPError as error:
                broke = isinstance(error, httpx.ReadError | httpx.RemoteProtocolError)
                if not broke or attempt == _TRIES - 1:
                    raise Refused(str(error) or type(error).__name__) from error
            except _Again as later:
                left_s = self._left_s() if self.within_s else _PATIENCE_S
                _wait(later, self.stop, left_s, last=attempt == _TRIES - 1)
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
        patience = httpx.Timeout(min(_STALL_S, self._left_s())) if self.within_s else _TIMEOUT
        with self.client.stream("GET", url, headers=headers, timeout=patience) as response:
            if response.status_code == 416 and not artifact.size:
                return  # an earlier try left all of it, or too much: its hash will show
            if response.status_code == 416:  # it has less than an earlier try left here
                raise _WrongContent(f"it has no more than {have} of {artifact.size} bytes")
            _check_status(response)
            if response.status_code not in (200, 206):
                raise Refused(f"HTTP {response.status_code}")
            whole = response.status_code == 200
            coming = int(response.headers.get("Content-Length", 0))
            if coming and not artifact.size:
                self.progress.expect(what, coming)
            # As they come: a chunk of a fixed size may take for ever to be full.
            for chunk in response.iter_raw():
                if self.stop.is_set():
                    raise CancelledError
                if whole:  # only now: what is here is better than a page of a proxy
                    _refuse_page(response, chunk)
                    file.truncate(0)
                    have, whole = 0, False
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
                if self.within_s:
                    self._left_s(f"; {have / 1e6:.1f} MB came")
            if whole:
                file.truncate(0)

    def _left_s(self, so_far: str = "") -> float:
        """Seconds of what the whole may take. Raises Refused when there are none."""
        assert self.within_s
        left = self.made + self.within_s - time.monotonic()
        if left <= 0:
            raise Refused(f"not finished within {self.within_s:g} s{so_far}")
        return left


def get(client: httpx.Client, url: str) -> bytes:
    """A small file whose hash nobody knows yet, from a server that may be busy.

    Raises Refused for a page of HTML and a server that stays busy, httpx.HTTPError.
    """
    for attempt in range(_TRIES):
        response = client.get(url)
        try:
            _check_status(response)
        except _Again as later:
            _wait(later, threading.Event(), _PATIENCE_S, last=attempt == _TRIES - 1)
            continue
        content = response.raise_for_status().content
        _refuse_page(response, content)
        return content
    raise AssertionError  # the last attempt does not wait


def _check_status(response: httpx.Response) -> None:
    """Raise _Again for a server that cannot answer now."""
    if response.status_code == 429 or response.status_code >= 500:
        raise _Again(f"HTTP {response.status_code}", _retry_after_s(response))


def _wait(later: _Again, stop: threading.Event, longest_s: float, *, last: bool) -> None:
    """Wait as long as a server asked for. Raises Refused where that is too long."""
    if last:
        raise Refused(f"{later}, {_TRIES} times")
    if later.wait_s > min(longest_s, _PATIENCE_S):
        raise Refused(f"{later}, and to be asked again in {later.wait_s:.0f} s only")
    if stop.wait(later.wait_s):
        raise CancelledError


def _retry_after_s(response: httpx.Response) -> float:
    """Seconds or a date (RFC 9110, 10.2.3); one second where it says neither."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return 1.0


def _refuse_page(response: httpx.Response, beginning: bytes) -> None:
    """Raise Refused for a page: no artifact begins like one."""
    typed = "html" in response.headers.get("Content-Type", "").lower()
    if beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or (
        typed and not beginning.startswith(_BEGINNINGS)
    ):
        raise Refused("a page of HTML came instead: a captive portal or proxy answered")


def _check(artifact: Artifact, file: BufferedRandom) -> None:
    file.flush()
    size = file.seek(0, os.SEEK_END)
    if size < artifact.size:
        raise httpx.ReadError(f"cut short: ended after {size} of {artifact.size} bytes")
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
    """Open a file, which only one user at a time gets, whether thread or process. What is there
    and not a file of ours (a link that leads elsewhere, a pipe) is removed, never written to."""
    while True:
        with _ours(path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever had it before may have renamed or removed it.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    yield file
                    return


def _ours(path: Path) -> BufferedRandom:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    while True:
        with contextlib.ExitStack() as opened:
            try:
                descriptor = os.open(path, flags, 0o644)
                opened.callback(os.close, descriptor)
                found = os.fstat(descriptor)
                # Nobody has this file under another name unless somebody linked it here.
                if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
                    opened.pop_all()
                    return os.fdopen(descriptor, "a+b")
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENXIO):
                    raise
        path.unlink(missing_ok=True)


def _unreachable(artifact: Artifact, failures: list[str], wrong: bool) -> FetchFailed:
    tried = "\n".join(f"    {failure}" for failure in failures) or "    there is no mirror to ask"
    if artifact.upstream:
        elsewhere = f"download it elsewhere and `doit import --artifact FILE` ({artifact.path})"
    elif isinstance(artifact, Tarball):
        elsewhere = "name another npm registry in NPM_CONFIG_REGISTRY"
    else:
        elsewhere = "name another Debian mirror in STACK_DEBIAN_MIRROR"
    # An upstream release has one URL, which whoever reads the reason is told already.
    reason = "; ".join(each.removeprefix(f"{artifact.path}: ") for each in failures)
    if wrong:
        return _NotPinned(
            artifact,
            reason,
            f"artifact `{artifact}` is not what the lock pins:\n{tried}",
            cure="Nothing of it was kept. If the lock was edited, restore it; otherwise the "
            f"server is broken: {elsewhere}.",
        )
    registered = isinstance(artifact, Tarball)
    where = "" if artifact.upstream else " from the registry" if registered else " from any mirror"
    return _NotThere(
        artifact,
        reason,
        f"artifact `{artifact}` is not available{where}:\n{tried}",
        cure=f"Check the network, or {elsewhere}.",
    )
