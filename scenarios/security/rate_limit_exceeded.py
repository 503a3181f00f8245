"""RateLimitExceeded: a script of somebody who may look asks the front eighty times a second.

It is served thirty times a second and turned away otherwise (429); nobody else notices. A warning
for the infrastructure team.
"""

from loadgen.faults.front import SCRIPT, FrontFlooded
from loadgen.shapes import QuietClinic
from loadgen.users import Faculty, Resident
from scenarios.proof.scenario import Scenario, Traffic, email, slack

SCENARIO = Scenario(
    alert="RateLimitExceeded",
    labels={
        "severity": "warning",
        "team": "infrastructure",
        "service": "proxy",
        "address": SCRIPT,
    },
    traffic=Traffic(users=(Resident, Faculty), shape=QuietClinic),
    fault=FrontFlooded(),
    notifications=(
        slack("#alerts-infrastructure"),
        email("infrastructure@residency.example"),
    ),
)
