"""All checks of dashboards, together: one after another, and none on what could not be read."""

from collections.abc import Collection

from stack.check import dashboardlinks, dashboards, panelqueries, promised, schema, shownalerts
from stack.check.configuration import Configuration
from stack.check.dashboardfiles import load
from stack.check.offered import Offered
from stack.check.problem import Problem
from stack.check.programs import Programs
from stack.check.supported import supported


def check(
    configuration: Configuration,
    offered: Offered,
    services: Collection[str],
    tools: Programs,
    *,
    queries: bool = True,
) -> list[Problem]:
    """Everything wrong with the dashboards below the configuration's root; nothing where there is
    no folder of them. `services` are those whose log files have their names; `queries=False` does
    not ask whether what panels read is there."""
    found = load(configuration.root)
    if not found.all and not found.problems:
        return []
    wrong = list(dashboards.check(found, configuration.datasources, supported()))
    wrong += dashboardlinks.check(found)
    if queries and not configuration.gaps & {"prometheus", "rules", "promtail"}:
        wrong += panelqueries.check(configuration, found, offered, services, tools)
    # What a dashboard that cannot be read shows is not known.
    if not found.problems:
        wrong += promised.check(found)
        wrong += (
            shownalerts.check(configuration, found) if "rules" not in configuration.gaps else []
        )
    # A mistake that another check tells in its own words is told once.
    told = {(one.path, one.line) for one in wrong}
    return wrong + [one for one in schema.check(found) if (one.path, one.line) not in told]
