"""LogLinesRefused: somebody's own shipper pushes lines of last month, and Loki takes none of them.

The stack's own lines arrive. A warning for the platform team: what was pushed is gone.
"""

from loadgen.faults.intruders import OldLinesPushed
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="LogLinesRefused",
    labels={
        "severity": "warning",
        "team": "platform",
        "instance": "loki",
        "reason": "greater_than_max_sample_age",
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=OldLinesPushed(),
    notifications=(
        slack("#alerts-platform"),
        email("platform@residency.example"),
    ),
)
