"""Which users are away, by the instance's control file `traffic.json`.

`{"Resident": "away"}` sends all users of that class home, in every locust that works against
the instance; an absent file and `{}` mean that everybody works. Each class has a key of its own,
so two faults at once do not call back each other's people. The file is found by the address that
users work against, so a locust started by hand obeys it as well.
"""

import json
import sys
from functools import cache
from pathlib import Path

from loadgen import whose
from stack import jsontext
from stack.paths import state_dir

SERVICE = "traffic"
"""Whose control file it is; not a service of the stack, but controlled in the same way."""

AWAY = "away"


class Away:
    """What one control file says, as of now; without a file, nobody is away."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._content = b"{}"
        self._away: frozenset[str] = frozenset()

    @staticmethod
    @cache
    def of(host: str) -> "Away":
        """Of the instance whose scheduler listens at `host`, a URL."""
        return Away(control_of(host, state_dir() / "instances"))

    def is_away(self, name: str) -> bool:
        """Whether the users of the class `name` are."""
        return self._path is not None and name in self._now(self._path)

    def _now(self, path: Path) -> frozenset[str]:
        """Who is away. A file that cannot be used is reported once and changes nothing."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            content = b"{}"
        if content != self._content:
            self._content = content
            try:
                self._away = _names(content)
            except ValueError as error:
                print(f"{SERVICE}: control file `{path}`: {error}; the last good values stay",
                      file=sys.stderr, flush=True)  # fmt: skip
        return self._away


def control_of(host: str, instances: Path) -> Path | None:
    """The control file of the instance whose scheduler listens on the port of `host`; None when
    there is no such instance."""
    found = whose.at(host, instances)
    return found.folder / "control" / f"{SERVICE}.json" if found else None


def _names(content: bytes) -> frozenset[str]:
    """The classes that a control file sends away. Raises ValueError."""
    document = jsontext.read(content)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    for name, said in document.items():
        if said != AWAY:
            raise ValueError(f'`{name}` is {json.dumps(said)}, expected "{AWAY}"')
    return frozenset(document)
