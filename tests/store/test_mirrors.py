"""Mirrors come from the environment, then from apt's sources in both styles, then the archive."""

from pathlib import Path

import pytest

from stack.store.mirrors import ARCHIVE, mirrors

_LAST = f"{ARCHIVE}/20260101T000000Z"


@pytest.fixture(autouse=True)
def no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACK_DEBIAN_MIRROR", raising=False)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("deb http://m.test/debian bookworm main", ["http://m.test/debian"]),
        ("deb [arch=amd64 signed-by=/k] http://m.test/d/ trixie main contrib", ["http://m.test/d"]),
        ("deb http://m.test/debian trixie contrib", []),
        ("# deb http://m.test/debian trixie main", []),
        ("deb-src http://m.test/debian trixie main", []),
        ("deb http://m.test/security trixie-security main", []),
        ("deb http://m.test/other some-suite main", []),
        ("deb cdrom:[Debian]/ trixie main", []),
        ("deb", []),
    ],
)
def test_mirrors_of_one_line_sources(tmp_path: Path, line: str, found: list[str]) -> None:
    (tmp_path / "sources.list").write_text(f"{line}\n")
    assert mirrors("20260101T000000Z", tmp_path) == (*found, _LAST)


_STANZA = "Types: deb\nURIs: http://a.test/debian/\n  http://b.test/debian\nSuites: trixie\n"


@pytest.mark.parametrize(
    ("stanza", "found"),
    [
        (f"{_STANZA}Components: main\n", ["http://a.test/debian", "http://b.test/debian"]),
        (f"{_STANZA}# Components: main\nComponents: non-free\n", []),
        (f"{_STANZA}Components: main\nEnabled: no\n", []),
        (_STANZA.replace("deb\n", "deb-src\n") + "Components: main\n", []),
        ("Types: deb\nURIs: http://a.test\nSuites: nodistro\nComponents: main\n", []),
        (
            f"# first\n{_STANZA}\n\nTypes: deb\nURIs: http://c.test\n"
            "Suites: bookworm bookworm-updates\nComponents: contrib main\n",
            ["http://c.test"],
        ),
    ],
    ids=["two", "other component", "disabled", "source", "other distribution", "second stanza"],
)
def test_mirrors_of_deb822_sources(tmp_path: Path, stanza: str, found: list[str]) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(stanza)
    assert mirrors("20260101T000000Z", tmp_path) == (*found, _LAST)


def test_mirrors_put_the_environment_first_and_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sources.list").write_text("deb http://b.test/debian trixie main\n")
    monkeypatch.setenv("STACK_DEBIAN_MIRROR", "http://a.test/x/ http://b.test/debian/")
    assert mirrors("20260101T000000Z", tmp_path) == (
        "http://a.test/x",
        "http://b.test/debian",
        _LAST,
    )


def test_mirrors_without_apt_leave_the_archive(tmp_path: Path) -> None:
    assert mirrors("20260101T000000Z", tmp_path / "none") == (_LAST,)
