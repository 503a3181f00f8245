"""The drawing of what a rule measures."""

import pytest

from scenarios.proof.chart import Plot, plot, short
from scenarios.proof.evidence import Graph


def graph(*points: tuple[float, float], threshold: float | None = 2.0) -> Graph:
    return Graph(at=0, query="x", threshold=threshold, names=("a=b",), lines=(points,))


def test_plot_without_points_is_none() -> None:
    assert plot(Graph(at=0, query="x", threshold=1, names=(), lines=()), 0, 1) is None


def test_plot_has_threshold_fault_and_values_in_its_frame() -> None:
    found = plot(graph((98, 0), (104, 4), (108, 1)), 100, 6)
    assert found is not None
    assert found.threshold_y is not None
    assert Plot.TOP < found.threshold_y < Plot.HEIGHT - Plot.BOTTOM
    assert Plot.LEFT < found.fault[0] < found.fault[1] < Plot.WIDTH
    assert found.lines[0].startswith(f"{Plot.LEFT}.0,{Plot.HEIGHT - Plot.BOTTOM}.0 ")
    assert [words for _, words in found.y_ticks] == ["0", "2", "4"]


@pytest.mark.parametrize("points", [((0.0, 0.0),), ((0.0, 5.0), (1.0, 5.0)), ((0.0, -3.0),)])
def test_plot_of_a_flat_line_divides_by_nothing(points: tuple[tuple[float, float], ...]) -> None:
    assert plot(graph(*points, threshold=None), 0, 1) is not None


@pytest.mark.parametrize(
    ("value", "words"), [(0.25, "0.25"), (1500, "1.5k"), (2e6, "2M"), (-3e9, "-3G")]
)
def test_values_are_short(value: float, words: str) -> None:
    assert short(value) == words
