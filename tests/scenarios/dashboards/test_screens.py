"""Dashboards in a browser: what is wrong in one is named, and there are pictures of all."""

import json
from pathlib import Path
from typing import Any

import pytest

from scenarios.dashboards import screens
from scenarios.dashboards.browser import VARIABLE, program
from stack.check.dashboardfiles import Dashboard, load
from stack.errors import BadInput
from stack.store.packageset import realise
from tests.programs.viewer.invented import dashboard, panel, served

pytestmark = pytest.mark.timeout(600)


def as_file(folder: Path, document: dict[str, Any]) -> Dashboard:
    file = folder / "grafana" / "dashboards" / f"{document['uid']}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document))
    (found,) = (one for one in load(folder).all if one.uid == document["uid"])
    return found


def seen(folder: Path, document: dict[str, Any]) -> list[screens.Screen]:
    page = realise(["viewer"])["viewer"] / "share" / "viewer"
    with served(page, document) as lab:
        return screens.look(
            program(), lab.url, [as_file(folder, document)], folder, asked={"from": "now-5m"}
        )


def test_good_dashboard_has_nothing_wrong_and_a_picture_in_each_theme(tmp_path: Path) -> None:
    hidden = {"type": "row", "title": "More", "id": 9, "collapsed": True}
    hidden |= {"panels": [panel("stat", "Inside", "x", id=10)]}
    hidden["gridPos"] = {"x": 0, "y": 40, "w": 24, "h": 1}
    far = panel("timeseries", "Far below", "requests", id=8)
    far["gridPos"] = {"x": 0, "y": 41, "w": 24, "h": 8}
    dark, light = seen(tmp_path, dashboard("good", panel("stat", "Now", "now"), far, hidden))
    assert (dark.wrong, light.wrong) == ((), ())
    assert [dark.name, light.name] == ["good, dark", "good, light"]
    assert dark.picture
    assert light.picture
    assert dark.picture.read_bytes() != light.picture.read_bytes()


def test_what_is_wrong_in_a_dashboard_is_named(tmp_path: Path) -> None:
    broken = panel("timeseries", "Wrong", "broken")
    dark, _ = seen(tmp_path, dashboard("bad", broken, panel("geomap", "Where", "places")))
    assert any(each.startswith("Wrong: Prometheus says HTTP 400") for each in dark.wrong)
    assert any("no panel of the type “geomap”" in each for each in dark.wrong)
    assert dark.picture


@pytest.mark.nightly
def test_panel_that_shows_nothing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "WITHIN_S", 5.0)
    blank = panel("text", "Blank", options={"mode": "markdown", "content": ""})
    dark, _ = seen(tmp_path, dashboard("bad", panel("stat", "Now", "now"), blank))
    assert "2 panels of 2 are there" in dark.wrong[0]
    assert dark.wrong[0].endswith("nothing in: Blank")


@pytest.mark.parametrize(
    ("named", "given"), [("none", (None, "STACK_BROWSER=none")), ("/bin/sh", (Path("/bin/sh"), ""))]
)
def test_browser_is_what_the_environment_names(
    named: str, given: tuple[Path | None, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, named)
    assert screens.chosen() == given


def test_browser_that_is_not_there_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/no/such/chromium")
    with pytest.raises(BadInput, match="which is no program"):
        screens.chosen()
