"""What happens at the front: somebody tries to get in, a script asks too much, its certificate runs
out."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from loadgen.faults.base import FaultFailed, Target
from loadgen.faults.repeated import Attempts
from stack.loopback import HOST
from stack.run import certificates, front
from stack.run.secrets import write
from stack.run.services import proxy

FRONT = proxy.NAME

STRANGER = "127.0.0.66"
"""Address that is nobody else's: all of 127.0.0.0/8 is this machine (RFC 1122, 3.2.1.3)."""

SCRIPT = "127.0.0.77"

_AT_ONCE = 20
"""Eighty requests a second: the front takes a hundred at once, and thirty a second after them."""

_TURNED_AWAY_WITHIN_S = 3.0


@dataclass(frozen=True, kw_only=True)
class IntruderAtFront(Attempts):
    """Somebody guesses the password of the front's operator, four times a second."""

    address: str = STRANGER
    touches: frozenset[str] = frozenset({f"{FRONT}.logins"})

    def inject(self, instance: Target) -> None:
        stranger = front.client(instance.layout, "operator", "guessed", source=self.address)

        def guess() -> None:
            status = _asked(stranger, "/")
            if status != 401:
                raise FaultFailed(f"the front answers {status} to a guessed password")

        self.begin(guess)

    def __str__(self) -> str:
        return f"the front's password guessed from {self.address}"


@dataclass(frozen=True, kw_only=True)
class FrontFlooded(Attempts):
    """A script of somebody who may look asks without a pause: eighty requests a second."""

    address: str = SCRIPT
    shows_within_s: float = _TURNED_AWAY_WITHIN_S
    touches: frozenset[str] = frozenset({f"{FRONT}.rate"})

    def inject(self, instance: Target) -> None:
        script = front.client(instance.layout, "viewer", source=self.address)

        def ask() -> None:
            for _ in range(_AT_ONCE):
                status = _asked(script, "/prometheus/-/healthy")
                if status not in (200, 429):
                    raise FaultFailed(f"the front answers {status} to a user who may look")

        self.begin(ask)

    def __str__(self) -> str:
        return f"the front asked eighty times a second from {self.address}"


@dataclass(frozen=True, kw_only=True)
class CertificateNotRenewed:
    """The front serves a certificate that is valid for so many days, at the instance's speed."""

    days: float
    shows_after_s: float = 0.0
    shows_within_s: float = 2.0
    lingers_s: float = 0.0
    touches: frozenset[str] = frozenset({f"{FRONT}.certificate"})
    lies_in: frozenset[str] = frozenset({FRONT})

    def blocked(self, instance: Target) -> str | None:
        return None

    def inject(self, instance: Target) -> None:
        self._serve(instance, timedelta(days=self.days) / instance.layout.speed)

    def undo(self, instance: Target) -> None:
        if _remaining(instance) < certificates.VALID / 2:
            self._serve(instance, certificates.VALID)

    def verify(self, instance: Target) -> str | None:
        remaining = _remaining(instance)
        served = f"the front still serves a certificate for {remaining}"
        return served if remaining < certificates.VALID / 2 else None

    def _serve(self, instance: Target, valid: timedelta) -> None:
        for path, text in certificates.signed(instance.layout, valid).items():
            write(path, text)
        reload = proxy.SERVICE.reload
        if reload and (complaint := reload(instance.layout)):
            raise FaultFailed(f"the front does not take its certificate: {complaint}")

    def __str__(self) -> str:
        return f"the front's certificate valid for {self.days:g} days"


def _asked(client: httpx.Client, path: str) -> int:
    try:
        return client.get(path).status_code
    except httpx.HTTPError as error:
        raise FaultFailed(f"the front does not answer: {error}") from error


def _remaining(instance: Target) -> timedelta:
    """For how long what is served is valid. Raises FaultFailed."""
    try:
        served = ssl.get_server_certificate((HOST, instance.layout.port(FRONT)), timeout=5)
        return certificates.expires(served.encode()) - datetime.now(UTC)
    except (OSError, ValueError) as error:
        raise FaultFailed(f"the front shows no certificate: {error}") from error
