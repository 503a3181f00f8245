"""Loki's configuration and its rules at a speed."""

import copy
from functools import partial
from typing import Any

from stack.durations import INTERVAL_FLOOR_S, checked, scale_duration, seconds
from stack.errors import BadInput
from stack.speed.logql import scale_query
from stack.speed.rules import scale_rules

Mapping = dict[str, Any]

RANGE_FLOOR_S = 2.0
"""No range of a log rule is shorter: a line may take half of that from its program to the store,
and it counts at its own timestamp, not at its arrival."""

# Key of `ruler` -> (Loki's default, floor in seconds). The floors are those of Prometheus' flags.
_RULER = {
    "evaluation_interval": ("1m", INTERVAL_FLOOR_S),
    "resend_delay": ("1m", 1.0),
    "for_grace_period": ("10m", 0.0),
    "for_outage_tolerance": ("1h", 0.0),
}


def scale_loki(document: Mapping, speed: float) -> Mapping:
    """A new configuration at `speed`, from a parsed one: the ruler's intervals are divided.

    Limits, ages and timeouts concern lines and queries, which are not sped up. Raises BadInput.
    """
    checked(speed)
    scaled = copy.deepcopy(document)
    if speed == 1:
        return scaled
    ruler = scaled.setdefault("ruler", {})
    for key, (default, floor_s) in _RULER.items():
        try:
            ruler[key] = scale_duration(str(ruler.get(key, default)), speed, floor_s=floor_s)
        except BadInput as error:
            raise BadInput(f"loki: `ruler.{key}`: {error.what}", cure=error.cure) from error
    return scaled


def evaluation_interval(document: Mapping) -> float:
    """Seconds between evaluations of a group without an interval of its own. Raises BadInput."""
    ruler = document.get("ruler") or {}
    return seconds(str(ruler.get("evaluation_interval", _RULER["evaluation_interval"][0])))


def scale_log_rules(
    document: Mapping, speed: float, *, evaluation_interval_s: float, file: str
) -> Mapping:
    """A new file of log rules at `speed`, as `scale_rules` does it. Raises BadInput."""
    return scale_rules(
        document,
        speed,
        scrape_interval_s=INTERVAL_FLOOR_S,
        evaluation_interval_s=evaluation_interval_s,
        expression=partial(scale_query, speed=speed, floor_s=RANGE_FLOOR_S),
        file=file,
    )
