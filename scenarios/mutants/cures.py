"""What would kill a survivor, in words."""

from stack.mutation.mutant import Mutant

_TEST = "A unit test of it {} kills this."
_CURES = {
    "threshold": _TEST.format("with a value between the two"),
    "comparison": _TEST.format("with the very value of the limit"),
    "number": _TEST.format("whose outcome depends on that number"),
    "range": _TEST.format("in which what happened lies between the two ranges"),
    "offset": _TEST.format("in which it matters how long ago something was"),
    "step": _TEST.format("in which something happened between two steps"),
    "for": _TEST.format("that looks just before it fires, and just as it does"),
    "keep_firing_for": _TEST.format("that looks just before it is over, and just as it is"),
    "function": _TEST.format("whose outcome depends on that function"),
    "aggregation": _TEST.format("with two series of one group that differ in value"),
    "grouping": _TEST.format("with two series that differ in that label"),
    "matching": _TEST.format("with two series on either side that differ in that label"),
    "set operator": _TEST.format("in which only one side is true"),
    "matcher": _TEST.format("with a series that differs in that label, and would fire alone"),
    "metric": "Name it in stack/check/offered.txt, so that `doit check` knows what there is.",
    "line filter": _TEST.format("with lines that this filter lets through, and with others"),
    "severity": _TEST.format("with `exp_labels`"),
    "team": _TEST.format("with `exp_labels`"),
    "annotation": _TEST.format("with `exp_annotations`"),
    "panel": "`doit verify-dashboards` may notice; a panel's query has no unit tests.",
    "scrape": "A proof may notice: `doit verify-alerts`.",
}
_ELSE = "stack/config/audience.py does not say this; a proof may notice: `doit verify-alerts`."


def cure(mutant: Mutant) -> str:
    """A sentence."""
    return _CURES.get(mutant.kind, _ELSE)
