"""What the worker reads from its control file."""

import pytest

from stack.errors import BadInput
from stack.programs.worker.wishes import Wishes, wishes


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, Wishes()),
        ({"cpu_cores": 0, "memory_bytes": 0}, Wishes()),
        ({"cpu_cores": 0.23}, Wishes(cpu_cores=0.23)),
        ({"memory_bytes": 60_000_000}, Wishes(memory_bytes=60_000_000)),
        ({"crash_after_s": 0}, Wishes(crash_after_s=0.0)),
        ({"crash_after_s": 1.1}, Wishes(crash_after_s=1.1)),
    ],
)
def test_wishes_are_read(document: dict[str, object], expected: Wishes) -> None:
    assert wishes(document) == expected


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"cpu_cores": 1.5}, "`cpu_cores` is 1.5, expected a number from 0 to 1"),
        ({"memory_bytes": 2**30}, "`memory_bytes` is 1073741824, expected"),
        ({"crash_after_s": -1}, "`crash_after_s` is -1, expected"),
        ({"cpu_cores": "all"}, '`cpu_cores` is "all", expected'),
        ({"cores": 1}, "unknown: `cores`; known: `cpu_cores`, `memory_bytes`, `crash_after_s`"),
    ],
)
def test_wishes_beyond_the_bounds_are_refused(document: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        wishes(document)
