"""A control file: JSON that tells a running service how to misbehave, watched without a thread."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from stack import jsontext
from stack.errors import BadInput

T = TypeVar("T")

_Signature = tuple[int, int, int] | str | None


class ControlFile(Generic[T]):
    """The latest valid value of the control file at `path`.

    `parse` makes the value from the JSON object, or raises BadInput. A missing file and `{}` both
    mean healthy, which is `parse({})`. A file that cannot be used is reported once, in one line on
    stderr, and the last good value stays.
    """

    def __init__(self, path: Path, parse: Callable[[dict[str, object]], T], *, who: str) -> None:
        self._path = path
        self._parse = parse
        self._who = who
        self._value = parse({})
        self._seen: _Signature = None

    def value(self) -> T:
        """The current value: one `stat`, and a read if the file was replaced."""
        signature = self._signature()
        if signature != self._seen:
            self._seen = signature
            try:
                self._value = self._parse(self._read())
            except BadInput as error:
                text = f"{self._who}: control file `{self._path}`: {error.what}"
                print(f"{text}; the last good values stay", file=sys.stderr, flush=True)
        return self._value

    def _signature(self) -> _Signature:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return str(error)
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _read(self) -> dict[str, object]:
        try:
            document = jsontext.read(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise BadInput(f"cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise BadInput(f"not JSON: {error}") from error
        if not isinstance(document, dict):
            raise BadInput("not a JSON object")
        return document


def number(document: dict[str, object], key: str, *, maximum: float) -> float | None:
    """`document[key]` between 0 and `maximum`; None if it is missing. Raises BadInput otherwise."""
    value = document.get(key)
    if value is None:
        return None
    # To Python a bool is an int, but it is never meant here; the comparison also refuses NaN.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= maximum:
        raise BadInput(f"`{key}` is {json.dumps(value)}, expected a number from 0 to {maximum:g}")
    return float(value)


def only_known(document: dict[str, object], known: list[str]) -> None:
    """Raise BadInput when `document` has a key that is not `known`."""
    if unknown := sorted(set(document) - set(known)):
        raise BadInput(f"unknown: `{'`, `'.join(unknown)}`; known: `{'`, `'.join(known)}`")
