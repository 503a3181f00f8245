"""One panel before, during and after a fault, over the times at which it is asked."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from scenarios.dashboards import looking
from scenarios.dashboards.frames import Frame, Series
from scenarios.dashboards.healthy import seen_s
from scenarios.dashboards.looking import Look, patience_s, window_s
from scenarios.dashboards.result import Shown
from scenarios.dashboards.run import watched
from stack.check.bounds import Bound, Side
from stack.check.dashboardfiles import load
from stack.paths import CONFIG_ROOT

WINDOW_S = looking.WINDOW_S


class Story:
    """An instance whose panels show, at each second since it began, the next of some values; None
    is no data. The last one stays."""

    speed, scrape_s = 60.0, 0.25

    def __init__(self, *values: float | None, lookback_s: float = 5.0) -> None:
        self.values, self._lookback_s = values, lookback_s
        self.began = time.time()

    def lookback_s(self, target: object) -> float:
        return self._lookback_s

    def over(self, target: object, begin: float, end: float) -> Frame:
        def value(at: float) -> float | None:
            return self.values[min(max(0, int(at - self.began)), len(self.values) - 1)]

        times = [begin + step for step in range(int(end - begin) + 1)]
        points = tuple((at, found) for at in times if (found := value(at)) is not None)
        return Frame(series=(Series(labels=(), points=points),) if points else ())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Goes on when told to."""
    now = SimpleNamespace(at=1000.0)
    monkeypatch.setattr(time, "time", lambda: now.at)
    return now


def look(story: Any, *bounds: Bound, uid: str = "overview", panel_id: str = "107") -> Look:
    panel = load(CONFIG_ROOT).panel(uid, panel_id)
    assert panel
    return Look(Shown(panel=panel, watches=watched(panel), steady=""), story, bounds)


def calm(one: Look, *, learn: bool = False) -> str:
    """All was well since the story began."""
    story: Any = one._asker
    return one.calm(story.began, float("inf"), learn=learn)


HEALTHY: list[float | None] = [4.0] * 8


@pytest.mark.parametrize(
    ("during", "how"),
    [
        ([4.0] * 9, ""),
        ([4.0, 13.0], "rose to 13"),
        ([4.0, 1.0], "fell to 1"),
        ([None] * 9, "no data where there was some"),
    ],
)
def test_panel_moves_with_the_fault(clock: Any, during: list[float | None], how: str) -> None:
    story = Story(*HEALTHY, *during)
    one = look(story)
    clock.at += 7.5
    assert calm(one) == ""
    clock.at += 8.5
    said = one.moved(story.began + 8.0)
    assert how in said
    assert bool(said) == bool(how)


def test_nothing_is_gone_before_as_much_was_seen_as_before_the_fault(clock: Any) -> None:
    story = Story(*HEALTHY, None)
    one = look(story)
    clock.at += 7.5
    assert calm(one) == ""
    clock.at += 1.0
    assert one.moved(story.began + 8.0) == ""
    clock.at += WINDOW_S
    assert one.moved(story.began + 8.0) == "no data where there was some"


def test_panel_that_moves_by_itself_is_not_calm(clock: Any) -> None:
    one = look(Story(1.0, 1.0, 1.0, 1.0, 1.0, 5.0, *[1.0] * 9))
    clock.at += 7.5
    assert calm(one) == "it rose to 5, from 1 at most"
    clock.at += 9.0
    assert calm(one) == ""


def test_panel_is_calm_only_as_on_the_instance_when_all_was_well(clock: Any) -> None:
    story = Story(*HEALTHY, *[9.0] * 20)
    one = look(story)
    clock.at += 20.0
    assert "rose to 9" in one.calm(story.began, story.began + 7.5, learn=False)


def test_what_random_traffic_brings_is_learnt_and_no_movement(clock: Any) -> None:
    story = Story(*HEALTHY, *[9.0] * 20)
    one = look(story)
    clock.at += 20.0
    assert "rose to 9" in one.calm(story.began, story.began + 7.5, learn=True)
    assert one.calm(story.began, story.began + 7.5, learn=True) == ""
    assert one.moved(clock.at - 5.0) == ""


