"""`doit closure` shows what packages need, and what that weighs."""

import pytest

from stack.tasks.closure import closure, tree
from tests.tasks.packages import ALL


def test_closure_of_all_counts_what_is_shared_once() -> None:
    assert list(tree(ALL, [])) == [
        "                           unpacked    download",
        "web 1                        7.0 MB      2.0 MB",
        "  base 1                     5.0 MB      1.0 MB  shared by 2",
        "db 1                         8.0 MB      3.0 MB",
        "  base 1                     5.0 MB      1.0 MB  shared by 2",
        "odd 1                       unknown     unknown",
        "4 packages, 5 artifacts     20.0 MB      6.0 MB  what is shared counts once, what is "
        "unknown not at all",
    ]


def test_closure_of_a_named_package_shows_its_artifacts() -> None:
    lines = list(tree(ALL, ["web"]))
    assert lines[1:-1] == [
        "web 1                        7.0 MB      2.0 MB",
        "  . webserver 2                          2.0 MB",
        "  . assets 2                              20 kB",
        "  base 1                     5.0 MB      1.0 MB",
        "    . libc 2                             1.0 MB",
    ]


@pytest.mark.parametrize("packages", [[], ["postgresql"]], ids=["all", "one"])
def test_closure_of_the_checked_in_packages(
    packages: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    closure(packages)
    assert "glibc 2." in capsys.readouterr().out
