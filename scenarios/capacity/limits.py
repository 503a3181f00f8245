"""What was at its limit first when load grew, and whether that was the load generator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scenarios.capacity.objective import window_of
from scenarios.capacity.window import OTHERS, Step, Verdict

FULL = 0.9
"""Use of a resource from which on it is at its limit: of a whole core, say, the kernel and the
measuring itself take a little."""

MACHINE_FULL = 0.85
"""The same of all cores together. Client, server and database wait for each other, so that a core
is idle now and then though there is more to do: two of them came to 0.87 to 0.9 however much was
asked."""

LATE = 0.05
"""Share of requests that a generator may be late for before it is what limits. Latency counts from
when a request was due, so an objective that holds all the same does hold."""

SHORT = 0.98
"""Share of the asked rate that must really have been offered."""

GENERATOR = "generator"
"""How resources of the load generator begin."""

GENERATOR_CPU = f"{GENERATOR} CPU"

CPU = "CPU of "
"""How a process's share of the core that it can use begins."""

MACHINE = "machine"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What was at its limit, from which rate on, and how that is known."""

    what: str
    rate: float | None
    evidence: str

    @property
    def is_generator(self) -> bool:
        return self.what.startswith(GENERATOR)


UNKNOWN = "nothing that is measured"


def first(steps: Sequence[Step]) -> Limit:
    """The resource that is at its limit at the lowest rate at which any is, up to the first breach.

    The generator only where nothing else is: a server at its limit keeps a generator busy, too, but
    a generator at its limit hides the server. The machine as a whole only where none of the
    stack's processes has filled it: the process is what can be given more. What things queue for,
    as the pool's connections, only where the machine is not full by then: it holds them longer.
    """
    _, high = window_of(steps)
    upto = sorted((one for one in steps if high is None or one.rate <= high),
                  key=lambda one: one.rate)  # fmt: skip
    busy: Step | None = None
    for step in upto:
        if busy is None and step.usage.get(MACHINE, 0.0) >= MACHINE_FULL:
            busy = step
        full = {name: use for name, use in step.usage.items()
                if use >= FULL and not name.startswith((GENERATOR, MACHINE))
                and (busy is None or name.startswith(CPU))}  # fmt: skip
        if full:
            return _at(step, max(full, key=lambda one: full[one]))
        if trouble := generator(step):
            return Limit(what=GENERATOR, rate=step.rate, evidence=trouble)
    if busy:
        found, others = _at(busy, MACHINE), busy.figures.get(OTHERS, 0.0)
        own = busy.usage.get(GENERATOR_CPU, 0.0)
        return replace(found, evidence=f"{found.evidence}, {own:.1f} cores by the load generator"
                       f" and {others:.1f} by others")  # fmt: skip
    used = upto[-1].usage if upto else {}
    most = max(used, key=lambda one: used[one], default="")
    known = f"the most used was {most}, {100 * used[most]:.0f} %" if most else "nothing was seen"
    return Limit(what=UNKNOWN, rate=high, evidence=known)


def _at(step: Step, name: str) -> Limit:
    share = f"{100 * step.usage[name]:.0f} % in use at {step.rate:.4g} arrivals/s"
    return Limit(what=name, rate=step.rate, evidence=share)


def generator(step: Step) -> str:
    """How it is known that the load generator could not do more, in words; empty when it could, or
    when it only had its share of a machine that was full."""
    starved = (
        step.usage.get(MACHINE, 0.0) >= MACHINE_FULL and step.usage.get(GENERATOR_CPU, 0.0) < FULL
    )
    if step.late > LATE and step.verdict is not Verdict.HOLDS and not starved:
        return (
            f"it was late for {100 * step.late:.0f} % of the requests at {step.rate:.4g} arrivals/s"
        )
    if step.offered < SHORT * step.rate:
        return f"it offered {step.offered:.4g} arrivals/s instead of {step.rate:.4g}"
    return ""