def test_panel_whose_query_fails_is_not_calm_whatever_its_bounds(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(*HEALTHY)
    monkeypatch.setattr(story, "over", lambda *_: Frame(error="away"))
    clock.at += 7.5
    assert calm(look(story)) == "away"
    assert (
        calm(look(story, Bound(alert="High", side=Side.ABOVE, value=8.0, colour="red"))) == "away"
    )


def test_what_only_troubles_make_is_calm_when_there_is_nothing(clock: Any) -> None:
    story = Story(*[1.0] * 4, *[None] * 8, *[1.0] * 4, *[None] * 8)
    one = look(story, uid="logs", panel_id="203")
    clock.at += 6.0
    assert calm(one) == "data where there was none"
    clock.at += 5.5
    assert calm(one) == "", "that there was something once counts for nothing"
    clock.at += 4.0
    assert one.moved(story.began + 12.0) == "data where there was none"
    clock.at += 1.5
    assert one.after() == "there is still data"
    clock.at += 5.0
    assert one.after() == ""


def test_panel_without_the_data_that_it_must_have_is_not_calm(clock: Any) -> None:
    one = look(Story(*[None] * 8))
    clock.at += 7.5
    assert calm(one) == "query A: no data"


def test_what_may_be_chance_is_believed_after_a_window(clock: Any) -> None:
    story = Story(*HEALTHY, *[7.0] * 9)
    one = look(story)
    clock.at += 7.5
    assert calm(one) == ""
    clock.at += 2.0
    assert one.moved(story.began + 8.0) == ""
    clock.at += WINDOW_S
    assert "rose to 7" in one.moved(story.began + 8.0)


def test_panel_that_is_back_is_as_before(clock: Any) -> None:
    story = Story(*HEALTHY, *[19.0] * 4, *[4.0] * 9)
    one = look(story)
    clock.at += 7.5
    assert calm(one) == ""
    clock.at += 4.0
    assert "rose to 19" in one.moved(story.began + 8.0)
    clock.at += 1.0
    assert "rose to 19" in one.after()
    clock.at += 5.0
    assert one.after() == ""
    assert one.keeps == ""


def test_panel_that_looks_back_longer_than_is_waited_for_goes_on_showing_the_fault(
    clock: Any,
) -> None:
    story = Story(*HEALTHY, 19.0, lookback_s=60.0)
    one = look(story)
    clock.at += 7.5
    assert calm(one) == ""
    clock.at += 9.0
    assert "rose to 19" in one.moved(story.began + 8.0)
    assert one.after() == ""
    assert one.keeps == "it looks back 60 s, and so still shows the fault"


def test_bound_of_the_alert_counts_and_nothing_else(clock: Any) -> None:
    story = Story(*HEALTHY, *[7.0] * 4, *[9.0] * 4, 5.0)
    one = look(story, Bound(alert="TooMany", side=Side.ABOVE, value=8.0, colour="red"))
    clock.at += 7.5
    assert calm(one) == ""
    clock.at += 3.0
    assert one.moved(story.began + 8.0) == ""
    clock.at += 3.0
    assert "beyond the bound of TooMany" in one.moved(story.began + 8.0)
    assert "still beyond the bound" in one.after()
    clock.at += 9.0
    assert one.after() == ""


def test_bound_of_what_must_be_there_is_passed_when_nothing_is(clock: Any) -> None:
    story = Story(*HEALTHY, None)
    one = look(story, Bound(alert="Silent", side=Side.BELOW, value=0.0, colour="red"))
    clock.at += 7.5
    assert calm(one) == ""
    clock.at += 1.0
    assert one.moved(story.began + 7.5) == ""
    clock.at += WINDOW_S
    assert "beyond the bound of Silent" in one.moved(story.began + 7.5)


@pytest.mark.parametrize(
    ("speed", "scrape_s", "window", "patience"),
    [(60.0, 0.25, 4.0, 20.0), (5400.0, 0.2, 4.0, 20.0), (1.0, 15.0, 120.0, 1200.0)],
)
def test_slower_instance_is_looked_at_for_longer(
    speed: float, scrape_s: float, window: float, patience: float
) -> None:
    asker: Any = SimpleNamespace(speed=speed, scrape_s=scrape_s)
    assert (window_s(asker), patience_s(asker)) == (window, patience)


@pytest.mark.parametrize(("scrape_s", "seen"), [(0.25, 30.0), (1.5, 30.0), (15.0, 240.0)])
def test_pictures_show_time_enough_for_lines(scrape_s: float, seen: float) -> None:
    asker: Any = SimpleNamespace(speed=15 / scrape_s, scrape_s=scrape_s)
    assert seen_s(asker) == seen
