"""Small JSON files that are whole, as they were written, or not there at all.

A seal over the content tells a file that was cut short, damaged or edited by hand. It keeps nobody
from lying on purpose.
"""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from stack import jsontext

MOST_BYTES = 4 << 20
"""More than any of them has; what is larger is not read."""


def write(file: Path, content: object) -> None:
    """Replace the file from one moment to the next. Raises OSError; then it is as it was."""
    file.parent.mkdir(parents=True, exist_ok=True)
    said = json.dumps({"seal": _seal(content), "content": content}, indent=1, sort_keys=True)
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w") as partial:
            partial.write(said)
            partial.flush()
            os.fsync(partial.fileno())
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def read(file: Path) -> object:
    """The content. Raises OSError or ValueError where it cannot be read or is not what was
    written."""
    if not file.is_file():
        raise ValueError("it is no file")
    if file.stat().st_size > MOST_BYTES:
        raise ValueError("it is too large")
    found = jsontext.read(file.read_bytes())
    if not isinstance(found, dict) or set(found) != {"seal", "content"}:
        raise ValueError("it has no seal")
    if found["seal"] != _seal(found["content"]):
        raise ValueError("it is not as it was written")
    return found["content"]


def _seal(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
