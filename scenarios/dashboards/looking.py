"""Panels of one instance looked at: over which time each is asked, and what is made of it."""

import time
from collections.abc import Sequence

from scenarios.dashboards.asking import Asker
from scenarios.dashboards.declared import BEYOND_ITS_UNIT, EMPTY
from scenarios.dashboards.frames import Frame, joined
from scenarios.dashboards.judging import Limits, Movement, beyond, healthy, moved, still
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
        self._patience_s = patience_s(asker)
        self._bounds = bounds
        self._empty = [(*shown.key, target.ref) in EMPTY for target in shown.panel.targets]
        self._learnt: Sequence[Frame] = [Frame() for _ in shown.panel.targets]
        self._before: Sequence[Frame] = ()
        self._movement: Movement | None = None

    def calm(self, begin: float, end: float, *, learn: bool) -> str:
        """Remember what it shows; why it cannot be told yet what a fault changes, "" if it can.

        Between `begin` and `end` (Unix seconds) all was well. `learn` that what it shows now is
        well, too, whatever it was then: what random traffic brings now and then.
        """
        now = time.time()
        newer = self._frames(now - self._window_s, now)
        if errors := [one.error for one in newer if one.error]:
            return errors[0]
        if self._bounds:
            self._before = newer
            found = beyond(newer, self._bounds)
            return f"it is beyond the bound of {found.alert} ({found.words})" if found else ""
        older = self._frames(begin, min(end, now - self._window_s))
        known = [joined(*pair) for pair in zip(older, self._learnt, strict=True)]
        for at, new in enumerate(newer):
            if self._empty[at]:  # what only troubles make is not there, whatever it was then
                known[at] = new if learn else Frame()
        self._before = [joined(*pair) for pair in zip(known, newer, strict=True)]
        if learn:
            self._learnt = [joined(*pair) for pair in zip(self._learnt, newer, strict=True)]
        found_how = moved(known, newer, [])
        return wrong(self.shown, newer) or (found_how.words if found_how else "")

    def moved(self, injected: float) -> str:
        """How it has moved since the fault, "" if it has not. What may be chance is believed when
        as much has been seen as of the time before."""
        now = time.time()
        frames = self._frames(max(injected, now - self._window_s), now)
        whole = now - injected >= self._window_s
        self._movement = moved(self._before, frames, self._bounds, missing=whole)
        if self._movement and not (whole or self._movement.is_plain):
            self._movement = None
        return self._movement.words if self._movement else ""

    @property
    def keeps(self) -> str:
        """Why it is not asked to be as before, once it has moved; "" if it is."""
        assert self._movement
        looks_back_s = self._asker.lookback_s(self.shown.panel.targets[self._movement.query])
        if looks_back_s <= self._patience_s:
            return ""
        return f"it looks back {looks_back_s:.0f} s, and so still shows the fault"

    def after(self) -> str:
        """Why it is not as before, "" if it is; to be asked from a window after the fault on."""
        assert self._movement
        now = time.time()
        frames = self._frames(now - self._window_s, now)
        if said := wrong(self.shown, frames):
            return said
        return "" if self.keeps else still(self._movement, self._before, frames, self._bounds)

    def _frames(self, begin: float, end: float) -> list[Frame]:
        return [self._asker.over(target, begin, end) for target in self.shown.panel.targets]
