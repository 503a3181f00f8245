"""Plays the proofs of the routing on one instance, and judges them."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from difflib import get_close_matches

from scenarios.proof.case import Link, State
from scenarios.proof.play import Progress, Stage
from scenarios.proof.result import Result
from scenarios.proof.verdict import Outcome, Verdict
from scenarios.proof.watch import Watcher
from scenarios.routing import (
    grouping,
    inhibition,
    outages,
    repeating,
    restarts,
    second,
    severities,
    silence,
)
from scenarios.routing.bench import Bench, Broken, Interrupted
from scenarios.routing.poster import Poster, resend_s
from stack.check.configuration import Configuration
from stack.errors import BadInput, LabError
from stack.run.instance import Instance

PREFIX = "routing/"

REPEAT_S = 4 * 3600.0
"""`repeat_interval`, which `routing/repeat` waits for."""

DISTURBED = frozenset({"inbox", "alertmanager"})
"""Services that some proof stops."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One claim about the routing."""

    name: str
    play: Callable[[Bench], None]
    after: str = ""
    """What it disturbs, and so is played after: `others`, the proofs that are not patient, or
    `all`, every one before it."""
    patient: bool = False
    """It takes long, and an Alertmanager that is restarted meanwhile does not disturb it."""
    second: bool = False
    """On an Alertmanager of its own."""

    @property
    def file(self) -> str:
        return f"routing/{self.play.__module__.rpartition('.')[2]}.py"


PROOFS = (
    Proof(name="routing/critical", play=severities.of("critical")),
    Proof(name="routing/warning", play=severities.of("warning")),
    Proof(name="routing/info", play=severities.of("info")),
    Proof(name="routing/unknown-severity", play=severities.of("urgent")),
    Proof(name="routing/twins", play=inhibition.twins),
    Proof(name="routing/dead-api", play=inhibition.dead_api),
    Proof(name="routing/grouping", play=grouping.prove),
    Proof(name="routing/silence", play=silence.prove),
    Proof(name="routing/repeat", play=repeating.prove, second=True),
    Proof(name="routing/prometheus-restart", play=restarts.prove, patient=True),
    Proof(name="routing/alertmanager-restart", play=outages.alertmanager_restart, after="others"),
    Proof(name="routing/slow-channel", play=outages.slow_channel, after="others"),
    Proof(name="routing/inbox-down", play=outages.inbox_down, after="all"),
)
"""In the order in which they are told of."""


def names() -> list[str]:
    return [proof.name for proof in PROOFS]


def length_s(speed: float) -> float:
    """About how long all of them take on an instance of that speed, in real seconds."""
    # Real time at any speed; four minutes of `for` at a third of the speed, two group intervals.
    waiting_s = 12.0 + (3 * 4 + 2 * 5) * 60 / speed
    return max(waiting_s, REPEAT_S / second.fast(speed))


def choose(only: Iterable[str]) -> list[str]:
    """The names of proofs among `only`, all when it is empty; `routing` means all.

    Raises BadInput for unknown ones.
    """
    given = [name for text in only for name in re.split(r"[,\s]+", text) if name]
    wanted = [name for name in given if name == PREFIX[:-1] or name.startswith(PREFIX)]
    if not given or PREFIX[:-1] in wanted:
        return names()
    for name in wanted:
        if name not in names():
            near = get_close_matches(name, names(), n=3, cutoff=0.4) or names()
            raise BadInput(f"there is no proof `{name}`.", cure=f"Try {', '.join(near)}.")
    return [name for name in names() if name in wanted]


def prove(stage: Stage, only: Sequence[str]) -> list[Result]:
    """Play the proofs called `only`; a result for each, whatever happens."""
    chosen = [proof for proof in PROOFS if proof.name in only]
    instance = stage.instance
    played: dict[str, Result] = {}
    with ExitStack() as ending:
        watcher = ending.enter_context(Watcher(instance, stage.evidence, DISTURBED))
        player = _Player(stage, watcher)
        poster = ending.enter_context(player.poster(instance.url("alertmanager"), instance.speed))

        def play(proof: Proof) -> None:
            played[proof.name] = player.play(proof, poster)

        with ThreadPoolExecutor(len(PROOFS)) as pool:
            begun = {one: pool.submit(play, one) for one in chosen if not one.after}
            wait([future for one, future in begun.items() if not one.patient])
            for proof in [one for one in chosen if one.after == "others"]:
                play(proof)
            wait(begun.values())
            for proof in [one for one in chosen if one.after == "all"]:
                play(proof)
    return [played[proof.name] for proof in chosen]


@dataclass
class _Player:
    """What all proofs share."""

    stage: Stage
    watcher: Watcher

    @property
    def instance(self) -> Instance:
        return self.stage.instance

    def poster(self, url: str, speed: float) -> Poster:
        return Poster(url, prometheus_url=self.instance.url("prometheus"), resend_s=resend_s(speed))

    def play(self, proof: Proof, poster: Poster) -> Result:
        """Whatever happens, a result."""
        configuration = self.stage.configuration
        with ExitStack() as ending:
            if proof.second:
                try:
                    other = ending.enter_context(second.alertmanager(self.instance))
                except LabError as error:
                    verdict = Verdict(alert=proof.name, outcome=Outcome.BLOCKED, reason=str(error))
                    return Result(verdict=verdict, file=proof.file)
                poster = ending.enter_context(self.poster(other.url, other.layout.speed))
                configuration = other.configuration
            return self._result(proof, self._bench(proof, poster, configuration))

    def _bench(self, proof: Proof, poster: Poster, configuration: Configuration) -> Bench:
        return Bench(
            name=proof.name, instance=self.instance, evidence=self.stage.evidence,
            watcher=self.watcher, poster=poster, configuration=configuration, stop=self.stage.stop,
            tell=lambda what: self._tell(proof.name, what),
        )  # fmt: skip

    def _result(self, proof: Proof, bench: Bench) -> Result:
        reason = _played(proof, bench)
        outcome = Outcome.FAILED if reason else Outcome.PROVEN
        links = [*bench.links]
        if reason:
            links.append(Link(name="broken", state=State.BROKEN, said=reason, at=time.time()))
        self._tell(proof.name, f"{outcome}: {reason}".rstrip(": "))
        return Result(
            verdict=Verdict(
                alert=proof.name, outcome=outcome, reason=reason, links=tuple(links),
                zero=bench.zero,
            ),
            file=proof.file,
            instance=self.instance.name,
            hash=self.instance.hash,
            events=bench.own(),
        )  # fmt: skip

    def _tell(self, name: str, what: str) -> None:
        self.stage.tell(Progress(alert=name, instance=self.instance.name, what=what))


def _played(proof: Proof, bench: Bench) -> str:
    """Why it is not proven; empty when it is."""
    try:
        proof.play(bench)
    except Broken as error:
        return str(error)
    except Interrupted as error:
        return f"interrupted while waiting for: {error}"
    except LabError as error:
        return str(error)
    except Exception as error:  # one proof's own trouble: the others go on, this one has failed
        return f"{type(error).__name__}: {error}"
    return ""
