"""`doit reproduce` shows what came out under which variation, and judges it."""

import pytest

from stack.errors import BadInput, CheckFailed, HostCannot
from stack.store.reproduce import Outcome, Reproduction
from stack.tasks.reproduce import judge, reproduce, table

SAME = Outcome(variation="umask", about="0o077")
DIFFERS = Outcome(variation="clock", about="9 years on", differing={"tool": ["`file` at byte 0"]})
CANNOT = Outcome(variation="host", about="host name", cannot="no namespaces")


def test_table_has_a_row_for_each_package_and_says_what_the_columns_are() -> None:
    found = Reproduction(packages=("base", "tool"), outcomes=(SAME, DIFFERS, CANNOT))
    assert list(table(found)) == [
        "                    umask clock host",
        "base                same  same  -",
        "tool                same  DIFF  -",
        "umask    0o077",
        "clock    9 years on",
        "host     not possible here: no namespaces",
    ]


def test_table_says_nothing_of_what_the_lock_does_not_know() -> None:
    lock = Outcome(variation="lock", about="tree hashes", unknown=frozenset({"tool"}))
    found = Reproduction(packages=("base", "tool"), outcomes=(lock,))
    assert list(table(found))[1:3] == ["base                same", "tool                -"]


def test_what_is_the_same_passes() -> None:
    judge([SAME])


def test_what_differs_fails_with_files_and_bytes() -> None:
    told = r"(?s)`tool` comes out differently under `clock` \(9 years on\):\n    `file` at byte 0"
    with pytest.raises(CheckFailed, match=told):
        judge([SAME, DIFFERS, CANNOT])


def test_what_could_not_be_tried_fails_otherwise() -> None:
    with pytest.raises(HostCannot, match="is the same; host could not be tried"):
        judge([SAME, CANNOT])


def test_unknown_system_is_refused() -> None:
    with pytest.raises(BadInput, match=r"(?s)`vax`.*amd64 and arm64"):
        reproduce([], "vax")
