"""Every panel is declared: the scenarios that move it, or why none does; and nothing else is."""

from scenarios.dashboards.declared import BEYOND_ITS_UNIT, EMPTY, MOVES, STEADY
from scenarios.dashboards.run import watched
from scenarios.proof.catalogue import find
from stack.check.dashboardfiles import load
from stack.paths import CONFIG_ROOT

PANELS = {
    (panel.dashboard.uid, panel.id): panel
    for panel in load(CONFIG_ROOT).panels
    if panel.kind not in ("text", "alertlist")
}


def test_every_panel_is_moved_by_a_scenario_or_says_why_none_moves_it() -> None:
    moved = {key for key, panel in PANELS.items() if watched(panel)}
    assert {*PANELS} - moved == {*STEADY}
    assert all(STEADY.values())


def test_what_is_declared_is_there() -> None:
    assert {*MOVES, *STEADY, *BEYOND_ITS_UNIT} <= {*PANELS}
    queries = {(*key, one.ref) for key, panel in PANELS.items() for one in panel.targets}
    assert {*EMPTY} <= queries


def test_every_alert_that_a_panel_watches_has_a_scenario() -> None:
    alerts = {one.scenario.alert for one in find()}
    assert {alert for panel in PANELS.values() for alert in watched(panel)} <= alerts
