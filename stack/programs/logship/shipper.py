"""The loop: look, read, send, save how far."""

import threading
import time

from stack.errors import HostCannot
from stack.programs.logfmt import say
from stack.programs.logship import positions
from stack.programs.logship.metrics import Metrics
from stack.programs.logship.sender import Sender
from stack.programs.logship.settings import Settings
from stack.programs.logship.shipment import Shipment
from stack.programs.logship.watch import Watch

_POLL_S = 0.1
_LOOK_S = _POLL_S / 2
"""While there is much to read, folders are not scanned after every piece."""
_STOP_S = 2.0
"""How long to wait at the end for a push that is under way."""


class Shipper:
    """Ships until `stop`. Raises BadInput for a pattern that it does not support."""

    def __init__(self, settings: Settings, says: str = "") -> None:
        """`says`: by what the store knows it."""
        client = settings.client
        self.settings = settings
        self.metrics = Metrics(f"{client.host}:{client.port}")
        self.ready = False
        """It has looked for files at least once."""
        known, problem = positions.load(settings.positions)
        if problem:
            say("error", "promtail", "reading all files from the start", problem=problem)
        self.watch = Watch(settings, known)
        self._wake = threading.Event()
        self._stopped = False
        self._sender = Sender(client, self.metrics, self._wake.set, says)
        self._shipment = Shipment(time.monotonic())
        self._disk = ""
        self._unsaved = False
        """Something was acknowledged that is not in the positions file yet."""

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def run(self) -> None:
        more, answered, look_at = False, False, 0.0
        while not self._stopped:
            self._wake.clear()
            now = time.monotonic()
            if now >= look_at:
                self.watch.look(now)
                look_at = now + _LOOK_S
            if more or not answered:
                more = self._read(now)
            self.ready = True
            acknowledged = self._acknowledge(now)
            self._hand_over(now)
            if self._unsaved and not acknowledged:
                self._save()  # a turn later: usually the next shipment has saved it by then
            answered = (not more or self._is_full()) and self._wake.wait(self._pause(now))
        self._sender.end(_STOP_S)
        self._acknowledge(time.monotonic())
        if self._unsaved:
            self._save()

    def _read(self, now: float) -> bool:
        """Fill the shipment; true when there may be more to read."""
        more = False
        for trail in list(self.watch.trails.values()):
            more = self._is_full() or trail.take(self._shipment, now) or more
        self._count()
        return more

    def _is_full(self) -> bool:
        return self._shipment.bytes >= self.settings.client.batch_bytes

    def _acknowledge(self, now: float) -> bool:
        """Note what the store has; true if that is new."""
        shipment = self._sender.settled(now)
        if shipment is None:
            return False
        for tail, mark in shipment.marks.items():
            tail.acknowledge(mark)
        self._unsaved = True
        return True

    def _hand_over(self, now: float) -> None:
        """Send the shipment when it is full or old enough, and nothing else is under way."""
        shipment = self._shipment
        if self._sender.busy or not shipment.lines:
            return
        if not self._is_full() and now - shipment.since < self.settings.client.batch_wait_s:
            return
        if shipment.noted and not self._save():
            return  # what is not saved may not be sent: it could not be repeated identically
        self._sender.send(shipment)
        self._shipment = Shipment(now)

    def _save(self) -> bool:
        try:
            positions.save(self.settings.positions, self.watch.positions())
        except HostCannot as error:
            if self._disk != str(error):
                say("error", "promtail", error.what, cure=error.cure)
            self._disk = str(error)
            return False
        self._disk, self._unsaved = "", False
        return True

    def _pause(self, now: float) -> float:
        """Seconds until something may be due; an answer from the store ends it early."""
        if self._shipment.lines and not self._sender.busy:
            left = self._shipment.since + self.settings.client.batch_wait_s - now
            return min(_POLL_S, max(0.0, left))
        return _POLL_S

    def _count(self) -> None:
        files = 0
        for trail in self.watch.trails.values():
            path, tails = str(trail.path), trail.tails
            self.metrics.read(path, sum(tail.counted() for tail in tails))
            self.metrics.reached(
                path,
                sum(tail.acknowledged.offset for tail in tails),
                sum(tail.reader.size() for tail in tails),
            )
            files += len(tails)
        self.metrics.files(files)
