"""Who measures, measures alone."""

from pathlib import Path

import pytest

from scenarios.capacity.only import only_one
from stack.errors import HostCannot


def test_second_one_is_refused_until_the_first_is_over(state_dir: Path) -> None:
    with only_one():
        again = only_one()
        with pytest.raises(HostCannot, match="another `doit capacity` is under way"):
            again.__enter__()
    with only_one():
        pass
