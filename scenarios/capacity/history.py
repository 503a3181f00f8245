"""What earlier runs found, in one file: the JSON of each on a line of its own, the oldest first.

The last one that found a knee on a machine like this one is what a new one is held against.
"""

import json
from pathlib import Path

from scenarios.capacity.answer import Answer, Baseline, Machine, baseline_of, is_alike
from stack import jsontext
from stack.errors import BadInput, HostCannot

_OF_A_LINE = (
    "shape", "started", "answer", "knee", "half_width", "machine", "calibrated", "medians",
)  # fmt: skip


def last(file: Path, machine: Machine) -> Baseline | None:
    """None where there is no such run yet. Raises BadInput, naming the line that cannot be read."""
    if not file.parent.is_dir():
        raise BadInput(f"--history: there is no folder `{file.parent}`.", cure="Make it first.")
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BadInput(f"--history: `{file}` cannot be read: {error}.") from None
    found = None
    for number, line in enumerate(filter(None, lines), 1):
        try:
            one = baseline_of(jsontext.read(line))
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError):
            raise BadInput(
                f"--history: line {number} of `{file}` is not a run of `doit capacity`.",
                cure="Name another file, or take the line out.",
            ) from None
        if one and is_alike(one, machine):
            found = one
    return found


def add(file: Path, answer: Answer) -> None:
    """Add a run that found a knee and did not fall short. Raises HostCannot."""
    document = answer.document()
    try:
        with file.open("a") as history:
            history.write(json.dumps({key: document[key] for key in _OF_A_LINE}) + "\n")
    except OSError as error:
        raise HostCannot(
            f"--history: `{file}` cannot be written: {error.strerror}.", cure="Name another file."
        ) from None
