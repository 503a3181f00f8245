"""Names that people type."""

import pytest

from stack.errors import BadInput
from stack.names import choose, meant

ALERTS = ["HighLatencyP95", "DiskSpaceWarning", "DiskSpaceCritical", "PostgreSQLDown"]
AREAS = {"database": ["PostgreSQLDown"], "infrastructure": ALERTS[1:3]}


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ([], []),
        (["PostgreSQLDown"], ["PostgreSQLDown"]),
        (["postgresqldown"], ["PostgreSQLDown"]),
        (["Disk*"], ALERTS[1:3]),
        (["disk*warning"], ["DiskSpaceWarning"]),
        (["*[0-9]"], ["HighLatencyP95"]),
        (["database"], ["PostgreSQLDown"]),
        (["*Critical", "infrastructure"], ["DiskSpaceCritical", "DiskSpaceWarning"]),
    ],
    ids=[
        "none",
        "name",
        "other case",
        "pattern",
        "pattern in other case",
        "class",
        "group",
        "once",
    ],
)
def test_choose_takes_names_patterns_and_groups(given: list[str], chosen: list[str]) -> None:
    assert choose(given, ALERTS, what="alert", groups=AREAS) == chosen


def test_choose_takes_a_name_before_a_group_of_that_name() -> None:
    assert choose(["logs"], ["logs", "x"], what="panel", groups={"logs": ["x"]}) == ["logs"]


@pytest.mark.parametrize(
    ("given", "said", "cure"),
    [
        (["PostgresDown"], "there is no alert `PostgresDown`.", "Did you mean PostgreSQLDown?"),
        (["Disc*"], "there is no alert `Disc*`.", "Run `list`."),
        (["diskspace"], "`diskspace`.", "Did you mean DiskSpaceWarning or DiskSpaceCritical?"),
        (["databse", "Zz"], "there is no alert `databse`, nor `Zz`.", "Did you mean database?"),
    ],
)
def test_choose_names_what_is_unknown_and_what_is_near(
    given: list[str], said: str, cure: str
) -> None:
    with pytest.raises(BadInput) as refused:
        choose(given, ALERTS, what="alert", groups=AREAS, see="Run `list`.")
    assert said in refused.value.what
    assert cure in refused.value.cure


def test_choose_names_all_when_none_is_near_and_nothing_lists_them() -> None:
    with pytest.raises(BadInput) as refused:
        choose(["zzzz"], ["up", "down"], what="way")
    assert refused.value.cure == "There are up, down."


def test_meant_is_quiet_when_nothing_is_near() -> None:
    assert meant("zzzz", ALERTS) == ""
    assert meant("", ALERTS) == ""
