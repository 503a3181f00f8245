"""When a command of a runbook surprises its reader; and how a page is taken apart."""

import pytest

from tests.runbooks import PAGES, Command, Said, commands

QUIET = [
    ("an answer", "up => 1 @[1.5]", "", 0, ""),
    ("NaN beside a number", "a => NaN @[1]\nb => 2 @[1]", "", 0, ""),
    ("nothing, which is told", "", "", 0, "Nothing: not yet."),
    ("no rows, which is told", " pid\n-----\n(0 rows)\n", "", 0, "No rows: nobody waits."),
    (
        "failure that is quoted",
        "",
        "psql: error: Connection refused",
        2,
        "`Connection refused`: no",
    ),
    ("failure with a name", "", "not running: worker.", 1, "`not running: NAME`: stopped."),
]
SURPRISING = [
    ("nothing", "", "", 0, "Look at it."),
    ("an empty list", "[]\n", "", 0, "Look at it."),
    ("no rows", " pid\n-----\n(0 rows)\n", "", 0, "Look at it."),
    ("all NaN", "a => NaN @[1]\nb => NaN @[1]\n", "", 0, "Look at it."),
    ("failure", "", "", 7, "Nothing: it is well."),
    ("another failure", "", "psql: error: too many clients", 2, "`Connection refused`: no"),
    ("no such program", "", "bash: pqsl: command not found", 127, "Nothing."),
]


def said(output: str, errors: str, code: int, told: str) -> Said:
    return Said(command=Command(page="any", told=told, line="x"), code=code, output=output,
                errors=errors)  # fmt: skip


@pytest.mark.parametrize("row", QUIET, ids=lambda row: row[0])
def test_what_the_step_prepares_for_is_no_surprise(row: tuple[str, str, str, int, str]) -> None:
    assert said(*row[1:]).surprises == []


@pytest.mark.parametrize("row", SURPRISING, ids=lambda row: row[0])
def test_what_the_step_does_not_tell_is_one(row: tuple[str, str, str, int, str]) -> None:
    assert said(*row[1:]).surprises


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_commands_that_bash_can_read(page: str) -> None:
    assert all(one.told.strip() for one in commands(page))
    assert commands(page)
