"""The mail server: aiosmtpd's SMTP, on the event loop of the whole process."""

import asyncio
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import AnyStr

from aiosmtpd.smtp import SMTP, Envelope, Session

from stack.programs import peers
from stack.programs.inbox import mail
from stack.programs.inbox.desk import Desk
from stack.programs.inbox.message import Channel, Message
from stack.programs.logfmt import say

HOSTNAME = "inbox"


class Connection(SMTP):
    """One connection. What is refused is recorded too, if it says whom it was for."""

    line_length_limit = 1_000_000
    """In octets. RFC 5321 requires 1000; real servers accept more, and a long line becomes a
    recorded problem rather than a lost mail."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recipients: list[str] = []
        super().__init__(
            self,
            hostname=HOSTNAME,
            ident="inbox",
            data_size_limit=mail.SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        users = peers.may_come()
        client, server = (transport.get_extra_info(name) for name in ("peername", "sockname"))
        if users is None or (client and server and peers.is_ours(client, server, users)):
            super().connection_made(transport)
        else:
            transport.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Record a mail, once for each recipient, and return the reply."""
        received_at = time.time()
        content = envelope.content
        content = content if isinstance(content, bytes) else b""
        # A large mail takes its time, in which others are answered.
        judged = await asyncio.to_thread(mail.judge, content, received_at=received_at)
        message = self._desk.wished(judged)
        try:
            self._desk.take_for(envelope.rcpt_tos, message)
        except sqlite3.Error as error:
            return f"452 4.3.1 Insufficient system storage: {error}"
        self._recipients = []
        await self._desk.delay(Channel.EMAIL)
        code = message.answer
        return "250 2.0.0 Ok: queued" if code == 250 else f"{code} {code // 100}.0.0 On purpose"

    async def smtp_MAIL(self, arg: str | None) -> None:
        """Accept the sender. `arg` is the rest of the command line."""
        with self._deciding(arg):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        """Accept one recipient. `arg` is the rest of the command line."""
        with self._deciding(arg):
            if self.envelope and len(self.envelope.rcpt_tos) >= mail.MOST_RECIPIENTS:
                await self.push(f"452 4.5.3 Too many recipients (at most {mail.MOST_RECIPIENTS})")
            else:
                await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        """Accept the mail. What is refused here was meant for all recipients so far."""
        with self._deciding(*(self.envelope.rcpt_tos if self.envelope else ())):
            await super().smtp_DATA(arg)

    @contextmanager
    def _deciding(self, *recipients: str | None) -> Iterator[None]:
        """A refusal within the block leaves these recipients without their mail."""
        self._recipients = [recipient or "" for recipient in recipients]
        try:
            yield
        finally:
            self._recipients = []

    async def push(self, status: AnyStr) -> None:
        """Send a reply; if it is a refusal that has not been recorded yet, record it first."""
        text = status.decode("utf-8", "replace") if isinstance(status, bytes) else status
        if re.match(r"[45]\d\d ", text):
            for recipient in self._recipients:
                self._record_refusal(recipient, text)
        await super().push(status)

    def _record_refusal(self, recipient: str, text: str) -> None:
        refusal = Message(
            received_at=time.time(),
            channel=Channel.EMAIL,
            destination=recipient,
            subject="(a refused mail)",
            problems=(f"the mail server refuses it: {text}",),
            answer=int(text[:3]),
        )
        try:
            self._desk.take(refusal)
        except sqlite3.Error as error:
            say(
                "error",
                "inbox",
                f"a refused mail is not recorded: {error}",
                recipient=recipient,
            )


async def serve(desk: Desk, listening: socket.socket) -> asyncio.Server:
    """Start to accept mail."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(desk), sock=listening)
