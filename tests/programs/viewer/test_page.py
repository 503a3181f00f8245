"""The page: its files, compressed and kept by browsers for as long as they cannot change."""

import gzip
from pathlib import Path

import pytest

from stack.errors import BadInput
from stack.programs.viewer.assets import Assets
from tests.programs.viewer.bench import Viewer


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/d/overview/overview?from=now-1h", "text/html; charset=utf-8"),
        ("/d/with.dot", "text/html; charset=utf-8"),
        ("/dashboards", "text/html; charset=utf-8"),
        ("/main.js", "text/javascript; charset=utf-8"),
        ("/public/main.js", "text/javascript; charset=utf-8"),
        ("/public/build/img/icon.svg", "image/svg+xml"),
    ],
)
def test_files_and_addresses_of_the_page(viewer: Viewer, path: str, kind: str) -> None:
    answer, body = viewer.ask("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert body


@pytest.mark.parametrize(
    "path",
    [
        "/none.js", "/public/none.js", "/public/none", "/favicon.ico",
        "/../password", "/public/../../password", "/..%2fpassword", "/%2e%2e/password",
        "//etc/passwd.txt", "/public//etc/passwd",
    ],
)  # fmt: skip
def test_nothing_outside_the_folder_is_shown(viewer: Viewer, path: str) -> None:
    answer, body = viewer.ask("GET", path)
    # An address without a file's name is the page's own to explain.
    assert answer.status == 404 or b"<!doctype html>" in body
    assert b"se:cret" not in body
    assert b"root:" not in body


def test_browser_that_has_a_file_gets_no_second_one(viewer: Viewer) -> None:
    first, body = viewer.ask("GET", "/main.js")
    again, nothing = viewer.ask("GET", "/main.js", {"If-None-Match": first.headers["ETag"]})
    assert (again.status, nothing) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    other, whole = viewer.ask("GET", "/main.js", {"If-None-Match": '"other"'})
    assert (other.status, whole) == (200, body)


def test_file_is_compressed_for_who_wants_it(viewer: Viewer) -> None:
    plain, body = viewer.ask("GET", "/main.js")
    packed, small = viewer.ask("GET", "/main.js", {"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small) == body
    assert packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/chunk-4F6HXQ2B.js", "public, max-age=31536000, immutable"),
        ("/build/img/icon.svg", "public, max-age=86400"),
        ("/main.js", "no-cache"),
        ("/", "no-cache"),
        ("/api/health", "no-store"),
    ],
)
def test_how_long_browsers_keep_it(viewer: Viewer, path: str, kept: str) -> None:
    assert viewer.ask("GET", path)[0].headers["Cache-Control"] == kept


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("chunks/a-ABCDEFG2.js", True),
        ("a.0123456789abcdef.js", True),
        ("Inter-Regular.woff2", False),
        ("main.js", False),
        ("dashboard.js", False),
        ("TimeZone-LONGNAME.js", False),
    ],
)
def test_only_files_named_by_their_content_are_kept_for_ever(
    tmp_path: Path, name: str, kept: bool
) -> None:
    (tmp_path / "index.html").write_text("x")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    found = Assets(tmp_path).get(name)
    assert found is not None
    assert ("immutable" in found.keep) == kept


def test_folder_without_a_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"has no `index\.html`"):
        Assets(tmp_path / "empty")
