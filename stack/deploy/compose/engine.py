"""Docker's daemon, asked over its socket, so that no `docker` command has to be there.

API: docs.docker.com/reference/api/engine, of which every daemon since 2013 knows what is used here.
"""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx

from stack.errors import BadInput, HostCannot

_SOCKET = "/var/run/docker.sock"

_LOAD_TIMEOUT_S = 600.0
_ASK_TIMEOUT_S = 10.0
_CHUNK_BYTES = 1 << 20


class Engine:
    """The daemon that `DOCKER_HOST` names, or this machine's own, for as long as a `with` block."""

    def __init__(self, address: str = "") -> None:
        """Raises BadInput for an address that is no socket's, HostCannot where none answers, with
        what is missing."""
        self.address = address or os.environ.get("DOCKER_HOST") or f"unix://{_SOCKET}"
        parts = urlsplit(self.address)
        if parts.scheme != "unix":
            raise BadInput(
                f"DOCKER_HOST is `{self.address}`, which is no socket of this machine.",
                cure="The files that containers get are this machine's; unset it.",
            )
        self._socket = Path(parts.path)
        self._http = httpx.Client(
            base_url="http://docker",
            transport=httpx.HTTPTransport(uds=str(self._socket)),
            timeout=_ASK_TIMEOUT_S,
        )
        try:
            _connect(self._socket)
            self._http.get("/_ping").raise_for_status()
        except (OSError, httpx.HTTPError) as error:
            self._http.close()
            raise _why(self._socket, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def image(self, reference: str) -> str:
        """The ID of an image that it has, "" where it has none of that name."""
        answer = self._http.get(f"/images/{reference}/json")
        return str(answer.json().get("Id", "")) if answer.status_code == 200 else ""

    def load(self, archive: Path) -> None:
        """Take in the images of an archive. Raises HostCannot with the daemon's own words."""

        def content() -> Iterator[bytes]:
            with archive.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk

        try:
            answer = self._http.post(
                "/images/load",
                params={"quiet": "1"},
                content=content(),
                headers={"Content-Type": "application/x-tar"},
                timeout=_LOAD_TIMEOUT_S,
            )
        except httpx.HTTPError as error:
            raise HostCannot(f"Docker did not take `{archive}`: {error}.") from error
        said = [json.loads(line) for line in answer.text.splitlines() if line.startswith("{")]
        wrong = next((str(each["error"]) for each in said if "error" in each), "")
        if answer.status_code != 200 or wrong:
            raise HostCannot(f"Docker did not take `{archive}`: {wrong or answer.text.strip()}.")


def _connect(to: Path) -> None:
    """Raises OSError with the reason where nobody can be reached there."""
    with socket.socket(socket.AF_UNIX) as trial:
        trial.settimeout(_ASK_TIMEOUT_S)
        trial.connect(str(to))


def _why(to: Path, error: Exception) -> HostCannot:
    if isinstance(error, FileNotFoundError):
        return HostCannot(
            f"no Docker daemon runs here: there is no `{to}`.",
            cure="Install Docker and start it (Debian: `apt-get install docker.io`), or name its "
            "socket in DOCKER_HOST. `doit up` runs the stack without it.",
        )
    if isinstance(error, PermissionError):
        return HostCannot(
            f"you may not use Docker: `{to}` is not yours to open.",
            cure="Join the group `docker`, which is as good as root, or run this as root.",
        )
    return HostCannot(
        f"the Docker daemon at `{to}` does not answer: {error}.", cure="Start it, or restart it."
    )
