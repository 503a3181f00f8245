"""Plays the routing cases on one instance, and judges them."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass

from scenarios.proof.case import Link, LinkState
from scenarios.proof.evidence import Said
from scenarios.proof.overload import overloaded, unanswered
from scenarios.proof.play import Stage, Status, Venue
from scenarios.proof.result import Result
from scenarios.proof.verdict import Outcome, Verdict, failed, quoted
from scenarios.proof.watch import Watcher
from scenarios.routing import (
    grouping,
    hours,
    inhibition,
    outages,
    repeating,
    restarts,
    second,
    severities,
    silence,
)
from scenarios.routing.bench import Bench, Broken, Interrupted, NoRoom
from scenarios.routing.poster import Poster, resend_s
from stack import yamltext
from stack.check.configuration import Configuration
from stack.config.audience import HOURS
from stack.errors import LabError
from stack.run.instance import Instance
from stack.speed.hours import lived_in

REPEAT_S = 4 * 3600.0
"""`repeat_interval`, which `routing/repeat` waits for."""

DISTURBED = frozenset({"inbox", "alertmanager"})
"""Services that some case stops."""


@dataclass(frozen=True, kw_only=True)
class RoutingCase:
    """One claim about the routing."""

    name: str
    play: Callable[[Bench], None]
    after: str = ""
    """What it disturbs, and so is played after: `others`, the cases that are not patient, or
    `all`, every one before it."""
    patient: bool = False
    """It takes long, and an Alertmanager that is restarted meanwhile does not disturb it."""
    second: bool = False
    """On an Alertmanager of its own."""

    @property
    def file(self) -> str:
        return f"routing/{self.play.__module__.rpartition('.')[2]}.py"


CASES = (
    RoutingCase(name="routing/critical", play=severities.of("critical")),
    RoutingCase(name="routing/warning", play=severities.of("warning")),
    RoutingCase(name="routing/info", play=severities.of("info")),
    RoutingCase(name="routing/unknown-severity", play=severities.of("urgent")),
    RoutingCase(name="routing/twins", play=inhibition.twins),
    RoutingCase(name="routing/dead-api", play=inhibition.dead_api),
    RoutingCase(name="routing/dead-database", play=inhibition.dead_database),
    RoutingCase(name="routing/grouping", play=grouping.prove),
    RoutingCase(name="routing/silence", play=silence.prove),
    RoutingCase(name="routing/repeat", play=repeating.prove, second=True),
    *([RoutingCase(name="routing/hours", play=hours.prove, second=True)] if HOURS else []),
    RoutingCase(name="routing/prometheus-restart", play=restarts.prove, patient=True),
    RoutingCase(
        name="routing/alertmanager-restart", play=outages.alertmanager_restart, after="others"
    ),
    RoutingCase(name="routing/slow-channel", play=outages.slow_channel, after="others"),
    RoutingCase(name="routing/inbox-down", play=outages.inbox_down, after="all"),
)
"""In the order in which they are reported."""


def names() -> list[str]:
    return [case.name for case in CASES]


def length_s(speed: float) -> float:
    """About how long all of them take on an instance of that speed, in real seconds."""
    # Real time at any speed; four minutes of `for` at a third of the speed, two group intervals.
    waiting_s = 12.0 + (3 * 4 + 2 * 5) * 60 / speed
    return max(waiting_s, REPEAT_S / second.fast(speed))


def prove(venue: Venue, only: Sequence[str]) -> list[Result]:
    """Play the cases called `only`; a result for each, whatever happens."""
    chosen = [case for case in CASES if case.name in only]
    instance = venue.instance
    played: dict[str, Result] = {}
    with ExitStack() as ending:
        watcher = ending.enter_context(Watcher(instance, venue.evidence, DISTURBED))
        player = _Player(venue, watcher)
        poster = ending.enter_context(player.poster(instance.url("alertmanager"), instance.speed))

        def play(case: RoutingCase) -> None:
            try:
                played[case.name] = player.play(case, poster)
            except Exception as error:  # in a thread of its own, this case alone has failed
                why = f"{type(error).__name__}: {error}"
                played[case.name] = Result(verdict=failed(case.name, why), file=case.file)

        with ThreadPoolExecutor(len(CASES)) as pool:
            begun = {one: pool.submit(play, one) for one in chosen if not one.after}
            wait([future for one, future in begun.items() if not one.patient])
            for case in [one for one in chosen if one.after == "others"]:
                play(case)
            wait(begun.values())
            for case in [one for one in chosen if one.after == "all"]:
                play(case)
        venue.keep(watcher)
    return [played[case.name] for case in chosen]


@dataclass
class _Player:
    """What all cases share."""

    venue: Venue
    watcher: Watcher

    @property
    def instance(self) -> Instance:
        return self.venue.instance

    def poster(self, url: str, speed: float) -> Poster:
        return Poster(url, prometheus_url=self.instance.url("prometheus"), resend_s=resend_s(speed))

    def play(self, case: RoutingCase, poster: Poster) -> Result:
        """Whatever happens, a result."""
        configuration = self.venue.configuration
        with ExitStack() as ending:
            if case.second:
                try:
                    other = ending.enter_context(second.alertmanager(self.instance))
                except LabError as error:
                    verdict = Verdict(alert=case.name, outcome=Outcome.BLOCKED, reason=str(error))
                    return Result(verdict=verdict, file=case.file)
                poster = ending.enter_context(self.poster(other.url, other.layout.speed))
                configuration = other.configuration
            return self._result(case, self._bench(case, poster, configuration))

    def _bench(self, case: RoutingCase, poster: Poster, configuration: Configuration) -> Bench:
        return Bench(
            name=case.name, instance=self.instance, evidence=self.venue.evidence,
            watcher=self.watcher, poster=poster, configuration=configuration, stop=self.venue.stop,
            tell=lambda what: self._tell(case.name, what), now_in=self._now_in(),
        )  # fmt: skip

    def _now_in(self) -> frozenset[str]:
        file = self.instance.layout.config_root / "alertmanager" / "alertmanager.yml"
        return lived_in(yamltext.load(file), self.instance.speed)

    def _result(self, case: RoutingCase, bench: Bench) -> Result:
        outcome, reason = _played(case, bench)
        excuse = _excuse(bench) if outcome is Outcome.FAILED else ""
        reason = f"{excuse}; {reason}" if excuse else reason
        if outcome is Outcome.FAILED:
            reason += quoted(_said(bench))
        links = [*bench.links]
        if reason:
            links.append(Link(name="broken", state=LinkState.BROKEN, said=reason, at=time.time()))
        what = f"{'inconclusive' if excuse else outcome}: {reason}".rstrip(": ")
        self._tell(case.name, what, Stage.SEEN if excuse else Stage(outcome))
        return Result(
            verdict=Verdict(
                alert=case.name, outcome=outcome, reason=reason, links=tuple(links),
                zero=bench.zero, excuse=excuse,
            ),
            file=case.file,
            instance=self.instance.name,
            hash=self.instance.hash,
            events=bench.own(),
        )  # fmt: skip

    def _tell(self, name: str, what: str, stage: Stage = Stage.RUNNING) -> None:
        self.venue.tell(Status(alert=name, instance=self.instance.name, what=what, stage=stage))


def _played(case: RoutingCase, bench: Bench) -> tuple[Outcome, str]:
    """What came of it, and why it is not proven."""
    try:
        case.play(bench)
    except NoRoom as error:
        return Outcome.BLOCKED, str(error)
    except Interrupted as error:
        return Outcome.FAILED, f"interrupted while waiting for: {error}"
    except (Broken, LabError) as error:
        return Outcome.FAILED, str(error)
    except Exception as error:  # one case's own trouble: the others continue, this one has failed
        return Outcome.FAILED, f"{type(error).__name__}: {error}"
    return Outcome.PROVEN, ""


def _said(bench: Bench) -> list[Said]:
    """What Alertmanager said of notifications since the case began, the last of each kind."""
    events = bench.evidence.of(bench.name)
    return list({e.of: e for e in events if isinstance(e, Said) and e.at >= bench.zero}.values())


def _excuse(bench: Bench) -> str:
    """Who did not answer, or the machine that was too busy, while the case was played."""
    if bench.stop.is_set():
        return ""
    events, since, until = bench.evidence.of(bench.name), bench.zero, time.time()
    figures = overloaded(events, since, until)
    busy = f"the machine was overloaded: {figures}" if figures else ""
    return "; ".join(words for words in (unanswered(events, since, until), busy) if words)
