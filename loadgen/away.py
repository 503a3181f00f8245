"""Who of the people is away, as the instance's control file `traffic.json` tells them.

`{"Resident": "away"}` sends all users of that class home, in every locust that works against
the instance; an absent file and `{}` mean that everybody works. Each class has a key of its own:
two faults at once do not call back each other's people. The file is found by the address that
users work against, so that a locust started by hand obeys as well.
"""

import json
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from stack.errors import BadInput
from stack.paths import state_dir
from stack.programs.control import ControlFile

SERVICE = "traffic"
"""Whose control file it is; no service of the stack, but told in the same way."""

AWAY = "away"


class Away:
    """What one control file says, as of now; without a file, that nobody is away."""

    def __init__(self, path: Path | None) -> None:
        self._control = ControlFile(path, _names, who=SERVICE) if path else None

    @staticmethod
    @cache
    def of(host: str) -> "Away":
        """Of the instance whose scheduler listens at `host`, a URL."""
        return Away(control_of(host, state_dir() / "instances"))

    def is_away(self, name: str) -> bool:
        """Whether users of the class called `name` are."""
        return self._control is not None and name in self._control.value()


def control_of(host: str, instances: Path) -> Path | None:
    """The control file of the instance whose scheduler has the port of `host`; None when there is
    no such instance."""
    for record in sorted(instances.glob("*/instance.json")):
        try:
            ports = json.loads(record.read_text())["ports"]["backend"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # it is being made or wiped at this moment
        if urlsplit(host).port in ports.values():
            return record.parent / "control" / f"{SERVICE}.json"
    return None


def _names(document: dict[str, object]) -> frozenset[str]:
    for name, told in document.items():
        if told != AWAY:
            raise BadInput(f'`{name}` is {json.dumps(told)}, wanted "{AWAY}"')
    return frozenset(document)
