"""Where all channels hand in what arrived: made to fail if asked for, stored, counted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from prometheus_client import CollectorRegistry, Counter, ProcessCollector, disable_created_metrics

from stack.programs.inbox.control import Control
from stack.programs.inbox.heartbeat import Heartbeats
from stack.programs.inbox.message import Channel, Kind, Message
from stack.programs.inbox.store import MessageStore


class Metrics:
    """What arrived since the process started; every label value is 0 from the start."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._messages = Counter(
            "inbox_messages_total",
            "Notifications recorded, accepted or not.",
            ["channel", "kind"],
            registry=self.registry,
        )
        self._problems = Counter(
            "inbox_problems_total",
            "Broken rules found in recorded notifications.",
            ["channel"],
            registry=self.registry,
        )
        for channel in Channel:
            self._problems.labels(channel)
            for kind in Kind:
                self._messages.labels(channel, kind)

    def count(self, message: Message) -> None:
        self._messages.labels(message.channel, message.kind).inc()
        self._problems.labels(message.channel).inc(len(message.problems))


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Accepts the messages of every channel."""

    store: MessageStore
    control: Control
    heartbeats: Heartbeats
    metrics: Metrics = field(default_factory=Metrics)

    def wished(self, message: Message) -> Message:
        """Return the message with the answer that the control file asks for, if any.

        That is not the message's fault, so it is not one of its problems.
        """
        status = self.control.wish(message.channel).status
        return message if status is None else replace(message, answer=status)

    def take(self, message: Message) -> None:
        """Store and count one message. Raises sqlite3.Error if it cannot be stored."""
        self.store.add(message)
        self.metrics.count(message)

    def take_for(self, recipients: Sequence[str], message: Message) -> None:
        """The same for each recipient, or for none."""
        told = [replace(message, destination=recipient) for recipient in recipients]
        self.store.add_alike(told)
        for one in told:
            self.metrics.count(one)

    async def delay(self, channel: Channel) -> None:
        """Wait for as long as the control file asks, while everyone else is served."""
        if delay_s := self.control.wish(channel).delay_s:
            await asyncio.sleep(delay_s)

    def beat(self, message: Message) -> None:
        """Note a heartbeat, and record if it is back. Raises sqlite3.Error."""
        if back := self.heartbeats.beat(message):
            self.metrics.count(back)

    def look_for_heartbeats(self) -> None:
        """Record the heartbeats that are missing. Raises sqlite3.Error."""
        for message in self.heartbeats.look():
            self.metrics.count(message)
