"""Configuration that no instance could use is wrong input: told before anything is started."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from stack import progress
from stack.check import logrules, programs
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.errors import BadInput
from stack.paths import REPO
from stack.tasks.check import host_setup

SHOWN = 10


def check_usable(configuration: Configuration) -> None:
    """What the programs themselves say of the files that they would not start with.

    A part of `doit check`: promtool's, amtool's and the log store's own word. Raises one BadInput
    with file and line of each, HostCannot when promtool or amtool cannot be run.
    """
    with progress.shown() as report, report.doing("checking the configuration"):
        found = _refused(configuration)
    if not found:
        return
    root = configuration.root
    shown_from = REPO if root.is_relative_to(REPO) else root.parent
    lines = [one.text(shown_from) for one in found[:SHOWN]]
    more = f"\n… and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise BadInput(
        "\n".join(lines) + more, cure="Nothing was started; `doit check` shows all problems."
    )


def _refused(configuration: Configuration) -> list[Problem]:
    tools = host_setup().programs
    asked: list[Callable[[], list[Problem]]] = [
        partial(programs.check_alertmanager, configuration, tools)
    ]
    if configuration.prometheus:
        asked.append(partial(programs.check_prometheus, configuration.prometheus, tools))
    asked += [partial(programs.check_rules, file, tools) for file in configuration.rules]
    asked.append(lambda: list(logrules.check(configuration)))
    with ThreadPoolExecutor() as pool:
        return [one for found in pool.map(lambda ask: ask(), asked) for one in found]
