"""Dashboard files are read again when they change; one that breaks is told of, the others go on."""

import json
from pathlib import Path
from typing import Any

import pytest

from stack.errors import BadInput
from stack.programs.viewer.dashboards import Library, Provider, parse, providers
from tests.programs.viewer.bench import Viewer, dashboard, save
from tests.waiting import eventually


class Shelf:
    """A library over a folder, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[str, str]] = []
        provider = Provider(path=folder, folder="", folder_uid="")
        self.library = Library(
            providers=(provider,), tell=lambda level, text: self.told.append((level, text))
        )

    def save(self, name: str, document: object) -> None:
        save(self.folder / name, document)

    @property
    def titles(self) -> list[str]:
        return [one.title for one in self.library.all()]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.save("a.json", dashboard("a", "Alpha"))
    made.save("b.json", dashboard("b", "Beta"))
    return made


def test_good_files_are_shown_and_nothing_is_told(shelf: Shelf) -> None:
    assert shelf.titles == ["Alpha", "Beta"]
    assert shelf.told == []
    assert shelf.library.problems() == {}


def test_changed_file_is_shown_as_it_is_now(shelf: Shelf) -> None:
    before = shelf.library.get("a")
    shelf.save("a.json", dashboard("a", "Alpha, changed"))
    after = shelf.library.get("a")
    assert before is not None
    assert after is not None
    assert after.title == "Alpha, changed"
    assert (after.id, after.version) == (before.id, before.version + 1)


def test_new_and_removed_files_are_seen(shelf: Shelf) -> None:
    assert len(shelf.titles) == 2
    shelf.save("c.json", dashboard("c", "Gamma"))
    (shelf.folder / "a.json").unlink()
    assert shelf.titles == ["Beta", "Gamma"]
    assert shelf.told == [("warn", "a.json: it was removed, and its dashboard with it")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('{"uid": "a",\n "title" }', "it is not JSON: Expecting ':' delimiter, line 2",
                     id="not JSON"),
        pytest.param("", "it is not JSON: Expecting value, line 1", id="empty"),
        pytest.param("[1]", "it is not a JSON object", id="a list"),
        pytest.param('{"uid": "a", "title": "A", "x": NaN}', "it is not JSON: NaN is no number",
                     id="no number"),
        pytest.param("[" * 100_000, "it is not JSON: ", id="deep"),
        pytest.param('{"uid": 3, "title": "A"}', "its `uid` is missing or not text", id="uid"),
        pytest.param('{"uid": "a", "title": 3}', "its `title` is missing or not text", id="title"),
        pytest.param("\xff", "it is not JSON: ", id="not UTF-8"),
    ],
)  # fmt: skip
def test_broken_file_is_told_of_once_and_the_last_good_one_stays(
    shelf: Shelf, text: str, problem: str
) -> None:
    assert len(shelf.titles) == 2
    (shelf.folder / "a.json").write_bytes(text.encode("latin-1"))
    assert shelf.titles == ["Alpha", "Beta"]
    assert shelf.titles == ["Alpha", "Beta"]
    [(level, told)] = shelf.told
    assert level == "error"
    assert told.startswith(f"a.json: {problem}")
    assert told.endswith("; the other dashboards go on")
    [why] = shelf.library.problems().values()
    assert why.startswith(problem)
    found = shelf.library.get("a")
    assert found is not None
    assert found.whole()["meta"]["problem"] == why  # type: ignore[index]
    shelf.save("a.json", dashboard("a", "Alpha"))
    assert shelf.titles == ["Alpha", "Beta"]
    assert shelf.told[1:] == [("info", "a.json: it can be shown again")]
    assert shelf.library.problems() == {}


def test_file_that_was_never_good_has_no_dashboard(shelf: Shelf) -> None:
    (shelf.folder / "c.json").write_text("{")
    assert shelf.titles == ["Alpha", "Beta"]
    assert list(shelf.library.problems()) == ["c.json"]
    (shelf.folder / "c.json").unlink()
    assert shelf.library.problems() == {}


def test_second_file_with_a_uid_is_refused_until_the_first_lets_go(shelf: Shelf) -> None:
    assert len(shelf.titles) == 2
    shelf.save("c.json", dashboard("a", "Another Alpha"))
    assert shelf.titles == ["Alpha", "Beta"]
    assert shelf.library.problems() == {"c.json": "its `uid` is `a`, which a.json has already"}
    (shelf.folder / "a.json").unlink()
    assert shelf.titles == ["Another Alpha", "Beta"]
    assert shelf.library.problems() == {}


def test_file_that_is_too_large_is_not_read(shelf: Shelf, monkeypatch: Any) -> None:
    monkeypatch.setattr("stack.programs.viewer.dashboards.LARGEST_BYTES", 100)
    shelf.save("a.json", dashboard("a", "Alpha", description="x" * 200))
    assert shelf.titles == ["Beta"]
    assert shelf.library.problems() == {"a.json": "it is larger than 100 bytes"}


def test_parse_gives_what_the_file_says() -> None:
    assert parse(b'{"uid": "u", "title": "T", "panels": []}')["panels"] == []


@pytest.mark.parametrize("uid", [{}, {"uid": None}, {"uid": ""}])
def test_dashboard_without_a_uid_has_that_of_its_file(shelf: Shelf, uid: dict[str, None]) -> None:
    shelf.save("Node Exporter_full.json", {"title": "Nodes", "rows": [], **uid})
    found = shelf.library.get("node-exporter-full")
    assert found is not None
    assert found.url == "/d/node-exporter-full/nodes"
    assert found.whole()["dashboard"]["uid"] == "node-exporter-full"  # type: ignore[index]


def test_uid_of_a_file_is_no_longer_than_grafana_allows(shelf: Shelf) -> None:
    shelf.save(f"{'long' * 20}.json", {"title": "Long"})
    assert shelf.library.get("long" * 10) is not None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("providers: 3", "`providers` is not a list"),
        ("providers: [3]", r"`providers\[0\]\.options\.path` is missing or not text"),
        ("providers: [{options: {path: 3}}]", r"`providers\[0\]\.options\.path` is missing"),
    ],
)
def test_providers_that_cannot_be_used_are_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "all.yml").write_text(text)
    with pytest.raises(BadInput, match=problem):
        providers(tmp_path)


def test_live_viewer_shows_a_file_that_breaks_and_comes_right(own_viewer: Viewer) -> None:
    file = own_viewer.dashboards / "overview.json"
    good = json.loads(file.read_text())
    file.write_text("{")
    found = own_viewer.json("/api/dashboards/uid/overview")
    assert found["meta"]["problem"].startswith("it is not JSON")
    assert own_viewer.json("/api/dashboards/uid/database")["meta"].get("problem") is None
    [problem] = own_viewer.json("/api/lab/problems")
    assert problem["file"] == "overview.json"
    assert own_viewer.metric('viewer_dashboard_files{state="broken"}') == 1
    assert own_viewer.metric('viewer_dashboard_files{state="shown"}') == 1
    eventually(lambda: "overview.json: it is not JSON" in own_viewer.log(), "it to be told")
    save(file, good)
    assert own_viewer.json("/api/lab/problems") == []
    file.unlink()
    assert own_viewer.said("GET", "/api/dashboards/uid/overview")[0] == 404
