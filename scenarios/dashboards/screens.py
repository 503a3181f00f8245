"""Every dashboard in a real browser: no panel in error, nothing on the console, no request to
another host; and a picture of it, dark and light.

What a panel is in the page, and that it is loading or in error, is said in the same way by Grafana
and by the viewer, whose panels are Grafana's (`@grafana/ui`, PanelChrome).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.dashboards.browser import VARIABLE, Browser, Page, browser, program
from stack.check.dashboardfiles import Dashboard
from stack.check.yamlfile import entries, get, text
from stack.errors import CheckFailed, HostCannot

THEMES = ("dark", "light")

WIDTH_PX, HEIGHT_PX = 1280, 900

REFRESH = "1h"
"""Of a fast instance, dashboards are refreshed several times a second, and then always loading."""

WITHIN_S = 180.0
"""A dashboard has a page of two megabytes and dozens of queries, and gives way to others."""

NONE_WANTED = f"{VARIABLE}=none"
"""How to say that nobody wants to look."""

_HIGHEST_PX = 8000

_PANELS = "[...document.querySelectorAll('section[data-testid^=\"data-testid Panel header\"]')]"
_CONTENT = "querySelector('[data-testid=\"data-testid panel content\"]')"

_SETTLED = f"""
(() => {{
  const panels = {_PANELS};
  const blank = panels.filter((panel) => {{
    const content = panel.{_CONTENT};
    return !content || /^Loading/.test(content.innerText)
      || panel.querySelector('[aria-label="Panel loading bar"]')
      || !(content.innerText.trim() || content.querySelector('canvas, svg, img, [role]'));
  }});
  const names = blank.map((panel) => panel.querySelector('h2')?.title);
  return [panels.length, names];
}})()
"""
"""How many panels are there, and the titles of those that show nothing yet."""

_WRONG = f"""
{_PANELS}
  .filter((panel) => panel.querySelector('[aria-label="Panel status"], [data-unsupported]'))
  .map((panel) => `${{panel.querySelector('h2')?.title}}: ${{panel.{_CONTENT}?.innerText}}`)
"""
"""The panels that are in error, or of a type that there is not, with what they show instead."""


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A dashboard as a person saw it."""

    uid: str
    theme: str
    picture: Path | None
    """A PNG file; None where it did not come to that."""
    wrong: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.uid}, {self.theme}"


def chosen() -> tuple[Path | None, str]:
    """The browser's program, or why there is none. What the store lacks is built, which takes a
    while. Raises BadInput where STACK_BROWSER names nothing."""
    if f"{VARIABLE}={os.environ.get(VARIABLE)}" == NONE_WANTED:
        return None, NONE_WANTED
    try:
        return program(), ""
    except (HostCannot, CheckFailed) as error:
        return None, error.what


def look(
    of: Path,
    url: str,
    dashboards: Sequence[Dashboard],
    folder: Path,
    *,
    asked: Mapping[str, str],
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda what: None,
) -> list[Screen]:
    """Open each of the dashboards at `url` in both themes, and take pictures into `folder`.

    `asked` goes into the addresses: a time range. It gives way to what else runs on this machine.
    Raises HostCannot where the browser does not work.
    """
    found: list[Screen] = []
    with browser(of, gives_way=True) as running:
        for one in dashboards:
            for theme in THEMES:
                if not stop():
                    tell(f"{one.uid} in a browser, {theme}")
                    found.append(_screen(running, url, one, theme, folder, asked, stop))
    return found


def _screen(
    running: Browser,
    url: str,
    dashboard: Dashboard,
    theme: str,
    folder: Path,
    asked: Mapping[str, str],
    stop: Callable[[], bool],
) -> Screen:
    picture = folder / f"{dashboard.uid}-{theme}.png"
    wanted = {**asked, "theme": theme, "refresh": REFRESH}
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    with running.page() as page:
        page.theme(theme)
        page.size(WIDTH_PX, HEIGHT_PX).open(f"{url}/d/{dashboard.uid}?{query}")
        wrong = _settle(page, _count(dashboard), stop) or page.ask(_WRONG)
        picture.write_bytes(page.picture())
        elsewhere = [f"it asks another host: {each}" for each in page.foreign]
        return Screen(
            uid=dashboard.uid, theme=theme, picture=picture,
            wrong=(*wrong, *page.problems, *elsewhere),
        )  # fmt: skip


def _settle(page: Page, count: int, stop: Callable[[], bool]) -> list[str]:
    """Wait until all panels show something; what is wrong if they do not. Those far below begin
    once they are in sight, so the window becomes as high as the page."""
    try:
        page.until(f"{_PANELS}.length > 0", "a panel", within_s=WITHIN_S, stop=stop)
        height = page.ask("document.documentElement.scrollHeight")
        page.size(WIDTH_PX, min(max(height, HEIGHT_PX), _HIGHEST_PX))
        settled = f"(([there, blank]) => there >= {count} && !blank.length)({_SETTLED})"
        page.until(settled, "panels that show something", within_s=WITHIN_S, stop=stop)
    except CheckFailed as error:
        there, blank = page.ask(_SETTLED)
        said = f"{error.what.partition('; at last')[0]}: {there} panels of {count} are there"
        return [f"{said}, nothing in: {', '.join(blank)}" if blank else said]
    return []


def _count(dashboard: Dashboard) -> int:
    """How many panels are open to sight at first: those in collapsed rows lie in their row."""
    return sum(text(get(one, "type")) != "row" for one in entries(dashboard.node, "panels"))
