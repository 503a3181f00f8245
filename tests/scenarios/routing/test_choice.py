"""Which routing cases are played, by the names that people give."""

import pytest

from scenarios.routing import run as routing
from stack.errors import BadInput


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        (["PostgreSQLDown"], []),
        (["routing/grouping"], ["routing/grouping"]),
        (["PostgreSQLDown,routing/twins routing/grouping"], ["routing/twins", "routing/grouping"]),
        (["routing"], routing.names()),
        ([], routing.names()),
    ],
    ids=["none", "one", "several", "all", "nothing named"],
)
def test_choice_is_by_name(only: list[str], chosen: list[str]) -> None:
    assert routing.choose(only) == chosen


def test_choice_suggests_the_nearest_name() -> None:
    with pytest.raises(BadInput, match="there is no routing case `routing/groups`") as error:
        routing.choose(["routing/groups"])
    assert "routing/grouping" in error.value.cure


def test_names_are_of_their_own() -> None:
    assert len(set(routing.names())) == len(routing.names())


def test_length_is_that_of_the_waits() -> None:
    assert routing.length_s(60) < 40
    assert routing.length_s(1) == 4 * 3600
