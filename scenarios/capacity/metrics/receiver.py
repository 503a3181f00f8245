"""Whether what an instance's Prometheus writes elsewhere is all there, and answers alike.

The receiver is taken away for a while and comes back: sample for sample, series for series, both
are compared over the whole time. Then every rule is asked of both at the same moments.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from stack import loopback
from stack.check.conditions import conditions
from stack.errors import HostCannot, LabError
from stack.run.instance import Instance
from stack.run.remote import VICTORIA

BEFORE_S, AWAY_S, AFTER_S = 60.0, 60.0, 45.0
CAUGHT_UP_WITHIN_S = 300.0

MOMENTS = 8
"""At which each rule is asked."""

ALIKE = 0.05
"""Share by which two values may differ and still be the same answer: VictoriaMetrics counts the
sample before a range to it and does not extrapolate, Prometheus does the opposite."""

_SAME = 1e-9
"""Share by which a sample may differ: VictoriaMetrics keeps decimal numbers."""

_TIMEOUT_S = 60.0
_LOOK_EVERY_S = 0.5
_BEYOND_S = 10.0
"""Once samples that are so much newer have been sent, the older ones have: Prometheus sends no
later than five seconds after it has them (`batch_send_deadline`)."""

_SENT = "prometheus_remote_storage_queue_highest_sent_timestamp_seconds"
_DROPPED = ("prometheus_remote_storage_samples_failed_total",
            "prometheus_remote_storage_samples_dropped_total")  # fmt: skip

Series = Mapping[float, float]
"""Unix seconds, to the millisecond → value."""

Vector = Mapping[str, float]
"""Series → value."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of the samples of a whole window."""

    seconds: float
    away_s: float
    caught_up_s: float | None
    """From its return until it had all; None when it had not within the limit."""
    series: int
    samples: int
    """Of Prometheus, in the window."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Series → samples that only Prometheus has."""
    extra: Mapping[str, int] = field(default_factory=dict)
    """Series → samples that only the receiver has."""
    changed: int = 0
    """Samples whose value is another one."""
    dropped: float = 0.0
    """Samples that Prometheus itself says it gave up."""
    trouble: str = ""
    """Why it ended early; empty when it did not."""

    @property
    def lost(self) -> int:
        return sum(self.missing.values())


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What both said to one rule, at all moments."""

    alert: str
    expression: str
    moments: int
    alike: int
    """Moments at which the rule gave the same series, that is the same alerts."""
    firing: int
    """Moments at which it gave any."""
    measured_alike: int
    """Moments at which what it measures had the same series and, nearly, the same values."""
    apart: float
    """The most by which a value of what it measures differed, as a share."""
    example: str = ""
    """The first difference, in words."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    kept: Kept
    answers: Sequence[Answers] = ()


def compare(instance: Instance, tell: Callable[[str], None]) -> Compared:
    """Take the receiver of a running instance away and back; what came of it."""
    asking = _Both(instance)
    try:
        began = time.time()
        tell(f"{BEFORE_S:.0f} s as it is")
        _pass(instance, BEFORE_S)
        gone, back, trouble = _outage(instance, tell)
        caught_up = None if trouble else asking.sent(back)
        _pass(instance, max(0.0, back + AFTER_S - time.time()))
        ended = time.time()
        if not trouble and (caught_up is None or asking.sent(ended + _BEYOND_S) is None):
            trouble = (
                f"the receiver had not got everything within {CAUGHT_UP_WITHIN_S:g} s of its return"
            )
        caught_up_s = None if caught_up is None else caught_up - back
        kept = asking.kept(began, ended, back - gone, caught_up_s, trouble)
        moments = [began + (ended - began) * (n + 1) / (MOMENTS + 1) for n in range(MOMENTS)]
        return Compared(kept=kept, answers=[] if trouble else [*asking.answers(moments)])
    except httpx.HTTPError as error:
        raise HostCannot(f"`{error.request.url}` does not answer: {error}.") from None
    finally:
        asking.close()


def _outage(instance: Instance, tell: Callable[[str], None]) -> tuple[float, float, str]:
    """When it went and came back, and why it did not come back."""
    gone = time.time()
    tell(f"the receiver is away for {AWAY_S:.0f} s")
    instance.stop_service(VICTORIA)
    _pass(instance, max(0.0, gone + AWAY_S - time.time()))
    try:
        instance.start_service(VICTORIA)
    except LabError as error:
        return gone, time.time(), f"the receiver did not come back: {error.what}"
    tell("it is back")
    return gone, time.time(), ""


def _pass(instance: Instance, seconds: float) -> None:
    """Let time go by. Raises HostCannot when Prometheus dies meanwhile."""
    pid, until = instance.pid("prometheus"), time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 5.0))
        if instance.pid("prometheus") != pid:
            raise HostCannot("the instance's Prometheus died meanwhile.")


