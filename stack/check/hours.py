"""Routes rest when `stack.config.audience` says so, and at no other time; every time interval is
used, and comes and goes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import yaml

from stack.check import delivery, receivers
from stack.check.configuration import Configuration
from stack.check.problem import Problem
from stack.check.receivers import Receiver
from stack.check.routes import Route
from stack.check.settings import line_of
from stack.check.suggest import nearest
from stack.check.yamlfile import ConfigFile, line, text
from stack.config.audience import HOURS, Hours
from stack.errors import BadInput
from stack.speed import hours


def check(configuration: Configuration) -> Iterator[Problem]:
    """What is wrong with intervals and their names."""
    file, top = configuration.alertmanager, configuration.route
    if not file or not top or top.unreadable:
        return
    try:
        known = hours.read(file.plain)
    except BadInput as error:
        said = error.what.removeprefix("alertmanager: ")
        at = line_of(file.root, said.partition(": ")[0])
        yield _problem("hours/interval", file, at, said, error.cure or "")
        return
    yield from _names(file, top, known)
    yield from _turns(file, known)


def _names(file: ConfigFile, top: Route, known: hours.Named) -> Iterator[Problem]:
    used = [(one, route) for route in top.every() for one in (*route.mute, *route.active)]
    for node, route in used:
        if route is top:
            yield _problem(
                "hours/interval", file, line(node), "the top route has time intervals, which"
                " Alertmanager refuses.", "Move them to a route below it.",
            )  # fmt: skip
        elif text(node) not in known:
            yield _problem("hours/interval", file, line(node), f"there is no time interval"
                           f" `{text(node)}`.", nearest(text(node), known))  # fmt: skip
    for name in known.keys() - {text(node) for node, _ in used}:
        yield _problem(
            "hours/interval", file, _line(file, name), f"no route uses the time interval `{name}`.",
            "Name it in a route's `mute_time_intervals` or `active_time_intervals`, or delete it.",
        )  # fmt: skip


def _turns(file: ConfigFile, known: hours.Named) -> Iterator[Problem]:
    """One that never comes, or never ends, is not what anybody means."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for name, own in known.items():
        seen = {bool(on) for _, on in hours.states({name: own}, now)}
        if len(seen) == 1:
            what = "never ends" if seen == {True} else "does not come within the next four years"
            yield _problem(
                "hours/interval", file, _line(file, name), f"the time interval `{name}` {what}.",
                "Correct it, or delete it with all that names it.",
            )  # fmt: skip


def rests(configuration: Configuration) -> Iterator[Problem]:
    """Who is told at other times than the audience says."""
    file, top = configuration.alertmanager, configuration.route
    if not file or not top or top.unreadable:
        return
    known = {one.name: one for one in receivers.read(file)}
    told: set[object] = set()
    for case in delivery.cases(configuration, top):
        severity = case.labels.get("severity") or ""
        for route in top.leaves(case.labels):
            found = Hours(mute=_set(route.mute), active=_set(route.active))
            for channel in _channels(known.get(text(route.receiver))):
                wanted = HOURS.get((severity, channel), Hours())
                key = line(route.node), channel, severity
                if found == wanted or key in told:
                    continue
                told.add(key)
                at = (route.mute or route.active or (route.node,))[0]
                yield _problem(
                    "hours/rest", file, line(at),
                    f"by this route {channel} is told of severity `{severity or 'none'}`"
                    f" {_words(found)}, and not {_words(wanted)}.",
                    "Correct the route's `mute_time_intervals` and `active_time_intervals` (no"
                    " route inherits them), or HOURS in stack/config/audience.py if they are"
                    " right.",
                )  # fmt: skip


def _channels(receiver: Receiver | None) -> list[str]:
    found = receiver.destinations if receiver else ()
    return list(dict.fromkeys(channel for (channel, _), _ in found))


def _set(nodes: tuple[yaml.Node, ...]) -> frozenset[str]:
    return frozenset(map(text, nodes))


def _words(rest: Hours) -> str:
    said = [
        f"{how} {' or '.join(f'`{name}`' for name in sorted(names))}"
        for how, names in (("only in", rest.active), ("outside of", rest.mute))
        if names
    ]
    return " and ".join(said) or "at any time"


def _line(file: ConfigFile, name: str) -> int | None:
    for section in hours.SECTIONS:
        for count, one in enumerate(file.plain.get(section) or ()):
            if str(one.get("name")) == name:
                return line_of(file.root, f"{section}[{count}]")
    return None


def _problem(check: str, file: ConfigFile, at: int | None, what: str, cure: str) -> Problem:
    return Problem(check=check, path=file.path, line=at, what=what, cure=cure)
