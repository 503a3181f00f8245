"""Where the page with the buttons for incidents is, if somebody shows a demo."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from stack.errors import BadInput
from stack.loopback import HOST
from stack.programs.control import ControlFile, only_known

NOBODY = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Incidents</title>
<p>No demo is going on on this instance, so there are no buttons. <code>doit demo</code> begins one;
<code>doit incident</code> does the same in a terminal, at any time.
<p><a href="/">Dashboards</a>
"""

_ADDRESS = "incidents"
_HERE = re.compile(rf"http://{re.escape(HOST)}:[0-9]{{1,5}}/")
_PATIENCE_S = 1.0


class Incidents:
    """The control file at `path` says where, for as long as the demo lasts."""

    def __init__(self, path: Path) -> None:
        self._file = ControlFile(path, _parse, who="viewer")

    async def address(self) -> str:
        """Of the page; "" when nobody is there, also when the demo was killed."""
        address = self._file.value()
        with suppress(OSError, OverflowError, ValueError, TimeoutError):
            if address:
                asked = asyncio.open_connection(HOST, urlsplit(address).port)
                _, writer = await asyncio.wait_for(asked, _PATIENCE_S)
                writer.close()
                return address
        return ""


def _parse(document: dict[str, object]) -> str:
    only_known(document, [_ADDRESS])
    address = document.get(_ADDRESS, "")
    if address and not (isinstance(address, str) and _HERE.fullmatch(address)):
        raise BadInput(f"`{_ADDRESS}` is `{address}`, expected http://{HOST}:PORT/")
    return str(address)
