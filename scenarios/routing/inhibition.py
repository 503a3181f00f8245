"""A critical alert inhibits its warning twin, a dead API its symptoms, a dead database what depends
on it, and no others."""

from collections.abc import Collection, Mapping

from scenarios.routing.bench import Bench
from scenarios.routing.poster import Posted
from stack.config.audience import BREAKS, SUPPRESSES, SYMPTOMS, TWINS

LABELS = ("job", "instance", "device", "mountpoint")
"""All labels by which inhibit rules know one thing from another."""


def twins(bench: Bench) -> None:
    """Each warning is quiet while its twin fires about the same thing, and comes back after it."""
    _prove(bench, {critical: {warning} for critical, warning in TWINS.items()}, "twins")


def dead_api(bench: Bench) -> None:
    """The symptoms are quiet while the API is down, and come back when it is up and they stay."""
    _prove(bench, {"APIServiceDown": SYMPTOMS}, "dead-api")


def dead_database(bench: Bench) -> None:
    """What breaks because the database is down is quiet meanwhile, and told if it outlives it;
    about another thing it is told at any time."""
    effects = BREAKS["PostgreSQLDown"].items()
    loud = bench.fire("PostgreSQLDown", "critical", "dead", instance="postgresql")
    muted = [bench.fire(effect, "warning", "dead", **which) for effect, which in effects]
    # Each about a thing of its own: some of them inhibit each other.
    others = [bench.fire(effect, "warning", "not-dead", **dict.fromkeys(which, f"not-{effect}"))
              for effect, which in effects]  # fmt: skip
    covered = {one for effect in dict(effects) for one in SUPPRESSES.get(effect, ())}
    _follow(bench, [loud], muted, others, covered)


def _prove(bench: Bench, pairs: Mapping[str, Collection[str]], thing: str) -> None:
    loud, muted, others = [], [], []
    for cause, effects in pairs.items():
        # Each about a thing of its own: some effects inhibit each other, too.
        for effect in sorted(effects):
            loud.append(_fire(bench, cause, "critical", f"{thing}-{effect}"))
            muted.append(_fire(bench, effect, "warning", f"{thing}-{effect}"))
            others.append(_fire(bench, effect, "warning", f"not-{thing}-{effect}"))
    _follow(bench, loud, muted, others)


def _follow(
    bench: Bench, loud: list[Posted], muted: list[Posted], others: list[Posted],
    covered: Collection[str] = (),
) -> None:  # fmt: skip
    """`covered`: those of `muted` that another one of them mutes as well."""
    for alert in loud + others:
        bench.hears(alert)
    for alert in muted:
        bench.holds(alert, "suppressed")
    bench.quiet()
    healed = bench.heal(*loud)
    for alert in loud:
        bench.hears_end(alert, healed)
    # What was muted is sent at the next flush of its group; what one of the others mutes is not.
    back = [one for one in muted if one.name not in covered]
    for alert in back:
        bench.hears(alert, since=healed, after_s=0, within_s=bench.route(alert).group_interval_s)
    healed = bench.heal(*muted, *others)
    for alert in back + others:
        bench.hears_end(alert, healed)
    bench.quiet()


def _fire(bench: Bench, alert: str, severity: str, thing: str) -> Posted:
    """About one thing; its team, which no route names, keeps the groups of two things apart."""
    return bench.fire(alert, severity, thing, **dict.fromkeys(LABELS, thing))
