"""YAML text, read and written by libyaml: as PyYAML does it, in a tenth of the time."""

from pathlib import Path
from typing import Any

import yaml

from stack.errors import BadInput


def read(text: str) -> Any:
    """The document. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def load(path: Path) -> Any:
    """The parsed file. Raises BadInput naming file, line and column."""
    try:
        return read(path.read_text())
    except FileNotFoundError:
        raise BadInput(f"`{path}` is missing.", cure="Restore it from the repository.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error)
        raise BadInput(f"{where}: not valid YAML: {problem}.") from None


def write(document: Any) -> str:
    """The document as text: keys in their order, long lines not folded."""
    text: str = yaml.dump(
        document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000
    )
    return text
