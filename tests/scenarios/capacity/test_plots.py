"""Plots of reports: what they carry, and that a browser draws them."""

import json
from math import inf, nan
from pathlib import Path

import pytest

from scenarios.capacity import report
from scenarios.capacity.plots import plot
from scenarios.dashboards.browser import browser, program
from tests.scenarios.capacity.made import answer, step


def test_what_is_not_known_is_left_out() -> None:
    made = plot("t", "x", [("a", [(1, 2.0), (2, inf), (nan, 3.0)])])
    assert made
    assert json.loads(made.json)["lines"] == [{"name": "a", "x": [1], "y": [2.0], "dots": False}]
    assert plot("t", "x", [("a", [(1, inf)]), ("b", [])]) is None


def test_what_is_far_beyond_the_limit_is_cut() -> None:
    made = plot("t", "x", [("a", [(1, 0.1), (2, 500.0)])], limit=2.0)
    assert made
    assert made.top == pytest.approx(1.03 * 6)


def test_measurements_at_the_same_place_are_all_shown() -> None:
    made = plot("t", "x", [("a", [(5, 1.0), (5, 2.0), (5, 3.0)])])
    assert made
    assert len({*made.lines[0].x}) == 3
    assert made.lines[0].x == pytest.approx([5, 5, 5])


def test_browser_draws_each_plot_without_a_network(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(
        report.page(answer(step(100, usage={"machine": 0.4}), step(200, usage={"machine": 0.9}))),
        encoding="utf-8",
    )
    with browser(program()) as running, running.page() as page:
        page.open(file.as_uri())
        page.until("document.querySelectorAll('figure canvas').length === 3", "three plots")
        inked = (
            "[...document.querySelectorAll('canvas')].every((one) =>"
            " one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some(Boolean))"
        )
        page.until(inked, "something in each of them")
        assert not page.problems
        assert not page.foreign