class _Both:
    """Prometheus and the receiver, asked the same."""

    def __init__(self, instance: Instance) -> None:
        self._prometheus = loopback.client(instance.url("prometheus"), timeout_s=_TIMEOUT_S)
        self._receiver = loopback.client(instance.url(VICTORIA), timeout_s=_TIMEOUT_S)

    def close(self) -> None:
        self._prometheus.close()
        self._receiver.close()

    def sent(self, moment: float) -> float | None:
        """Returns once a sample of that moment or a later one has been sent, in Unix seconds; None
        when that does not happen in time."""
        give_up = time.monotonic() + CAUGHT_UP_WITHIN_S
        while time.monotonic() < give_up:
            if self._own(_SENT) >= moment:
                return time.time()
            time.sleep(_LOOK_EVERY_S)
        return None

    def kept(
        self, began: float, ended: float, away_s: float, caught_up_s: float | None, trouble: str
    ) -> Kept:
        def samples(client: httpx.Client) -> dict[str, Series]:
            seconds = math.ceil(ended - began)
            found = _query(client, f'{{__name__=~".+"}}[{seconds}s]', ended)
            return {_name(one["metric"]): _within(one["values"], began, ended) for one in found}

        dropped = sum(self._own(name) for name in _DROPPED)
        here = samples(self._prometheus)
        try:
            there = samples(self._receiver)
        except (httpx.HTTPError, HostCannot):
            if not trouble:
                raise
            there = {}
        return compared(
            here, there, seconds=ended - began, away_s=away_s, caught_up_s=caught_up_s,
            dropped=dropped, trouble=trouble,
        )  # fmt: skip

    def answers(self, moments: Sequence[float]) -> Iterable[Answers]:
        groups = self._prometheus.get("/api/v1/rules?type=alert").json()["data"]["groups"]
        for group in groups:
            for rule in group["rules"]:
                yield self._answer(rule["name"], rule["query"], moments)

    def _answer(self, alert: str, expression: str, moments: Sequence[float]) -> Answers:
        measured = [one.measured for one in conditions(expression)] or [expression]
        alike = firing = measured_alike = 0
        apart, example = 0.0, ""
        for at in moments:
            pair = self._pair(expression, at)
            firing += bool(pair[0])
            same = pair[0].keys() == pair[1].keys()
            alike += same
            if not same and not example:
                example = f"{_told(pair[0])} here, {_told(pair[1])} there, at {_clock(at)}"
            far = [difference(*self._pair(one, at)) for one in measured]
            measured_alike += all(one <= ALIKE for one in far)
            apart = max([apart, *(one for one in far if math.isfinite(one))])
            if not example and any(one > ALIKE for one in far):
                worst = measured[far.index(max(far))]
                one, other = self._pair(worst, at)
                example = (f"`{worst}` is {_told(one)} here, {_told(other)} there,"
                           f" at {_clock(at)}")  # fmt: skip
        return Answers(
            alert=alert, expression=expression, moments=len(moments), alike=alike, firing=firing,
            measured_alike=measured_alike, apart=apart, example=example,
        )  # fmt: skip

    def _pair(self, expression: str, at: float) -> tuple[Vector, Vector]:
        return (_instant(_query(self._prometheus, expression, at)),
                _instant(_query(self._receiver, expression, at)))  # fmt: skip

    def _own(self, metric: str) -> float:
        """Of the instance's Prometheus, as it says at this moment; labels summed."""
        found = 0.0
        for line in self._prometheus.get("/metrics").text.splitlines():
            if line.startswith((f"{metric}{{", f"{metric} ")):
                found += float(line.rpartition(" ")[2])
        return found


def compared(
    here: Mapping[str, Series], there: Mapping[str, Series], *, seconds: float, away_s: float,
    caught_up_s: float | None = 0.0, dropped: float = 0.0, trouble: str = "",
) -> Kept:  # fmt: skip
    """Sample by sample: what one has and the other has not."""
    missing, extra, changed = {}, {}, 0
    for name in sorted({*here, *there}):
        one, other = here.get(name, {}), there.get(name, {})
        if lost := len(one.keys() - other.keys()):
            missing[name] = lost
        if more := len(other.keys() - one.keys()):
            extra[name] = more
        changed += sum(
            not math.isclose(one[at], other[at], rel_tol=_SAME) for at in one.keys() & other.keys()
        )
    return Kept(
        seconds=seconds, away_s=away_s, caught_up_s=caught_up_s,
        series=sum(bool(one) for one in here.values()), samples=sum(map(len, here.values())),
        missing=missing, extra=extra, changed=changed, dropped=dropped, trouble=trouble,
    )  # fmt: skip


def difference(one: Vector, other: Vector) -> float:
    """The most by which two answers differ, as a share; infinite where they have other series."""
    if one.keys() != other.keys():
        return math.inf
    return max((_apart(one[name], other[name]) for name in one), default=0.0)


def _apart(one: float, other: float) -> float:
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    if not (math.isfinite(one) and math.isfinite(other)):
        return math.inf
    return abs(one - other) / max(abs(one), abs(other))


def _query(client: httpx.Client, expression: str, at: float) -> list[dict[str, Any]]:
    answer = client.post(
        "/api/v1/query", data={"query": expression, "time": f"{at:.3f}", "nocache": "1"}
    )
    if not answer.is_success:
        raise HostCannot(
            f"`{client.base_url}` does not answer `{expression}`: {answer.text.strip()[:300]}"
        )
    said = answer.json()["data"]
    if said["resultType"] == "scalar":
        return [{"metric": {}, "value": said["result"]}]
    found: list[dict[str, Any]] = said["result"]
    return found


def _within(values: Sequence[Sequence[Any]], began: float, ended: float) -> Series:
    """Those strictly within, as both engines see edges differently; without NaN, which a receiver
    takes for the end of a series."""
    return {
        round(float(at), 3): float(value)
        for at, value in values
        if began < float(at) < ended and not math.isnan(float(value))
    }


def _instant(found: Sequence[Mapping[str, Any]]) -> Vector:
    """Without NaN: VictoriaMetrics leaves it out, and no alert comes of it."""
    values = {_name(one["metric"]): float(one["value"][1]) for one in found}
    return {name: value for name, value in values.items() if not math.isnan(value)}


def _name(labels: Mapping[str, str]) -> str:
    inner = ", ".join(f'{key}="{labels[key]}"' for key in sorted(labels) if key != "__name__")
    return labels.get("__name__", "") + f"{{{inner}}}"


def _told(found: Vector) -> str:
    if not found:
        return "nothing"
    name, value = next(iter(found.items()))
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{name} {value:.6g}{more}"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(at))
