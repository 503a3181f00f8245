"""Panels of one instance looked at: over which time each is asked, and what is made of it."""

import time
from collections.abc import Sequence
from itertools import compress

from scenarios.dashboards.asking import Asker
from scenarios.dashboards.declared import BEYOND_ITS_UNIT, EMPTY
from scenarios.dashboards.frames import Frame, joined
from scenarios.dashboards.judging import Limits, back, beyond, gone, healthy, moved
from scenarios.dashboards.result import Shown
from stack.check.bounds import Bound
from stack.check.yamlfile import get, text

WINDOW_S = 4.0
"""Real seconds over which a panel is asked at least: twice before a fault, and after it."""

SCRAPES = 8
"""So many come into that time at any speed."""

PATIENCE_S = 20.0
"""Real seconds, or minutes as written, that a query may look back to be waited for after a fault:
one that looks back longer goes on showing it."""


def window_s(asker: Asker) -> float:
    """Real seconds over which a panel of that instance is asked."""
    return max(WINDOW_S, SCRAPES * asker.scrape_s)


def patience_s(asker: Asker) -> float:
    """Real seconds for which what a query looks back on is waited for."""
    return max(PATIENCE_S, PATIENCE_S * 60 / asker.speed)


def limits(shown: Shown) -> Limits:
    config = get(shown.panel.node, "fieldConfig", "defaults")
    highest = text(get(config, "max"))
    signed = shown.key in BEYOND_ITS_UNIT
    return Limits.of(text(get(config, "unit")), float(highest) if highest else None, signed=signed)


def wrong(shown: Shown, frames: Sequence[Frame]) -> str:
    """What no panel may show while all is well, with the query's letter; "" if all is well."""
    bound, empty = limits(shown), []
    for target, frame in zip(shown.panel.targets, frames, strict=True):
        why = EMPTY.get((*shown.key, target.ref), "")
        if said := healthy(frame, bound, may_be_empty=why):
            return f"query {target.ref}: {said}"
        empty += [why] if frame.is_empty else []
    shown.empty = tuple(empty)
    return ""


class Look:
    """One panel before, during and after one fault."""

    def __init__(self, shown: Shown, asker: Asker, bounds: Sequence[Bound]) -> None:
        """`bounds` are those of the fault's alert if the panel shows it, and none otherwise."""
        self.shown = shown
        self._asker = asker
        self._window_s = window_s(asker)
        self._bounds = bounds
        self._before: Sequence[Frame] = ()
        looks_back = [asker.lookback_s(target) for target in shown.panel.targets]
        self._returns = [seconds <= patience_s(asker) for seconds in looks_back]
        self.keeps = (
            ""
            if any(self._returns)
            else (f"it looks back {max(looks_back):.0f} s, and so still shows the fault")
        )
        """Why it is not asked to be as before."""

    def before(self) -> str:
        """Remember what it shows; why it cannot be told yet what a fault changes, "" if it can."""
        now = time.time()
        older = self._frames(now - 2 * self._window_s, now - self._window_s)
        newer = self._frames(now - self._window_s, now)
        self._before = [joined(*pair) for pair in zip(older, newer, strict=True)]
        if errors := [one.error for one in self._before if one.error]:
            return errors[0]
        if self._bounds:
            found = beyond(self._before, self._bounds)
            return f"it is beyond the bound of {found.alert} ({found.words})" if found else ""
        return moved(older, newer, []) or gone(older, newer)

    def moved(self, injected: float) -> str:
        """How it has moved since the fault, "" if it has not."""
        now = time.time()
        how = moved(self._before, self._frames(injected, now), self._bounds)
        if how or now - injected < self._window_s:
            return how
        # What is no longer there was there when the fault began.
        lately = self._frames(now - self._window_s, now)
        return (
            moved(self._before, lately, self._bounds)
            if self._bounds
            else gone(self._before, lately)
        )

    def after(self) -> str:
        """What is not as before, "" if all is; to be asked from a window after the fault on."""
        now = time.time()
        frames = self._frames(now - self._window_s, now)
        return wrong(self.shown, frames) or back(
            list(compress(self._before, self._returns)),
            list(compress(frames, self._returns)),
            self._bounds,
        )

    def _frames(self, begin: float, end: float) -> list[Frame]:
        return [self._asker.over(target, begin, end) for target in self.shown.panel.targets]
