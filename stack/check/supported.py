"""What dashboards may be made of: that which both Grafana and the lab's viewer show.

The viewer's own list says it; what is not in it would be an empty tile there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stack.paths import REPO

LIST = REPO / "stack" / "programs" / "viewer" / "supported.json"


@dataclass(frozen=True, kw_only=True)
class Supported:
    """The viewer's list."""

    panels: Mapping[str, frozenset[str]]
    """Panel type → options of its own that its fields may have (`fieldConfig…custom`)."""
    former: Mapping[str, str]
    """Panel type of an old schema → what it is shown as."""
    transformations: frozenset[str]
    variables: frozenset[str]
    """Types of variables."""
    datasources: frozenset[str]
    """Types of data sources."""


@cache
def supported(path: Path = LIST) -> Supported:
    """The checked-in list."""
    found = json.loads(path.read_text())
    return Supported(
        panels={kind: frozenset(panel["custom"]) for kind, panel in found["panels"].items()},
        former=found["former"],
        transformations=frozenset(found["transformations"]),
        variables=frozenset(found["variables"]),
        datasources=frozenset(found["datasources"]),
    )
