"""The store: entries that were acknowledged survive however the process ends.

    commit -> write-ahead log + memtable -> (full, or old) -> segment -> (retention) -> gone

One thread commits, another settles full memtables, that is, writes them to segments; any number of
threads read, each from a snapshot that does not change.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stack.errors import HostCannot
from stack.programs.logstore import segment as segments
from stack.programs.logstore.database import Database, files
from stack.programs.logstore.folder import hold
from stack.programs.logstore.memtable import Memtable, ascending
from stack.programs.logstore.segment import Segment
from stack.programs.logstore.snapshot import Figures, Sizes, Snapshot, StoreFull
from stack.programs.logstore.streams import Registry, known
from stack.programs.logstore.wal import Part, Wal, replay

_RETRY_S = 1.0
USUAL = Sizes()


class LogStore:
    """One folder. Raises HostCannot if it cannot be opened."""

    def __init__(
        self, folder: Path, *, sizes: Sizes = USUAL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.sizes = sizes
        self.database = Database()
        self.streams = Registry()
        self._clock = clock
        self.folder = folder
        self._lock = threading.Lock()
        self._settle = threading.Condition(self._lock)
        self._readers = 0
        self._doomed: list[Segment] = []
        self._closing = False
        self._trouble = ""
        try:
            self._held = hold(folder)
            self._open()
        except OSError as error:
            raise HostCannot(
                f"log store `{folder}`: {error.strerror} (`{error.filename}`).",
                cure="Choose a writable folder on a disk with free space.",
            ) from error
        self._thread = threading.Thread(target=self._run, name="settle", daemon=True)
        self._thread.start()

    # Opening ------------------------------------------------------------------------------------

    def _open(self) -> None:
        logs = self.folder / "wal"
        logs.mkdir(exist_ok=True)
        self._segments = segments.open_all(self.folder / "segments")
        for segment in self._segments:
            self._know(segment)
        held = max((segment.last for segment in self._segments), default=0)
        self._sealed: list[Memtable] = []
        number = held
        for path in sorted(logs.glob("*.wal")):
            number = int(path.stem)
            if number <= held:
                path.unlink()  # a segment has it
            else:
                self._sealed.append(self._replayed(path, number))
        # The last log is continued: its memtable is the active one.
        last = self._sealed.pop() if self._sealed else Memtable(number + 1)
        self._active = last
        self._wal: Wal | None = Wal(self._log_of(last.number))
        self._last_commit = self._clock()

    def _know(self, segment: Segment) -> None:
        for share in segment.shares.values():
            stream = self.streams.keep(known(share.labels))
            stream.highest_ns = max(stream.highest_ns, share.newest_ns)
            stream.settled_ns = max(stream.settled_ns, share.newest_ns)

    def _replayed(self, path: Path, number: int) -> Memtable:
        table = Memtable(number)
        for labels, timestamps_ns, lines in replay(path):
            stream = self.streams.keep(known(labels))
            table.add(stream, timestamps_ns, lines)
            stream.highest_ns = max(stream.highest_ns, *timestamps_ns)
        return table

    def _log_of(self, number: int) -> Path:
        return self.folder / "wal" / f"{number:08}.wal"

    # Committing ---------------------------------------------------------------------------------

    def commit(self, parts: Sequence[Part]) -> list[Part]:
        """Keep entries; returns those that were new, once they are on disk.

        An entry that the store already has (same stream, timestamp and line) is not kept again.
        For one thread at a time. Raises StoreFull: then none of them is kept.
        """
        self._wait_for_room()
        added = []
        for part in parts:
            stream = self.streams.keep(part.stream)
            fresh = self._fresh(part._replace(stream=stream))
            if fresh.lines:
                with self._lock:
                    self._active.add(*fresh)
                added.append((fresh, stream.highest_ns))
                stream.highest_ns = max(stream.highest_ns, *fresh.timestamps_ns)
        kept = [part for part, _ in added]
        try:
            if kept:
                self._log().append(kept)
        except OSError as error:
            with self._lock:
                for part, highest_ns in reversed(added):
                    self._active.remove(*part)
                    part.stream.highest_ns = highest_ns
            self._close_log()
            raise StoreFull(f"{error.strerror} (`{self._log_of(self._active.number)}`)") from error
        self._last_commit = self._clock()
        if self._active.rows >= self.sizes.rows or self._active.size_bytes >= self.sizes.size_bytes:
            self.seal()
        return kept

    def _wait_for_room(self) -> None:
        """Raises StoreFull if full memtables do not get to the disk."""
        with self._settle:
            self._settle.wait_for(
                lambda: len(self._sealed) <= self.sizes.waiting or bool(self._trouble),
                self.sizes.patience_s,
            )
            if len(self._sealed) > self.sizes.waiting:
                raise StoreFull(self._trouble or "full memtables are waiting for a slow disk")

    def _log(self) -> Wal:
        """The open log: after a failed write it is opened again, where the last record ends."""
        if self._wal is None:
            self._wal = Wal(self._log_of(self._active.number))
        return self._wal

    def _close_log(self) -> None:
        if self._wal is not None:
            self._wal.close()
            self._wal = None

    def _fresh(self, part: Part) -> Part:
        """The entries that the store does not have."""
        stream, timestamps_ns, lines = part
        if not timestamps_ns or (timestamps_ns[0] > stream.highest_ns and ascending(timestamps_ns)):
            return part
        tables = (
            self._tables()
        )  # before the segments: what settles in between is in at least one of them
        settled = self._settled_twins(part)
        seen: set[tuple[int, str]] = set()
        kept = [
            entry
            for entry in zip(timestamps_ns, lines, strict=True)
            if entry not in seen
            and not seen.add(entry)  # type: ignore[func-returns-value]
            and entry not in settled
            and not any(table.has(stream, *entry) for table in tables)
        ]
        return Part(stream, [at_ns for at_ns, _ in kept], [line for _, line in kept])

    def _tables(self) -> list[Memtable]:
        with self._lock:
            return [*self._sealed, self._active]

    def _settled_twins(self, part: Part) -> set[tuple[int, str]]:
        """Entries of the part's stream in segments that have one of its timestamps."""
        old = [at_ns for at_ns in part.timestamps_ns if at_ns <= part.stream.settled_ns]
        if not old:
            return set()
        oldest, newest = min(old), max(old)
        with self.snapshot() as snapshot:
            paths = [
                segment.path
                for segment in snapshot.segments
                if (bounds := segment.bounds([part.stream.ident]))
                and bounds[0] <= newest
                and bounds[1] >= oldest
            ]
            if not paths:
                return set()
            found = self.database.rows(
                f"SELECT ts, line FROM read_parquet({files(paths)}) WHERE stream = $stream "
                "AND ts BETWEEN $oldest AND $newest "
                "AND ts IN (SELECT unnest($old::BIGINT[]))",
                {"stream": part.stream.ident, "oldest": oldest, "newest": newest, "old": old},
            )
        return {(at_ns, line) for at_ns, line in found}

    # Settling -----------------------------------------------------------------------------------

    def seal(self) -> None:
        """Continue with a new memtable and settle the current one in the background.

        For the thread that commits.
        """
        if not self._active.rows:
            return
        self._close_log()
        with self._settle:
            self._sealed.append(self._active)
            self._active = Memtable(self._active.number + 1)
            self._settle.notify_all()

    def settled(self, timeout_s: float) -> bool:
        """Wait until no full memtable is left to settle; False when it takes longer."""
        with self._settle:
            return self._settle.wait_for(lambda: not self._sealed, timeout_s)

    def _run(self) -> None:
        while True:
            with self._settle:
                self._settle.wait_for(lambda: self._sealed or self._closing)
                if self._closing:
                    return
                table = self._sealed[0]
            try:
                self._write(table)
                self._merge_small()
                self._trouble = ""
            except Exception as error:  # nothing is lost: the memtable and its log stay
                self._trouble = f"memtable {table.number} cannot be written to a segment: {error}"
                print(f"log store: {self._trouble}", file=sys.stderr, flush=True)
                with self._settle:  # a disk's trouble may pass
                    self._settle.notify_all()
                    self._settle.wait_for(lambda: self._closing, _RETRY_S)

    def _write(self, table: Memtable) -> None:
        rows = table.slice(table.idents, -(2**63), 2**63)
        streams = {ident: self.streams[ident] for ident in table.idents}
        folder = self.folder / "segments"
        if rows:
            try:
                made = segments.write(self.database, folder, table.number, rows, streams)
            except BaseException:
                for leftover in folder.glob("*.tmp"):
                    leftover.unlink()
                raise
        with self._settle:
            if rows:
                self._segments.append(made)
                for ident, share in made.shares.items():
                    stream = self.streams[ident]
                    stream.settled_ns = max(stream.settled_ns, share.newest_ns)
            self._sealed.remove(table)
            self._settle.notify_all()
        self._log_of(table.number).unlink(missing_ok=True)

    def _merge_small(self) -> None:
        if run := _small_run(self._segments, self.sizes.merge_rows):
            self._drop(run, segments.merge(self.database, run))

    @property
    def trouble(self) -> str:
        """Why a memtable could not be settled at the last attempt; empty if all is well."""
        return self._trouble

    def tend(self, oldest_ns: int | None) -> None:
        """Called regularly by the thread that commits: settle what is idle, and drop segments whose
        newest entry is older than `oldest_ns`."""
        idle = self._clock() - self._last_commit >= self.sizes.idle_s
        if idle and self._active.rows >= self.sizes.idle_rows:
            self.seal()
        if oldest_ns is not None:
            self._drop([s for s in self._segments if s.newest_ns < oldest_ns])

    def _drop(self, gone: Sequence[Segment], instead: Segment | None = None) -> None:
        """Remove segments; their files go once nobody reads them any more."""
        if not gone:
            return
        with self._lock:
            kept = [segment for segment in self._segments if segment not in gone]
            if instead:
                kept = sorted([*kept, instead], key=lambda segment: segment.first)
            self._segments = kept
            self._doomed.extend(gone)
            left = {ident for segment in kept for ident in segment.shares}
            left.update(i for table in (*self._sealed, self._active) for i in table.idents)
            self.streams.forget({i for s in gone for i in s.shares} - left)
        self._delete_doomed()

    def _delete_doomed(self) -> None:
        with self._lock:
            doomed, self._doomed = ([], self._doomed) if self._readers else (self._doomed, [])
        for segment in doomed:
            segment.delete()

    # Reading ------------------------------------------------------------------------------------

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The store as it is now; its segments stay on disk until the block ends."""
        with self._lock:
            self._readers += 1
            found = Snapshot(
                segments=tuple(self._segments), memtables=(*self._sealed, self._active)
            )
        try:
            yield found
        finally:
            with self._lock:
                self._readers -= 1
            if self._doomed:
                self._delete_doomed()

    def figures(self) -> Figures:
        with self.snapshot() as found:
            return Figures(
                rows_in_memory=sum(table.rows for table in found.memtables),
                segments=len(found.segments),
                segment_bytes=sum(segment.disk_bytes for segment in found.segments),
            )

    @property
    def lock(self) -> threading.Lock:
        """Held while a memtable is read."""
        return self._lock

    def close(self) -> None:
        """Close it. Everything is on disk already; the next store reads the log."""
        with self._settle:
            self._closing = True
            self._settle.notify_all()
        self._thread.join()
        self._close_log()
        self.database.close()
        os.close(self._held)


def _small_run(found: Sequence[Segment], rows: int) -> list[Segment]:
    """Four neighbours that are small; empty if there are none."""
    run: list[Segment] = []
    for segment in found:
        if segment.rows >= rows:
            run = []
            continue
        run.append(segment)
        if len(run) == 4:
            return run
    return []
