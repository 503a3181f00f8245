"""Who measures, measures alone."""

from pathlib import Path

import pytest

from scenarios.capacity.only import only_one
from stack.errors import HostCannot


def test_second_one_is_refused_until_the_first_is_over(state_dir: Path) -> None:
    with only_one(), pytest.raises(HostCannot, match="another `doit capacity` is under way"):
        with only_one():
            pass
    with only_one():
        pass
